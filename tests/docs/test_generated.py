"""The pages that the program writes are those that it would write now."""

from pathlib import Path

import pytest

from tests.docs.generate import PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_generated_page_is_current(page: Path) -> None:
    assert page.read_text(encoding="utf-8") == PAGES[page](), "run: python tests/docs/generate.py"
