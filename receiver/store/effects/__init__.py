"""The outbox, and where the status notes are."""
