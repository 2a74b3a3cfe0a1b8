"""Which memory is moved to huge pages."""

from tests.huge_pages import aligned

MAPS = """\
00400000-00a00000 r-xp 00000000 08:01 42         /usr/bin/python3
01000000-01fff000 rw-p 00000000 00:00 0          [heap]
7f0000100000-7f0000700000 rw-p 00000000 00:00 0
7f0000900000-7f0000a00000 rw-p 00000000 00:00 0
7f0001000000-7f0002000000 rw-p 00000000 08:01 43 /usr/lib/libc.so.6
7f0003000000-7f0004000000 rw-s 00000000 00:00 0
7ffc00000000-7ffc00400000 rw-p 00000000 00:00 0  [stack]
"""


def test_private_memory_without_a_file_is_moved_as_far_as_huge_pages_fit() -> None:
    assert list(aligned(MAPS)) == [(0x01000000, 0x01E00000), (0x7F0000200000, 0x7F0000600000)]
