"""The console script `bug-fix`, and `python -m receiver`."""

from __future__ import annotations

from receiver.cli.program import main

if __name__ == "__main__":
    main(prog_name="bug-fix")
