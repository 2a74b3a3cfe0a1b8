"""Take the test that an agent submits: its name, its bytes, and whether the repository had it already. Runs none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from pipelines.job.reproduction.run_request import Script
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.repositories import Source, read_file
from pipelines.language import Framework, ReproductionSubmission
from pipelines.phases.submission import SubmissionError, plain_path

_LIMIT = 200_000


class _Naming(Struct, frozen=True, kw_only=True):
    pattern: str
    """Of a test file's path."""
    example: str


_NAMING: Final[Mapping[Framework, _Naming]] = {
    Framework.PYTEST: _Naming(pattern=r".*\.py", example="a .py file"),
    Framework.PLAYWRIGHT_TEST: _Naming(pattern=r".*\.(spec|test)\.[cm]?[jt]s", example="a file such as name.spec.ts"),
}


def read_test(place: Checkout, path: str, framework: Framework) -> bytes:
    """Read the test as the user that owns the work folder: a link in it reaches nothing else."""
    naming = _NAMING[framework]
    if not plain_path(path) or not re.fullmatch(naming.pattern, path):
        raise SubmissionError(f"test_path must be {naming.example}, relative to the repository's root.")
    head = ["head", "-c", str(_LIMIT + 1), "--", path]
    done = place.launcher.run(head, role=place.role, cwd=place.folder, timeout_s=30)
    if done.exit_code != 0:
        raise SubmissionError(f"{path} can't be read: {done.output.strip()[-200:]}")
    if not 0 < len(done.output) <= _LIMIT:
        raise SubmissionError(f"{path} has {len(done.output)} characters; a test has 1 to {_LIMIT}.")
    return done.output.encode()


def existing(source: Source, claim: ReproductionSubmission, test: bytes) -> bool:
    """Say whether the base commit has this very test. Raises SubmissionError when it is claimed and not so."""
    base = read_file(source, claim.test_path)
    same = base is not None and base.decode(errors="replace").encode() == test
    if claim.existing_test and not same:
        what = "is not in the repository's base commit" if base is None else "was changed since the base commit"
        raise SubmissionError(
            f"existing_test says that the repository has this test, but {claim.test_path} {what}. "
            "Submit the test as it was, or say existing_test: false."
        )
    return same


def kept_name(script: Script) -> str:
    """Return the name under which the test is kept as an artifact."""
    if script.framework is Framework.PYTEST:
        return "reproduction_test.py"
    return f"reproduction.spec{script.suffix}"
