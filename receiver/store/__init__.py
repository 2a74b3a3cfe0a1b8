"""Postgres: tables, inbox, outbox, ledger, queries; the only SQL. Knows nothing of HTTP and of the vendors."""
