"""What a job tells: the receiver, the log, its exit code."""
