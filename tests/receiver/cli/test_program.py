"""The command group: rows that say what the commands themselves say, and a quick answer to --help."""

import subprocess
import sys

import pytest

from receiver.cli.program import COMMANDS, DeferredCommand

QUICK = frozenset({"receiver", "receiver.cli", "receiver.cli.program"})


@pytest.mark.parametrize("row", COMMANDS, ids=[name for name, _, _ in COMMANDS])
def test_a_row_names_its_command_and_says_the_first_sentence_of_its_help(row: tuple[str, str, str]) -> None:
    name, _, summary = row
    command = DeferredCommand(*row).load()
    assert (command.name, command.get_short_help_str(limit=300)) == (name, summary)


def test_help_imports_no_command() -> None:
    program = (
        "import sys\n"
        "from receiver.cli.program import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print(*{name for name in sys.modules if name.partition('.')[0] in {'receiver', 'sqlalchemy', 'litestar'}})\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert set(done.stdout.splitlines()[-1].split()) == QUICK
