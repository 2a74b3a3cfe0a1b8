"""A worker that dies at a point of an effect, played in this process: what follows is not done."""


class Died(Exception):  # noqa: N818  # what a crash would be, were it one
    """Raised where the process would have ended."""


class DieAt:
    """Breaks off at a point."""

    def __init__(self, point: str) -> None:
        """Name the point, as `receiver.outbound.faults` does."""
        self.point = point

    def reach(self, point: str) -> None:
        """Die there."""
        if point == self.point:
            raise Died
