"""The command line `bug-fix`: one module per group of commands. Only prints; the work is done elsewhere."""
