"""Repositories served beside one: who starts first, and by which variable each is found."""

import pytest

from pipelines.catalogue.served_order import CircleError, address_variable, start_order


@pytest.mark.parametrize(
    ("needs", "order"),
    [
        ({}, ()),
        ({"web": ("api",)}, ("api",)),
        ({"web": ("api",), "api": ("store",)}, ("store", "api")),
        ({"web": ("search", "api"), "api": ("store",), "search": ("store",)}, ("store", "search", "api")),
    ],
)
def test_each_starts_after_those_that_it_needs(needs: dict[str, tuple[str, ...]], order: tuple[str, ...]) -> None:
    assert start_order("web", needs) == order


def test_those_that_need_each_other_are_named_in_a_row() -> None:
    with pytest.raises(CircleError, match=r"^api → store → api$"):
        start_order("web", {"web": ("api",), "api": ("store",), "store": ("api",)})


@pytest.mark.parametrize(
    ("key", "variable"),
    [("api", "API_URL"), ("legacy-api", "LEGACY_API_URL"), ("a.b_c", "A_B_C_URL"), ("2fa", "_2FA_URL")],
)
def test_a_neighbour_is_found_by_its_key(key: str, variable: str) -> None:
    assert address_variable(key) == variable
