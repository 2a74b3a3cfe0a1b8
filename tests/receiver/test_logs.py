"""Logs tell what went wrong, and no secret that was near."""

import io
import sys

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from receiver import logs
from receiver.settings import Settings
from receiver.store.postgres.database import Database


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_a_traceback_shows_no_local_variables(stream: type[io.StringIO], monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    written = stream()
    monkeypatch.setattr(sys, "stderr", written)
    logs.configure()
    try:
        token = "glpat-" + "secret"
        try:
            int(f"a token of {len(token)} characters")
        except ValueError:
            structlog.get_logger().exception("it.broke")
    finally:
        structlog.configure(**before)
    assert "a token of 12 characters" in written.getvalue()
    assert token not in written.getvalue()


def test_settings_never_show_what_they_hold() -> None:
    settings = Settings(**dict.fromkeys(Settings.__struct_fields__, "s3cret"))
    assert "s3cret" not in repr(settings)
    assert "s3cret" not in f"{settings}"


@pytest.mark.integration
@pytest.mark.anyio
async def test_an_error_of_the_database_does_not_repeat_values(database: Database) -> None:
    with pytest.raises(DBAPIError) as error:
        async with database.begin() as session:
            await session.execute(text("SELECT CAST(:value AS integer) / 0"), {"value": 123_456_789})
    assert "123456789" not in str(error.value)
