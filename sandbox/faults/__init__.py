"""What may go wrong on demand with the answers and hooks of an emulated vendor, and the log of its requests."""
