"""Names that other machines can't hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelines.patch.portable_names import names_not_held
from tests.changes import file_change

Examined = Callable[..., tuple[str, ...]]


@pytest.mark.parametrize(
    ("path", "why"),
    [
        *(
            (path, "names a device on Windows")
            for path in ("src/NUL.txt", "com1", "a/lpt9.tar.gz", "prn .md", "CONIN$")
        ),
        *((path, "ends with a dot or a blank") for path in ("src/shop.py.", "docs /a.md", "a./b")),
        *((path, "begins with a blank") for path in ("src/ shop.py", " a/b", "\u00a0a")),
        *((path, "Windows can't have") for path in ("src/a:b", "what?.md", "a*b", 'say "x".txt', "a|b", "<a>")),
        ("--force", "commands take it for an option"),
        ("d/" * 120 + "x", "longer than the 220 characters"),
        ("\u00fc" * 128, "longer than"),
        ("src/sh\u043ep.py", "look-alike letters of two scripts in `sh\u043ep`"),
    ],
)
def test_a_new_file_gets_a_name_that_every_machine_can_hold(examined: Examined, path: str, why: str) -> None:
    assert any(why in sentence and "choose another name" in sentence for sentence in examined({}, {path: "x\n"}))


@pytest.mark.parametrize(
    "path",
    [
        "d/" * 109 + "xy",
        "\u00fc" * 127 + "x",
        *("src/console.py", "auxiliary.md", "com10.txt", "nullable.ts", "src/con_fig.py", "app/[...slug]/page.tsx"),
        *(
            "app/(shop)/@cart/page.tsx",
            "src/-components/a.tsx",
            "docs/\u00fcber.md",
            ".a/b..c",
            "src/\u043c\u0438\u0440.py",
        ),
    ],
)
def test_odd_names_that_all_can_hold_are_taken(path: str) -> None:
    assert list(names_not_held((file_change(path, None, "x"),))) == []


def test_a_file_that_is_there_may_be_changed_and_deleted() -> None:
    files = (file_change("src/aux.py", "x", "y"), file_change("a:b", "x", None))
    assert list(names_not_held(files)) == []
