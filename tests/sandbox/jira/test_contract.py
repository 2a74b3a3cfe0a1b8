"""Routes, parameters and answers agree with Atlassian's own description of REST v3, but for texts: v2 has markup."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from sandbox.jira.api import comment, issue, link, search, site_api

pytestmark = pytest.mark.integration
SWAGGER = Path(__file__).parents[3] / ".." / "shared" / "contracts" / "jira-openapi" / "swagger-v3.v3.json"
MODULES = (site_api, comment, link, issue, search)


@pytest.fixture(scope="session")
def swagger() -> Any:
    if not SWAGGER.is_file():
        pytest.skip("Atlassian's description is not beside this checkout")
    return _nullable(json.loads(SWAGGER.read_text()))


def _nullable(value: Any) -> Any:
    """Write OpenAPI 3.0's `nullable` as JSON Schema's list of types."""
    if isinstance(value, list):
        return [_nullable(one) for one in value]
    if not isinstance(value, dict):
        return value
    out = {name: _nullable(one) for name, one in value.items()}
    if out.get("nullable") is True and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    return out


def _shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}|:[a-z_]+", "*", path)


def _operations(swagger: Any) -> dict[tuple[str, str], Any]:
    return {
        (method.upper(), _shape(path)): operation
        for path, operations in swagger["paths"].items()
        for method, operation in operations.items()
        if isinstance(operation, dict)
    }


ROUTES = [
    pytest.param(route, id=f"{route.method} {route.template.removeprefix('/rest/api/2')}")
    for module in MODULES
    for route in module.ROUTES
    if route.template.startswith("/rest/api/")
]


@pytest.mark.parametrize("route", ROUTES)
def test_each_route_and_each_of_its_parameters_is_atlassian_s(swagger: Any, route: Any) -> None:
    operation = _operations(swagger).get((route.method, _shape(route.template.replace("/api/2/", "/api/3/"))))
    assert operation is not None
    known = {parameter["name"] for parameter in operation.get("parameters", [])}
    assert set(route.query) - known == set()
    reference = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    name = reference.get("$ref", "").rpartition("/")[2]
    if name:
        properties = swagger["components"]["schemas"][name]["properties"]
        assert set(route.params) - set(properties) == set()


def _attach(http: Any) -> Any:
    files = {"file": ("notes.txt", b"hello", "text/plain")}
    return http.post("/issue/PL-479/attachments", files=files, headers={"x-atlassian-token": "no-check"})


LINK = {"globalId": "bug-fix:1", "object": {"url": "https://git.example.org/1", "title": "!1"}}
CALLS: list[tuple[str, Callable[[Any], Any]]] = [
    ("ServerInformation", lambda http: http.get("/serverInfo")),
    ("User", lambda http: http.get("/myself")),
    ("IssueBean", lambda http: http.get("/issue/PL-479", params={"expand": "changelog"})),
    ("PageOfComments", lambda http: http.get("/issue/PL-479/comment")),
    ("Comment", lambda http: http.post("/issue/PL-479/comment", json={"body": "*hello*"})),
    ("Transitions", lambda http: http.get("/issue/PL-479/transitions", params={"expand": "transitions.fields"})),
    ("RemoteIssueLinkIdentifies", lambda http: http.post("/issue/PL-479/remotelink", json=LINK)),
    ("CreatedIssue", lambda http: http.post("/issue", json={"fields": NEW})),
    ("ErrorCollection", lambda http: http.get("/issue/PL-1")),
]
NEW = {"project": {"key": "PL"}, "issuetype": {"name": "Bug"}, "summary": "Another", "description": "h1. x"}
LISTS: list[tuple[str, Callable[[Any], Any]]] = [
    ("RemoteIssueLink", lambda http: http.get("/issue/PL-479/remotelink")),
    ("Attachment", _attach),
    ("StatusDetails", lambda http: http.get("/status")),
]


def _check(swagger: Any, name: str, value: Any) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": swagger["components"]}
    errors = [f"{list(error.path)}: {error.message}" for error in Draft7Validator(schema).iter_errors(value)]
    assert errors == []


def test_each_answer_fits_atlassian_s_schema(swagger: Any, cloud: Any) -> None:
    with cloud.http() as http:
        for name, call in CALLS:
            _check(swagger, name, call(http).json())
        for name, call in LISTS:
            items = call(http).json()
            assert items
            for item in items:
                _check(swagger, name, item)
