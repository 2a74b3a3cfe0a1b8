"""What a job says to others: to the receiver, in its log, by its exit code; and what of it may be disclosed."""
