"""The spec that the boxes run with comes back as it was, its secrets too, and is its owner's alone."""

from __future__ import annotations

import dataclasses
import json
import stat
from pathlib import Path

import pytest

from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, load
from kannelkit.supervise.kept import FILE, keep, kept

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("examples/*.yaml"), *ROOT.glob("tests/cases/specs/*.yaml")])


class Given(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "x"

    def get(self, name: str, default: object = None) -> str:
        return self[name]

    def __contains__(self, name: object) -> bool:
        return True


def loaded(path: Path, folder: Path) -> Spec:
    for name, octets in (
        (path.name, path.read_bytes()),
        ("own-provider.toml", (ROOT / "examples/own-provider.toml").read_bytes()),
        ("secrets/app", b"app-secret"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(octets)
    spec = load(folder / path.name, Given())
    spec = spec.with_made(dict.fromkeys(spec.to_make(), "made"))
    return dataclasses.replace(spec, state_dir=folder)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_comes_back_as_it_was(path: Path, tmp_path: Path) -> None:
    spec = loaded(path, tmp_path)
    keep(spec)
    again = kept(tmp_path)
    assert again is not None
    assert again == spec
    assert kannel_conf(again) == kannel_conf(spec)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "null", '{"version": 2, "spec": {}}', '{"version": 1, "spec": {}}', '{"version": 1}']
)
def test_what_another_version_wrote_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    assert kept(tmp_path) is None


def test_a_value_of_another_type_is_none(tmp_path: Path) -> None:
    keep(loaded(ROOT / "examples" / "smallest.yaml", tmp_path))
    whole = json.loads((tmp_path / FILE).read_text())
    for name in ("core", "path", "smpp_accounts", "supervisor"):
        broken = {**whole, "spec": {**whole["spec"], name: 7}}
        (tmp_path / FILE).write_text(json.dumps(broken))
        assert kept(tmp_path) is None


def test_before_the_first_start_there_is_none(tmp_path: Path) -> None:
    assert kept(tmp_path) is None
