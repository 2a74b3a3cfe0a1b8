"""What shows that a fix is one: verdicts on reproductions, known tests, regressions. Pure."""
