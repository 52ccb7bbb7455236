"""Imports go one way, and what decides touches neither sockets, processes, the clock nor chance."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "kannelkit"

# from the top down: a room imports rooms of lower layers only
LAYERS = (
    ("__main__",),
    ("cli",),
    ("supervise", "demo", "health", "doctor", "simulator", "relay"),
    ("gateway", "host", "certs"),
    ("render", "lint", "plan", "importing", "throttle", "failover", "pacing"),
    ("spec", "providers", "conf", "smpp"),
    ("findings", "errors"),
)
PURE_FROM = LAYERS.index(("render", "lint", "plan", "importing", "throttle", "failover", "pacing"))

# (who, whom) within one layer -> why it may
NEIGHBOURS = {
    ("errors", "findings"): "an InputError carries findings",
    ("spec", "providers"): "`provider:` in a spec fills in what the provider's table knows",
    ("spec", "conf"): "the keys of a spec are Kannel's directives, with the types Kannel gives them",
    ("providers", "conf"): "a provider's table sets directives, and Kannel's own table says which there are",
    ("providers", "smpp"): "a status is read from the text and the TLVs of a receipt",
    ("importing", "render"): "an import renders the spec it made, to see that Kannel would read the same groups",
    ("demo", "simulator"): "the demo runs the simulator as the provider",
    ("demo", "supervise"): "the demo shows what the supervisor gains",
    ("doctor", "supervise"): "the doctor asks how the gateway stands, and connects and binds as its links do",
    ("gateway", "host"): "a bind of our own is made to the address, and with the login, that a link of Kannel's has",
    ("supervise", "relay"): "the relay is started and watched by the supervisor, and asked through its own socket",
    ("health", "supervise"): "health judges how a gateway stands, and supervise has the words for that",
}

# modules that reach out of the process, read the clock or throw dice
# fmt: off
IMPURE_MODULES = frozenset({
    "_socket", "_ssl", "_thread", "aiohttp", "asyncio", "concurrent", "ctypes", "fcntl", "ftplib", "http",
    "imaplib", "logging.handlers", "mmap", "multiprocessing", "poplib", "psutil", "pty", "random", "resource",
    "sched", "secrets", "select", "selectors", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl",
    "subprocess", "syslog", "tempfile", "threading", "time", "urllib.request", "uuid",
})
# fmt: on
# what `os` has that only computes; everything else of it asks or changes the operating system
PURE_OF_OS = frozenset({"path", "fspath", "PathLike", "sep", "linesep"})
CLOCK_READINGS = frozenset({"now", "utcnow", "today"})
DYNAMIC_IMPORTS = frozenset({"import_module", "__import__"})


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name with its dots: `from a.b import c` is `a.b.c`, for c may be a module."""

    target: str
    line: int


def imports(source: str, module: str, is_package: bool) -> Iterator[Import]:
    """Yield what the module's source imports, at its top or inside a function, relative names made whole."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")
                base = ".".join([*parents[: len(parents) - node.level + 1], *filter(None, [node.module])])
            for alias in node.names:
                yield Import(f"{base}.{alias.name}", node.lineno)


def room_of(module: str) -> str:
    """Return the room of a dotted name inside kannelkit, and "" for the package itself."""
    return [*module.split("."), ""][1]


def layer_of(room: str) -> int | None:
    """Return the index of the room's layer, or None for a room that no layer names."""
    return next((index for index, rooms in enumerate(LAYERS) if room in rooms), None)


def wrong_directions(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield a sentence for each import of another room that the layers do not allow."""
    room = room_of(module)
    mine = layer_of(room)
    if room and mine is None:
        yield f"{module}: the room `{room}` stands in no layer"
        return
    for found in imports(source, module, is_package):
        if found.target.split(".")[0] != "kannelkit":
            continue
        other = room_of(found.target)
        theirs = layer_of(other)
        if theirs is None or other == room:
            if theirs is None and found.target.count(".") > 1:
                yield f"{module}:{found.line}: the room `{other}` stands in no layer"
            continue  # a name of the package itself, such as __version__
        if mine is None:
            yield f"{module}:{found.line}: the package itself imports no room, and here is {found.target}"
        elif theirs < mine:
            yield f"{module}:{found.line}: `{room}` is below `{other}` and must not know it"
        elif theirs == mine and (room, other) not in NEIGHBOURS:
            yield f"{module}:{found.line}: `{room}` and `{other}` are neighbours and must not know each other"


def impurities(source: str, module: str, is_package: bool = False) -> Iterator[str]:
    """Yield a sentence for each use of the outside world in a module that must be pure."""
    tree = ast.parse(source)
    os_names = {"os"}
    for found in imports(source, module, is_package):
        for forbidden in IMPURE_MODULES:
            if found.target == forbidden or found.target.startswith(f"{forbidden}."):
                yield f"{module}:{found.line}: imports {forbidden}"
        first, _, rest = found.target.partition(".")
        if first == "os" and rest and rest.split(".")[0] not in PURE_OF_OS:
            yield f"{module}:{found.line}: imports os.{rest}"
        if found.target.rpartition(".")[2] in DYNAMIC_IMPORTS:
            yield f"{module}:{found.line}: imports what it does not name"
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            os_names |= {alias.asname for alias in node.names if alias.name == "os" and alias.asname}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in os_names and node.attr not in PURE_OF_OS:
                yield f"{module}:{node.lineno}: uses os.{node.attr}"
            if node.attr in CLOCK_READINGS and _names_a_date(node.value):
                yield f"{module}:{node.lineno}: reads the clock with .{node.attr}"
            if node.attr in DYNAMIC_IMPORTS:
                yield f"{module}:{node.lineno}: imports what it does not name"
        elif isinstance(node, ast.Name) and node.id == "__import__":
            yield f"{module}:{node.lineno}: imports what it does not name"


def _names_a_date(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name in ("datetime", "date")


def loaded_at_import(source: str, module: str, is_package: bool) -> set[str]:
    """Return the names that importing the module imports at once, not in functions or for types only."""
    tree = ast.parse(source)
    keep: list[ast.stmt] = []
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.Import | ast.ImportFrom):
            keep.append(statement)
        elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            waiting.extend(statement.orelse)
        elif isinstance(statement, ast.If | ast.Try | ast.With | ast.ClassDef):
            waiting.extend(child for child in ast.walk(statement) if isinstance(child, ast.Import | ast.ImportFrom))
    text = ast.unparse(ast.Module(body=keep, type_ignores=[]))
    return {found.target for found in imports(text, module, is_package)}


def modules() -> dict[str, Path]:
    """Return every module of kannelkit by its dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()
PURE_MODULES = [name for name in MODULES if (layer_of(room_of(name)) or 0) >= PURE_FROM]


@pytest.mark.parametrize("name", MODULES)
def test_rooms_know_only_what_is_below_them(name: str) -> None:
    path = MODULES[name]
    assert list(wrong_directions(path.read_text(), name, path.name == "__init__.py")) == []


@pytest.mark.parametrize("name", PURE_MODULES)
def test_what_decides_is_pure(name: str) -> None:
    path = MODULES[name]
    assert list(impurities(path.read_text(), name, path.name == "__init__.py")) == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph: dict[str, set[str]] = {}
    for name, path in MODULES.items():
        targets = loaded_at_import(path.read_text(), name, path.name == "__init__.py")
        # `a.b.c` is the module of that name, or else the name c of the module a.b
        known = {target if target in MODULES else target.rpartition(".")[0] for target in targets}
        graph[name] = (known & MODULES.keys()) - {name}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError with the cycle in it


def test_every_exception_is_used() -> None:
    used = set()
    for name, path in MODULES.items():
        found = imports(path.read_text(), name, path.name == "__init__.py")
        used |= {(room_of(name), room_of(each.target)) for each in found if each.target.startswith("kannelkit.")}
    assert set(NEIGHBOURS) - used == set()


WRONG_DIRECTIONS = [
    ("kannelkit.throttle.window", "from kannelkit.supervise import boxes"),
    ("kannelkit.throttle.window", "import kannelkit.supervise.boxes"),
    ("kannelkit.throttle.window", "from kannelkit import supervise"),
    ("kannelkit.throttle.window", "from ..supervise import boxes"),
    ("kannelkit.throttle.window", "def late():\n    from kannelkit.cli import main"),
    ("kannelkit.throttle.window", "from kannelkit.render import text"),
    ("kannelkit.providers.tables", "from kannelkit.spec import model"),
    ("kannelkit.findings", "from kannelkit.errors import HostError"),
    ("kannelkit.host.files", "from kannelkit.gateway.status import read"),
    ("kannelkit", "from kannelkit.errors import HostError"),
    ("kannelkit.attic.box", "x = 1"),
    ("kannelkit.cli.up", "from kannelkit.attic.box import x"),
]
RIGHT_DIRECTIONS = [
    ("kannelkit.errors", "from kannelkit.findings import Finding"),
    ("kannelkit.cli.up", "from kannelkit import __version__\nfrom kannelkit.supervise import boxes"),
    ("kannelkit.spec.load", "from kannelkit.providers import tables\nfrom .model import Spec\nimport yaml"),
    (
        "kannelkit.supervise.boxes",
        "import asyncio, kannelkit.errors\nfrom kannelkit.throttle import window",
    ),
]


@pytest.mark.parametrize(("module", "source"), WRONG_DIRECTIONS)
def test_a_wrong_direction_is_seen(module: str, source: str) -> None:
    assert len(list(wrong_directions(source, module))) == 1


@pytest.mark.parametrize(("module", "source"), RIGHT_DIRECTIONS)
def test_a_right_direction_is_let_through(module: str, source: str) -> None:
    assert list(wrong_directions(source, module)) == []


IMPURE = [
    "import socket",
    "import asyncio.subprocess",
    "import urllib.request",
    "from urllib import request",
    "from concurrent.futures import Future",
    "def f():\n    from time import monotonic",
    "import random as dice",
    "import os\nhome = os.environ",
    "import os as system\nhome = system.getenv('HOME')",
    "from os import environ",
    "import datetime\nx = datetime.datetime.now(datetime.UTC)",
    "from datetime import date\nx = date.today()",
    "import importlib\nx = importlib.import_module('socket')",
    "x = __import__('socket')",
]
PURE = [
    "import datetime\nx = datetime.datetime.fromisoformat('2026-01-01')",
    "import os\nx = os.path.join('a', os.fspath('b'))",
    "from os.path import join\nfrom urllib.parse import quote",
    "import timeit_like_name\nfrom pathlib import Path",
    "now = decision.now",
]


@pytest.mark.parametrize("source", IMPURE)
def test_the_outside_world_is_seen(source: str) -> None:
    assert list(impurities(source, "kannelkit.throttle.window"))


@pytest.mark.parametrize("source", PURE)
def test_what_only_computes_is_let_through(source: str) -> None:
    assert list(impurities(source, "kannelkit.throttle.window")) == []
