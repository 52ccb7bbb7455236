"""What is shipped is whole: a wheel built from the sdist and installed elsewhere has its tables and templates."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
SHIPPED = {".py", ".toml", ".j2", ".typed"}
SPEC = """\
smsc:
  - {smsc-id: elsewhere, provider: smsc.ru, smsc-username: login, smsc-password: secret}
"""


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sdist and the wheel that was built from the unpacked sdist."""
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(HOUSE / name, source)
    for name in ("kannelkit", "templates"):
        # symlinks as they are: kannelkit/templates must become files by the build, not by this copy
        shutil.copytree(HOUSE / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    assert (source / "kannelkit" / "templates").is_symlink()
    built = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", "dist", cwd=source)
    assert built.returncode == 0, built.stdout + built.stderr
    return source / "dist"


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which pip has put the wheel and nothing else."""
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = dist.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    done = run(*pip, "--no-deps", "--no-index", "--target", target, wheel, cwd=target)
    assert done.returncode == 0, done.stderr
    return target


def shipped() -> set[str]:
    """Return what a wheel must hold, by its path in it."""
    files = (path for path in (HOUSE / "kannelkit").glob("**/*") if path.suffix in SHIPPED)
    templates = (path for path in (HOUSE / "templates").rglob("*") if path.suffix in SHIPPED)
    return {path.relative_to(HOUSE).as_posix() for path in files if "templates" not in path.parts} | {
        f"kannelkit/{path.relative_to(HOUSE).as_posix()}" for path in templates
    }


def test_wheel_and_sdist_hold_every_module_table_and_template(dist: Path) -> None:
    (wheel,) = dist.glob("*.whl")
    (sdist,) = dist.glob("*.tar.gz")
    assert shipped() - set(zipfile.ZipFile(wheel).namelist()) == set()
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert [member.name for member in members if member.issym()] == []
    inside = {member.name.partition("/")[2] for member in members if member.isfile() or member.islnk()}
    assert shipped() - inside == set()


def test_wheel_generates_elsewhere_from_its_own_templates(installed: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    (elsewhere / "spec.yaml").write_text(SPEC)
    who = "import kannelkit; print(kannelkit.__file__)"
    origin = run(sys.executable, "-c", who, cwd=elsewhere, PYTHONPATH=str(installed))
    assert Path(origin.stdout.strip()).is_relative_to(installed)

    kannelkit = (sys.executable, "-m", "kannelkit")
    made = run(*kannelkit, "generate", "spec.yaml", cwd=elsewhere, PYTHONPATH=str(installed))
    assert made.returncode == 0, made.stderr
    groups = [dict(lines(group)) for group in made.stdout.split("\n\n")]
    links = [group for group in groups if group.get("group") == "smsc" and group["smsc-id"] == "elsewhere"]
    assert "elsewhere-park" in {link["smsc-admin-id"] for link in links}
    assert {link["host"] for link in links} - {"127.0.0.1"}, "the provider's table gave no host"


def lines(group: str) -> list[tuple[str, str]]:
    """Return the directives of one group of a kannel.conf, in order."""
    pairs = (line.partition("=") for line in group.splitlines() if not line.startswith("#"))
    return [(name.strip(), value.strip().strip('"')) for name, equals, value in pairs if equals]


def test_installed_command_knows_its_version(installed: Path, tmp_path: Path) -> None:
    answer = run(installed / "bin" / "kannelkit", "--version", cwd=tmp_path, PYTHONPATH=str(installed))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("kannelkit, version ")
