"""A module is one noun and is read in one sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
LONGEST = 400
# names that say nothing: what they hold belongs to a noun of the field
NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
MODULES = sorted(path.relative_to(HOUSE) for part in ("kannelkit", "tests") for path in (HOUSE / part).rglob("*.py"))


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_module_is_read_in_one_sitting(module: Path) -> None:
    assert len((HOUSE / module).read_text().splitlines()) <= LONGEST


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_module_has_a_name_that_says_something(module: Path) -> None:
    assert not NAMELESS & {*module.parent.parts, module.stem}


@pytest.mark.parametrize("module", [path for path in MODULES if path.parts[0] == "kannelkit"], ids=str)
def test_module_says_what_it_is_for(module: Path) -> None:
    assert (HOUSE / module).read_text().startswith('"""')
