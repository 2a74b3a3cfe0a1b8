"""Starting the application under test: on its own port, until it answers, and why it does not."""

from __future__ import annotations

import os
import socket
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from pipelines.job.communication.errors import JobError
from pipelines.job.communication.job_log import JobLog
from pipelines.job.isolation.processes import Launcher
from pipelines.job.isolation.role_users import Role
from pipelines.job.reproduction.application import serve
from pipelines.job.workspace.checkout import Checkout
from pipelines.job.workspace.job_files import Artifacts
from pipelines.language import Phase
from pipelines.language.repository import Repository, Serve

pytestmark = pytest.mark.integration

SERVER = textwrap.dedent(
    """
    import http.server, os, sys
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(int(os.environ.get("STATUS", "200"))); self.end_headers()
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    """
)


@pytest.fixture
def place_of(launcher: Launcher, project_dir: Path, catalogue_of: Any) -> Callable[..., Checkout]:
    def make(serving: Serve | None, key: str = "app", role: Role = Role.APPLICATION) -> Checkout:
        (repository,) = catalogue_of(["python"]).repositories.values()
        assert isinstance(repository, Repository)
        place = Checkout(
            name=key,
            place=key,
            role=role,
            repository=msgspec.structs.replace(repository, key=key, serve=serving),
            launcher=launcher,
            artifacts=Artifacts(project_dir, Phase.TESTING),
            log=JobLog(),
        )
        place.folder.mkdir(parents=True)
        (place.folder / "app.py").write_text(SERVER)
        place.settle(project_dir)
        return place

    return make


@pytest.mark.parametrize(
    ("run", "ready"),
    [
        ("python app.py $PORT", "http://127.0.0.1:$PORT/"),
        ("python app.py {port}", "http://127.0.0.1:{port}/health"),
        ("python app.py ${PORT}", "http://127.0.0.1:${PORT}/"),
    ],
)
def test_it_gets_a_free_port_and_is_gone_afterwards(place_of: Any, run: str, ready: str) -> None:
    with serve(place_of(Serve(run=run, ready=ready))) as application:
        assert httpx2.get(application.base_url, timeout=60).status_code == 200
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(application.base_url, timeout=60)


def test_it_is_found_at_the_same_address_each_time(place_of: Any) -> None:
    place = place_of(Serve(run="python app.py $PORT", ready="http://127.0.0.1:$PORT/"))
    addresses = []
    for _ in range(2):
        with serve(place) as application, httpx2.Client() as http:  # whose connection is still open at the end
            assert http.get(application.base_url, timeout=60).status_code == 200
            addresses.append(application.base_url)
    assert addresses[0] == addresses[1]


STUBBORN = """
import socket, sys
listening = socket.socket()
listening.bind(("127.0.0.1", int(sys.argv[1])))  # without SO_REUSEADDR
listening.listen()
while True:
    connection, _ = listening.accept()
    connection.recv(10_000)
    connection.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
    connection.close()  # first, so that the address lingers
"""


def test_one_that_takes_no_address_twice_gets_another(place_of: Any) -> None:
    place = place_of(Serve(run="python stubborn.py $PORT", ready="http://127.0.0.1:$PORT/"))
    (place.folder / "stubborn.py").write_text(STUBBORN)
    addresses = []
    for _ in range(2):
        with serve(place) as application:
            addresses.append(application.base_url)
    assert addresses[0] != addresses[1]


TELLER = """
import http.server, os, sys, urllib.request
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        told = {name: value for name, value in os.environ.items() if name.endswith("_URL")}
        below = [urllib.request.urlopen(url).read().decode() for url in told.values()]
        body = f"{os.getuid()} {sorted(told)} " + "".join(below)
        self.send_response(200); self.end_headers(); self.wfile.write(body.encode())
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_what_is_served_beside_it_runs_first_and_is_found_by_those_that_name_it(place_of: Any) -> None:
    def make(key: str, role: Role, *with_: str) -> Checkout:
        place: Checkout = place_of(
            Serve(run="python app.py $PORT", ready="http://127.0.0.1:$PORT/", with_=with_), key, role
        )
        (place.folder / "app.py").write_text(TELLER)
        return place

    store, legacy = make("store", Role.NEIGHBOUR), make("legacy-api", Role.NEIGHBOUR, "store")
    web = make("web", Role.APPLICATION, "legacy-api")
    with serve(web, beside=(store, legacy)) as application:
        mine, theirs = (web.launcher.users.uid(role) or os.getuid() for role in (Role.APPLICATION, Role.NEIGHBOUR))
        seen = httpx2.get(application.base_url, timeout=60).text
        urls = [application.base_url, *application.addresses.values()]
    assert seen == f"{mine} ['LEGACY_API_URL'] {theirs} ['STORE_URL'] {theirs} [] "
    assert [key for key, _ in application.neighbours] == ["legacy-api"]
    for url in urls:
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(url, timeout=60)


def test_a_neighbour_that_does_not_start_is_named_with_its_reason(place_of: Any) -> None:
    broken = place_of(Serve(run="echo no such table; exit 3", ready="http://127.0.0.1:$PORT/"), "store", Role.NEIGHBOUR)
    web = place_of(Serve(run="python app.py $PORT", ready="http://127.0.0.1:$PORT/", with_=("store",)))
    with pytest.raises(JobError, match="store ended with exit code 3: no such table"), serve(web, beside=(broken,)):
        pass


ENDLESS = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
        try:
            while True: self.wfile.write(bytes(1_000_000))
        except ConnectionError:
            os.write(1, b"let go")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def test_an_answer_without_end_is_not_read(place_of: Any) -> None:
    place = place_of(Serve(run="python endless.py $PORT", ready="http://127.0.0.1:$PORT/"))
    (place.folder / "endless.py").write_text(ENDLESS)
    deadline = time.monotonic() + 60
    with serve(place) as application:
        while "let go" not in application.log.read_text():
            assert time.monotonic() < deadline, "the readiness check still reads"


def test_of_an_endless_log_only_the_end_is_read(place_of: Any) -> None:
    place = place_of(Serve(run="python long.py; exit 3", ready="http://127.0.0.1:$PORT/"))
    program = "import os; os.ftruncate(1, 1 << 40); os.lseek(1, 0, os.SEEK_END); print(); print('in the end')"
    (place.folder / "long.py").write_text(program)
    with pytest.raises(JobError, match=r"in the end$"), serve(place):
        pass


def test_a_fixed_port_that_is_taken_is_named(place_of: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        place = place_of(Serve(run=f"python app.py {port}", ready=f"http://127.0.0.1:{port}/"))
        with pytest.raises(JobError, match=f"Port {port} is taken"), serve(place):
            pass


@pytest.mark.parametrize(
    ("serving", "words"),
    [
        (Serve(run="echo no such module; exit 3", ready="http://127.0.0.1:$PORT/"), "exit code 3: no such module"),
        (Serve(run="STATUS=503 python app.py $PORT", ready="http://127.0.0.1:$PORT/"), "status 503"),
        (Serve(run="python app.py 1", ready="http://127.0.0.1/"), "names no port"),
        (None, "no `serve`"),
    ],
)
def test_an_application_that_does_not_get_ready_says_why(place_of: Any, serving: Serve | None, words: str) -> None:
    with pytest.raises(JobError, match=words), serve(place_of(serving), ready_within_s=8.0):
        pass
