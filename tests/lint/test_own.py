"""What kannelkit itself writes is sound, to the rules that judge anybody's file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.lint import look
from kannelkit.lint.report import severity
from kannelkit.render import kannel_conf
from kannelkit.spec import load

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
# In the spec comments silence them; in a kannel.conf nothing says that they are meant so.
MEANT = {"as-written": {"C108", "W201"}}
# Two binds of one login: the spec says `connections`, a kannel.conf can only be asked about it.
ASKED = {"W213"}


class Environ(Mapping[str, str]):
    """Every variable holds a password."""

    def __getitem__(self, name: str) -> str:
        return f"p{len(name)}-xyz"

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_what_an_example_becomes_is_sound(example: Path, tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    for path in example.parent.iterdir():
        if path.is_file():
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "secrets/app").write_text("p-app-xyz")
    spec = load(tmp_path / example.name, Environ())
    text = kannel_conf(spec, made={name: f"made-{number}" for number, name in enumerate(spec.to_make())})
    found = look.findings(look.conf("kannel.conf", lambda _: Opened("kannel.conf", text)))
    grave = {finding.rule for finding in found if severity(finding.rule) != "hint"}
    assert grave - ASKED == MEANT.get(example.stem, set())
