"""The way to Postgres: server, connection, migration, queue, retention."""
