"""Dockerfile and compose.yaml, as far as no Docker engine is needed to judge them."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from receiver.cli.program import COMMANDS
from receiver.settings import DatabaseSettings, Settings, WorkerSettings

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = {"migrate": DatabaseSettings, "serve": Settings, "work": WorkerSettings}
OF_THE_IMAGE = {"BUG_FIX_CATALOGUE", "HOST", "PORT"}


def instructions(word: str) -> list[str]:
    joined = DOCKERFILE.replace("\\\n", " ")
    return [line.removeprefix(f"{word} ") for line in joined.splitlines() if line.startswith(f"{word} ")]


def test_the_image_runs_the_program_as_an_ordinary_user_and_checks_its_health() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert "\nUSER 10001:10001\n" in final
    assert instructions("ENTRYPOINT") == ['["bug-fix"]']
    [check] = instructions("HEALTHCHECK")
    assert "/ready" in check
    compile(msgspec.json.decode(check.partition("CMD ")[2])[2], "healthcheck", "exec")


def test_everything_that_the_wheel_is_built_from_is_copied() -> None:
    copied = [name for line in instructions("COPY") if not line.startswith("--from") for name in line.split()[:-1]]
    assert all((ROOT / name).exists() for name in copied)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"], "pyproject.toml"}
    wanted |= {project["project"]["readme"], *project["project"]["license-files"]}
    wanted |= {link.readlink().name for link in (ROOT / "pipelines/resources").iterdir() if link.is_symlink()}
    assert wanted <= set(copied)


@pytest.mark.parametrize("name", OURS)
def test_a_service_runs_a_command_and_is_given_its_settings_and_no_more(name: str) -> None:
    service = SERVICES[name]
    assert service["command"] == [name]
    assert name in {command for command, _, _ in COMMANDS}
    fields = {field.encode_name: field.required for field in msgspec.structs.fields(OURS[name])}
    given = set(service["environment"])
    assert given <= set(fields)
    assert {key for key, required in fields.items() if required} <= given | OF_THE_IMAGE


@pytest.mark.parametrize("name", OURS)
def test_a_service_can_write_nowhere_but_to_its_temporary_folder_and_gains_no_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert (service["tmpfs"], service["cap_drop"]) == (["/tmp"], ["ALL"])  # noqa: S108  # the container's own
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_secret_stands_in_the_file() -> None:
    for service in SERVICES.values():
        for key, value in service["environment"].items():
            if re.search("TOKEN|SECRET|KEY|PASSWORD|DATABASE_URL", key):
                assert "${" in value, key
