"""What people say in comments: the lines of a text that are its author's own words, per markup. Performs no I/O."""
