"""Clean up in steps that do not depend on each other."""

from __future__ import annotations

from collections.abc import Callable


def each(*steps: Callable[[], object]) -> None:
    """Do every step, also after one that failed, whatever with; raise the first error at the end."""
    errors: list[Exception] = []
    for step in steps:
        try:
            step()
        except Exception as error:  # noqa: BLE001 - raised when the others are done
            errors.append(error)
    if errors:
        raise errors[0]
