from receiver.cli.configuration import PAGE, page
from receiver.settings import Settings


def test_the_page_on_configuration_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m receiver.cli.configuration"


def test_every_variable_is_on_the_page() -> None:
    text = page()
    assert all(f"`{name.upper()}`" in text for name in Settings.__struct_fields__)
