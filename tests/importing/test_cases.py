"""Every kannel.conf of a folder of oddities, of Debian's package and of the user guide comes back as it was."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from kannelkit.conf import Opened, check, opener
from kannelkit.importing import imported
from kannelkit.render import kannel_conf
from kannelkit.spec import load
from tests.conf.judge import Groups, kannel_reads_each, kannel_reads_files
from tests.importing.same import unlike

CASES = Path(__file__).parents[1] / "cases/kannel-conf"
DEBIAN = (*Path("/usr/share/doc/kannel/examples").glob("*.conf"), Path("/etc/kannel/kannel.conf"))
FILES = sorted([*CASES.glob("*.conf"), *(path for path in DEBIAN if path.exists())])
FOLDERS = sorted(path for path in CASES.iterdir() if path.is_dir())


def read_in(folder: Path, names: list[str]) -> list[Groups]:
    judged = kannel_reads_files(names, folder)
    assert None not in judged, names[judged.index(None)]
    return [groups for groups in judged if groups is not None]


@functools.cache
def before(folder: Path) -> dict[str, Groups]:
    """Return what Kannel reads in the files of the folder, in one start of its reader."""
    names = [path.name for path in FILES if path.parent == folder]
    return dict(zip(names, read_in(folder, names), strict=True))


def back(path: Path, name: str, spec: Path) -> str:
    """Return the text that is generated from the spec that the file becomes, by way of the disk."""
    spec.write_text(imported(name, opener(path), spec).text)
    return kannel_conf(load(spec, {}))


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Groups]:
    """Return what Kannel reads in the files generated for all of them, in one start of its reader."""
    folder = tmp_path_factory.mktemp("imported")
    texts = [back(path.parent, path.name, folder / "gateway.yaml") for path in FILES]
    texts += [back(path, "kannel.conf", folder / "gateway.yaml") for path in FOLDERS]
    judged = kannel_reads_each(texts, folder)
    assert None not in judged
    return {path: groups for path, groups in zip((*FILES, *FOLDERS), judged, strict=True) if groups is not None}


@pytest.mark.kannel
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kannel_reads_the_same(path: Path, after: dict[Path, Groups]) -> None:
    assert unlike(before(path.parent)[path.name], after[path]) == []


@pytest.mark.kannel
@pytest.mark.parametrize("path", FOLDERS, ids=lambda path: path.name)
def test_kannel_reads_the_same_with_includes(path: Path, after: dict[Path, Groups]) -> None:
    (groups,) = read_in(path, ["kannel.conf"])
    assert unlike(groups, after[path]) == []


def test_there_are_cases() -> None:
    names = [path.stem for path in (*FILES, *FOLDERS)]
    assert len([name for name in names if name.startswith("guide-")]) >= 20
    assert len([path for path in (*FILES, *FOLDERS) if CASES in path.parents and "guide-" not in path.name]) >= 40
    assert len([path for path in FILES if CASES not in path.parents]) in (0, 10)  # where Kannel is not installed


LINK = """
# link {0}
group = smsc
smsc = smpp
smsc-id = account-{1}
host = smpp{1}.example
port = 2775
smsc-username = login{1}
smsc-password = pass{1}
system-type = ""
throughput = 10
"""


@pytest.mark.kannel
def test_a_thousand_groups(tmp_path: Path) -> None:
    text = "group = core\nadmin-port = 13000\nadmin-password = x\n" + "".join(
        LINK.format(number, number // 2) for number in range(1000)
    )
    made = imported("kannel.conf", lambda name: Opened(name, text), tmp_path / "gateway.yaml")
    (tmp_path / "gateway.yaml").write_text(made.text)
    generated = kannel_conf(load(tmp_path / "gateway.yaml", {}))
    was, now = kannel_reads_each([text, generated], tmp_path)
    assert was is not None
    assert now is not None
    assert unlike(was, now) == []
    assert made.report.accounts == 500
    assert made.text.count("    connections: 2\n    ") == made.text.count("    throughput: 20\n") == 500


def test_each_link_has_a_name_of_its_own(tmp_path: Path) -> None:
    path = CASES / "three-binds-of-one-login.conf"
    text = back(path.parent, path.name, tmp_path / "gateway.yaml")
    assert [finding.rule for finding in check(text)] == []
    assert text.count("group = smsc") == 4
