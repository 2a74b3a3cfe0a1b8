"""Run a repository's own tests and checks."""
