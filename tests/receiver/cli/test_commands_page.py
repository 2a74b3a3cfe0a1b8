from receiver.cli.commands_reference import PAGE, page


def test_the_page_on_commands_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m receiver.cli.commands_reference"


def test_every_parameter_is_explained() -> None:
    assert [line for line in page().splitlines() if line.startswith("| `") and line.endswith("| |")] == []
