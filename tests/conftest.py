"""Fixtures for every test: one embedded Postgres for all workers of a test session, a clean database for each test."""

import fcntl
import gc
import http.client
import json
import os
import shutil
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from playwright.sync_api import sync_playwright
from sqlalchemy import make_url

from receiver.store.postgres import embedded
from receiver.store.postgres.database import Database
from receiver.store.postgres.migration import upgrade
from tests.huge_pages import collapse_memory
from tests.order import place, shared_out

settings.register_profile(
    "nightly", max_examples=2000, deadline=None, suppress_health_check=list(HealthCheck), print_blob=True
)

TEMPLATE = "bug_fix_template"
KEPT = frozenset({"alembic_version", "prices"})
OWNED_SEQUENCES = """
    SELECT sequence.oid::regclass FROM pg_class AS sequence
    JOIN pg_depend ON pg_depend.objid = sequence.oid AND pg_depend.deptype IN ('a', 'i')
    JOIN pg_class AS owner ON owner.oid = pg_depend.refobjid
    WHERE sequence.relkind = 'S' AND owner.relname = ANY(%s)
"""


@pytest.hookimpl(trylast=True)  # after pytest left out what `-m` leaves out, or shares begin elsewhere than dealt
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Share out long tests among the workers, and let these begin with them."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items[:] = shared_out([(place(item), item) for item in items], workers=workers)


def pytest_collection_finish() -> None:
    """Keep the garbage collector off modules and tests, which stay to the end, and let forks share them cheaply."""
    gc.collect()
    gc.freeze()
    collapse_memory()


@pytest.fixture(autouse=True)
def _plain_logs() -> None:
    """Let logs go where this test can read them, whatever an earlier one configured."""
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def _one_authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let HTTP clients trust one certificate authority instead of all of the machine's.

    No test speaks TLS, many make a client for each request, and a client reads what it trusts when it is made: of all
    authorities that costs 30 ms of processor time, more than the request.
    """
    known = ssl.create_default_context().get_ca_certs(binary_form=True)
    if not known:
        yield
        return
    file = tmp_path_factory.mktemp("trust") / "authority.pem"
    file.write_text(ssl.DER_cert_to_PEM_cert(known[0]))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Run `@pytest.mark.anyio` tests on asyncio."""
    return "asyncio"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Address of a server that all workers of this test session share; it has a migrated template database."""
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    folder = embedded.private_folder() / f"tests-{session[:12]}"
    with Path(f"{folder}.lock").open("w") as gate:
        fcntl.flock(gate, fcntl.LOCK_EX)
        server = embedded.start(folder, cleanup_mode="delete")
        address = server.get_uri()
        with psycopg.connect(address, autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [TEMPLATE]).fetchone()
            if found is None:
                for setting in ("fsync = off", "full_page_writes = off", "max_connections = 300"):
                    connection.execute(f"ALTER SYSTEM SET {setting}".encode())
                connection.execute("SELECT pg_reload_conf()")
                connection.execute(f"CREATE DATABASE {TEMPLATE}_new".encode())
                upgrade(_address(address, f"{TEMPLATE}_new"))
                connection.execute(f"ALTER DATABASE {TEMPLATE}_new RENAME TO {TEMPLATE}".encode())
    yield address
    server.cleanup()
    Path(f"{folder}.lock").unlink(missing_ok=True)


@pytest.fixture(scope="session")
def worker_database(postgres_server: str) -> str:
    """Address (SQLAlchemy's) of this worker's own migrated database; tests use `postgres` or `database`."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}".encode())
    return _address(postgres_server, name)


class Standing:
    """A connection to the worker's database that tests share: a new one costs the server more than what it is asked."""

    def __init__(self, address: str) -> None:
        self._address = _plain(address)
        self._connection = self._open()

    def _open(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._address, autocommit=True)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Do this, and return what it gives."""
        try:
            return self._rows(query, *values)
        except psycopg.OperationalError:  # a test has ended all connections
            if not self._connection.closed:
                raise
            self._connection = self._open()
            return self._rows(query, *values)

    def _rows(self, query: str, *values: Any) -> list[Any]:
        cursor = self._connection.execute(query.encode(), values or None)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@pytest.fixture(scope="session")
def standing_connection(worker_database: str) -> Iterator[Standing]:
    """Return a connection to this worker's own database; each statement is a transaction."""
    with closing(Standing(worker_database)) as connection:
        yield connection


@pytest.fixture(scope="session")
def cleaning(standing_connection: Standing) -> str:
    """Return SQL that empties all tables but a few and starts their sequences anew.

    It waits for whoever still writes, as TRUNCATE would; but TRUNCATE makes new files for each table and index, which
    takes a hundred times as long when a test has left a few rows in a few tables.
    """
    found = standing_connection.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    tables = [name for (name,) in found if name not in KEPT]
    sequences = standing_connection.rows(OWNED_SEQUENCES, tables)
    statements = [
        "SET LOCAL session_replication_role = replica",  # no triggers, no checks of foreign keys
        f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE",
        *(f"DELETE FROM {name}" for name in tables),  # noqa: S608 - names that the database itself gives
        *(f"SELECT setval('{sequence}', 1, false)" for (sequence,) in sequences),
    ]
    return ";".join(statements)


@pytest.fixture
def postgres(worker_database: str, standing_connection: Standing, cleaning: str) -> str:
    """Address (SQLAlchemy's; use it as DATABASE_URL) of a migrated database that holds nothing but prices."""
    standing_connection.rows(cleaning)
    return worker_database


@pytest.fixture(scope="session")
async def worker_store(worker_database: str) -> AsyncIterator[Database]:
    """Open the store once: a new one connects, and compiles each of its statements, anew."""
    async with Database(worker_database) as opened:
        yield opened


@pytest.fixture
async def database(worker_store: Database, postgres: str) -> Database:  # noqa: ARG001 - it cleans
    """Return the store on a clean database. For `@pytest.mark.anyio` tests; all of them share its event loop."""
    try:
        async with worker_store.direct() as connection:
            await connection.execute("SELECT 1")
    except psycopg.OperationalError:  # a test before has ended all connections
        await worker_store.close()  # it opens again when it is used
    return worker_store


@pytest.fixture
def empty_database(postgres_server: str) -> Iterator[str]:
    """Address of a database without any table."""
    name = f"empty_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield _address(postgres_server, name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def hang_up() -> Callable[..., None]:
    """Return a function that posts JSON and closes the connection once something is true, whatever was answered."""

    def post(url: str, body: object, *, headers: Mapping[str, str], when: Callable[[], bool]) -> None:
        address = urlsplit(url)
        connection = http.client.HTTPConnection(address.netloc)
        with closing(connection):
            sent = {"content-type": "application/json", **headers}
            connection.request("POST", address.path, json.dumps(body).encode(), sent)
            while not when():
                threading.Event().wait(0.01)

    return post


WIDTHS = (360, 420, 1280)
"""Pixels: a small phone, a phone, a laptop."""

_MEASURE = """() => {
  document.querySelectorAll('details').forEach(one => one.open = true);
  return document.documentElement.scrollWidth;
}"""


@pytest.fixture(scope="session")
def sideways() -> Callable[[Mapping[str, str]], dict[tuple[str, int], int]]:
    """Return a function that shows pages, by name, in a browser, and returns those that scroll sideways, and how wide.

    The browser is gone when it returns: while Playwright is at work, no other event loop can be.
    """

    def measure(pages: Mapping[str, str]) -> dict[tuple[str, int], int]:
        executable = os.environ.get("BUG_FIX_BROWSER") or shutil.which("chromium") or shutil.which("google-chrome")
        found: dict[tuple[str, int], int] = {}
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
            page = browser.new_page()
            page.route("**/*", lambda route: route.abort())  # what a page shows is in it
            for name, text in pages.items():
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 900})
                    page.set_content(text)
                    wide = page.evaluate(_MEASURE)
                    if wide > width:
                        found[name, width] = wide
            browser.close()
        return found

    return measure


def _address(server: str, name: str) -> str:
    return make_url(server).set(drivername="postgresql+psycopg", database=name).render_as_string(hide_password=False)


def _plain(address: str) -> str:
    return make_url(address).set(drivername="postgresql").render_as_string(hide_password=False)
