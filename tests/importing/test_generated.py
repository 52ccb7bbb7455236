"""What kannelkit generated itself comes back whole: links, standby links and parking links, names and shares."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kannelkit.conf import Opened
from kannelkit.importing import Imported, imported
from kannelkit.render import kannel_conf
from kannelkit.spec import load
from kannelkit.spec.load import parse
from tests.conf.judge import kannel_reads_each

ROOT = Path(__file__).parents[2]
SPECS = sorted([*ROOT.glob("examples/*.yaml"), *ROOT.glob("tests/cases/specs/*.yaml")])
ENVIRON = {
    "KANNEL_ADMIN_PASSWORD": "admin-secret",
    "SMSCRU_PASSWORD": "smscru-1",
    "OTHER_PASSWORD": "other-pw",
    "APP_PASSWORD": "app-secret",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with all specs, and the secrets and files that they name."""
    for source in ("examples", "tests/cases/specs"):
        shutil.copytree(ROOT / source, tmp_path, dirs_exist_ok=True)
    (tmp_path / "secrets").mkdir(exist_ok=True)
    (tmp_path / "secrets/app").write_text("app-secret\n")
    return tmp_path


def back(text: str) -> tuple[Imported, str]:
    path = Path("/nowhere/gateway.yaml")
    made = imported("kannel.conf", lambda name: Opened(name, text), path)
    return made, kannel_conf(parse(made.text, path, {}, str(path)))


@pytest.mark.kannel
def test_every_generated_file_comes_back_whole(folder: Path) -> None:
    texts = []
    for path in SPECS:
        spec = load(folder / path.name, ENVIRON)
        texts.append(kannel_conf(spec, made=dict.fromkeys(spec.to_make(), "made-at-random")))
    judged = kannel_reads_each([*texts, *(back(text)[1] for text in texts)], folder)
    assert len(texts) >= 8
    for path, before, after in zip(SPECS, judged, judged[len(texts) :], strict=False):
        assert before is not None
        assert after is not None
        assert sorted(map(str, after)) == sorted(map(str, before)), path.name


def test_a_generated_account_is_one_account_again(folder: Path) -> None:
    (folder / "gateway.yaml").write_text(
        "smsc:\n  - {smsc-id: a, host: h, backup-host: i, smsc-username: u, smsc-password: p, connections: 2,"
        " throughput: 15, system-type: ISO}\n"
    )
    spec = load(folder / "gateway.yaml", {})
    made, _ = back(kannel_conf(spec, made=dict.fromkeys(spec.to_make(), "made-at-random")))
    assert made.report.accounts == 1
    assert made.report.mend == ()
    for line in ("backup-host: i", "connections: 2", "throughput: 15", "system-type: [ISO, MCON2]"):
        assert f"    {line}\n" in made.text
