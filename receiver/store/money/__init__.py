"""The ledger and what was spent."""
