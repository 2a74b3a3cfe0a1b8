"""What commands share: settings, the database, errors as one sentence and an exit code."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NoReturn, ParamSpec, TypeVar

import psycopg
import rich_click as click
from rich.console import Console
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError

from pipelines.catalogue.file import CatalogueError, read
from pipelines.catalogue.remedy_files import RemedyError
from pipelines.language.catalogue import Catalogue
from receiver.cli import remedy_folder
from receiver.jobs import agent_templates
from receiver.outbound.errors import OutboundError
from receiver.settings import DatabaseSettings, Settings, SettingsError, load
from receiver.store.postgres.database import Database, StoreError, address

DONE, CANNOT, USAGE, SETTINGS, FAULTS = 0, 1, 2, 3, 4
"""Exit codes: done; failed, a sentence says why; wrong usage; settings missing or wrong; faults found by doctor."""

out = Console()
err = Console(stderr=True)

P = ParamSpec("P")
T = TypeVar("T")


def stop(sentence: str, *, code: int) -> NoReturn:
    """Print the reason and exit."""
    err.print(sentence, style="red", markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(code)


def command(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """Run an asynchronous command; translate expected errors into one sentence and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return asyncio.run(function(*args, **kwargs))
        except SettingsError as error:
            stop(str(error), code=SETTINGS)
        except CatalogueError as error:
            stop(str(error), code=SETTINGS)
        except (StoreError, OutboundError) as error:
            stop(str(error), code=CANNOT)
        except ProgrammingError as error:
            if isinstance(error.orig, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
                stop("The database is not up to date. Run `bug-fix migrate`.", code=CANNOT)
            raise
        except (OperationalError, DBAPIError) as error:
            stop(f"The database can't be used: {_first_line(error.orig)}", code=CANNOT)
        except KeyboardInterrupt:
            stop("Stopped.", code=130)

    return run


def _first_line(error: object) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def settings() -> Settings:
    """Return all settings."""
    return load(Settings, os.environ)


@asynccontextmanager
async def database() -> AsyncIterator[Database]:
    """Open the database; needs no other setting."""
    async with Database(address(load(DatabaseSettings, os.environ))) as opened:
        yield opened


def catalogue(path: str) -> Catalogue:
    """Read bug-fix.yml, and the templates of agents and the remedies beside it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"The catalogue {path} can't be read ({error.strerror}). Set BUG_FIX_CATALOGUE to your bug-fix.yml."
        ) from error
    try:
        templates = agent_templates.read(Path(path))
        remedies = remedy_folder.read(Path(path))
    except (agent_templates.AgentTemplateError, RemedyError) as error:
        raise SettingsError(str(error)) from error
    return read(text, source=path, templates=templates, remedies=remedies)


__all__ = ["CANNOT", "DONE", "FAULTS", "SETTINGS", "USAGE", "catalogue", "click", "command", "database", "err", "out"]
