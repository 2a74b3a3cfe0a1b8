"""The command line `bug-fix`: one module a group of commands. Prints; everything else is done elsewhere."""
