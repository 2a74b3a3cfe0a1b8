"""Which remedies a diagnosis has, and how strictly they are handled. Pure: no I/O; the table is templates/healing."""
