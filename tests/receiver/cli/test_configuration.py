from receiver.cli.configuration_reference import PAGE, page
from receiver.settings import Settings


def test_the_page_on_configuration_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m receiver.cli.configuration_reference"


def test_every_variable_is_on_the_page() -> None:
    text = page()
    assert all(f"`{name.upper()}`" in text for name in Settings.__struct_fields__)


def test_the_page_says_which_process_reads_a_variable() -> None:
    rows = {row.split("`")[1]: row.split("|")[3].strip() for row in page().splitlines() if row.startswith("| `")}
    assert (rows["WORKER_CONCURRENCY"], rows["SWEEP_SECONDS"]) == ("work", "work")
    assert (rows["ANTHROPIC_API_KEY"], rows["GITLAB_TOKEN"]) == ("serve", "serve, work")
