"""A reproduction that imports from its repository is told from one that stands alone."""

from __future__ import annotations

import pytest

from pipelines.job.reproduction.repository_imports import imports_from
from pipelines.language import Framework

FILES = ("src/shop/price.py", "tests/e2e/pages/cart.py", "tests/e2e/__init__.py", "helpers.py", "e2e/pages/cart.ts")
FILES = (*FILES, "e2e/data/index.ts", "e2e/users.json")

PYTHON = {
    "import helpers": True,
    "from helpers import login": True,
    "import shop.price": True,
    "from shop import price": True,
    "from tests.e2e.pages import cart": True,
    "from pages.cart import Cart": True,
    "from .pages.cart import Cart": True,
    "from . import pages": False,
    "from ..e2e.pages.cart import Cart": True,
    "from .......pages import cart": False,
    "def test():\n    from helpers import login": True,
    "import json\nfrom pathlib import Path\nfrom playwright.sync_api import expect": False,
    "'''import helpers'''": False,
    "import (": False,
    "import helpers\0": False,
}
NODE = {
    'import { Cart } from "./pages/cart";': True,
    "import { Cart } from './pages/cart.js'": True,
    'import users from "./users.json";': True,
    'const { cart } = require("../e2e/pages/cart")': True,
    'const data = await import("./data");': True,
    'export * from "./data"': True,
    'import "./pages/cart"': True,
    'import { test } from "@playwright/test";': False,
    'import { Cart } from "./absent";': False,
    'import x from "../../../../etc/passwd";': False,
}


@pytest.mark.parametrize(("text", "imports"), PYTHON.items(), ids=map(repr, PYTHON))
def test_of_a_python_file(text: str, *, imports: bool) -> None:
    found = imports_from(FILES, text.encode(), path="tests/e2e/test_cart.py", framework=Framework.PYTEST)
    assert found is imports


@pytest.mark.parametrize(("text", "imports"), NODE.items(), ids=map(repr, NODE))
def test_of_a_script(text: str, *, imports: bool) -> None:
    found = imports_from(FILES, text.encode(), path="e2e/cart.spec.ts", framework=Framework.PLAYWRIGHT_TEST)
    assert found is imports
