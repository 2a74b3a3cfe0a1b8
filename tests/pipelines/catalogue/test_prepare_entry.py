"""Repositories never share a cache; what is one project to GitLab has one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from pipelines.catalogue.prepare_entry import cache_key, entry
from pipelines.catalogue.stack_presets import PRESETS, Preset
from pipelines.language import ProjectPath

PYTHON = PRESETS[Preset.PYTHON]
DEEP = "riverside-holding/research-and-development/platform/backend"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("riverside/pay-core", "riverside-pay/core"),
        ("riverside/pay.core", "riverside/pay-core"),
        ("riverside/pay_core", "riverside/pay-core"),
        ("riverside/pay--core", "riverside/pay-core"),
        (f"{DEEP}/ledger", f"{DEEP}/invoices"),
        (f"{DEEP}/{'x' * 40}1", f"{DEEP}/{'x' * 40}2"),
    ],
)
def test_repositories_whose_slugs_are_alike_have_caches_of_their_own(one: str, other: str) -> None:
    assert cache_key(ProjectPath(one), PYTHON) != cache_key(ProjectPath(other), PYTHON)


PATHS = st.from_regex(r"[a-z0-9_][a-z0-9_.-]{0,12}(/[a-z0-9_][a-z0-9_.-]{0,12}){1,3}", fullmatch=True)


@given(one=PATHS, other=PATHS, preset=st.sampled_from(list(Preset)))
def test_a_key_is_one_projects_and_a_key_that_gitlab_takes(one: str, other: str, preset: Preset) -> None:
    keys = [cache_key(ProjectPath(path), PRESETS[preset]) for path in (one, other)]
    assert (keys[0] == keys[1]) == (one == other)
    assert cache_key(ProjectPath(one.upper()), PRESETS[preset]) == keys[0]
    assert "/" not in keys[0]
    assert keys[0].strip(".") != ""


def test_another_image_has_another_cache() -> None:
    path = ProjectPath("riverside/pay")
    ours = replace(PYTHON, image="registry.example.com/python@sha256:abc")
    assert cache_key(path, PYTHON) != cache_key(path, ours)
    assert cache_key(path, PYTHON) != cache_key(path, PRESETS[Preset.NEXTJS])
    assert list(entry(path, ours)) == ["REPOSITORY", "STACK", "CACHE", "IMAGE"]
