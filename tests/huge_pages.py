"""Memory of a pytest worker on huge pages, so that starting processes is cheap.

A process started as another user is forked, and a fork copies the page table: for the 400 MB of a worker that takes
30 ms in pages of 4 kB and 2 ms in pages of 2 MB. Jobs under test start thousands.
"""

import ctypes
from collections.abc import Iterator
from pathlib import Path

MADV_HUGEPAGE = 14
MADV_COLLAPSE = 25
"""Since Linux 6.1, madvise(2)."""
HUGE = 2 * 1024 * 1024


def collapse_memory() -> None:
    """Move this process's anonymous memory to huge pages; where the system has none, change nothing."""
    maps = Path("/proc/self/maps")
    if not maps.exists():
        return
    libc = ctypes.CDLL(None)
    for start, end in aligned(maps.read_text(encoding="utf-8")):
        for advice in (MADV_HUGEPAGE, MADV_COLLAPSE):
            libc.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), advice)


def aligned(maps: str) -> Iterator[tuple[int, int]]:
    """Return start and end of the huge pages that fit into private, writable memory without a file, see proc(5)."""
    for line in maps.splitlines():
        addresses, access, _offset, _device, _inode, *name = line.split()
        if access == "rw-p" and name in ([], ["[heap]"]):
            start, end = (int(address, 16) for address in addresses.split("-"))
            start, end = -(-start // HUGE) * HUGE, end // HUGE * HUGE
            if start < end:
                yield start, end
