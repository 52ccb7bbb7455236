"""What a machine needs to run a spec as a service: units for systemd, user, folders, rotation of the logs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from kannelkit.conf import GROUPS
from kannelkit.errors import KannelkitError
from kannelkit.render.lines import comment
from kannelkit.spec import Spec
from kannelkit.spec.model import Group

if TYPE_CHECKING:
    from jinja2 import Environment

Job = Literal["up", "watch", "healthd"]

USER = "kannelkit"
# every file that is made begins with it, so that another one is not mistaken for it
MARK = "Made by kannelkit systemd"

# Debian's Kannel runs as this user, from a script that systemd takes for a unit of this name (package kannel)
KANNEL_USER, KANNEL_UNIT = "kannel", "kannel.service"

# below these systemd itself makes a service's folders, and gives them to its user
_MANAGED = {"StateDirectory": Path("/var/lib"), "LogsDirectory": Path("/var/log")}
# their modes where the user's group is not its own; what is in /var/log is protected by its files' modes
_MODES = {"StateDirectory": "0700", "LogsDirectory": "0755"}
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # noqa: S108 - compared, nothing is written there
# directives of the kind `file` that a box writes; it reads the others
_WRITTEN = frozenset({"log-file", "access-log", "store-file", "store-location", "database"})
# the groups of the boxes that kannelkit runs, and of their links: their logs are its to rotate
_ROTATED = ("core", "smsbox", "smsc")


@dataclass(frozen=True, slots=True)
class _Work:
    """What one of kannelkit's commands does as a service.

    `behind` is the unit that it starts after. What not `writes` only looks, and takes no new spec on by a signal.
    `tail` is what its unit's name ends in, so that it can stand beside another one of the same spec.
    """

    said: str
    runs_boxes: bool
    behind: str = ""
    writes: bool = True
    options: tuple[str, ...] = ("--health",)
    tail: str = ""


_WORK: Mapping[Job, _Work] = {
    "up": _Work("run", runs_boxes=True),
    "watch": _Work("watched", runs_boxes=False, behind=KANNEL_UNIT),
    "healthd": _Work("looked at", False, KANNEL_UNIT, writes=False, options=(), tail="-healthd"),
}

# two boxes, one behind the other, each with 40 s to stop in order (supervise/boxes.py), and some for what is under way
STOP_SECONDS = 100


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the units are for: `program` starts kannelkit, `user` and `group` are whom it runs as.

    `variables` are the environment variables that hold the spec's secrets; `reads` are files that it names outside
    Kannel's directives: secrets and profiles of providers; `writes` are folders of others. `parts` are what `program`
    consists of: the interpreter, the end of its links, and kannelkit.
    """

    spec: Spec
    job: Job
    program: tuple[str, ...]
    user: str
    group: str
    variables: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()
    writes: tuple[Path, ...] = ()
    parts: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """Return what the unit is called, without `.service`; the spec's name tells two gateways apart."""
        stem = re.sub(r"[^A-Za-z0-9_.-]", "-", self.spec.path.stem).strip("-.")
        return (f"kannelkit-{stem}" if stem else "kannelkit") + self.work.tail

    @property
    def work(self) -> _Work:
        """Return what the command does."""
        return _WORK[self.job]

    @property
    def own_group(self) -> bool:
        """Return whether the group is the user's own: Debian's kannel is in nogroup, with whatever else is."""
        return self.group == self.user

    @property
    def variables_file(self) -> Path:
        """Return where the unit looks for the environment variables."""
        return self.spec.path.with_suffix(".env")


@dataclass(frozen=True, slots=True)
class MachineFile:
    """One file for the machine; `path` is where it belongs."""

    path: Path
    text: str


def machine_files(wanted: Wanted) -> tuple[MachineFile, ...]:
    """Return every file that running the spec as a service takes.

    Raises KannelkitError where a folder of the whole machine would have to be the service's own, or where a name
    cannot be written in one of the files.
    """
    spec, name = wanted.spec, wanted.name
    for text in (str(spec.path), *wanted.program):
        if not text.isprintable():
            raise KannelkitError(
                f"no unit can hold the name {text!r}", "move the file to a folder such as /etc/kannelkit"
            )
    shared = {
        "mark": MARK,
        "spec": str(spec.path),
        "user": wanted.user,
        "group": wanted.group,
        "own_group": wanted.own_group,
    }
    folders = _folders(wanted) if wanted.work.writes else []
    plain = [folder for folder in folders if not any(folder.is_relative_to(root) for root in _MANAGED.values())]
    made = {f"/etc/systemd/system/{name}.service": _text("service.j2", **shared, **_service(wanted, folders, plain))}
    if wanted.user == USER:
        made[f"/etc/sysusers.d/{USER}.conf"] = _text("sysusers.j2", **shared)
    if plain:
        made[f"/etc/tmpfiles.d/{name}.conf"] = _text("tmpfiles.j2", **shared, folders=[str(each) for each in plain])
    if wanted.work.runs_boxes and (logs := rotated(spec)):
        reopen = (*wanted.program, "reopen-logs", str(spec.path))
        text = _text("logrotate.j2", **shared, logs=[str(log) for log in logs], reopen=reopen)
        # logrotate passes over names that end as leftovers do, in .old or .disabled for instance
        made[f"/etc/logrotate.d/{name.replace('.', '-')}"] = text
    return tuple(MachineFile(Path(path), text) for path, text in made.items())


def _service(wanted: Wanted, folders: list[Path], plain: list[Path]) -> dict[str, object]:
    """Return what the unit's template asks for, beyond what it shares with the others."""
    spec, work = wanted.spec, wanted.work
    seen = [*folders, *wanted.writes, *read(wanted), *wanted.parts, Path(wanted.program[0])]
    if not work.writes:
        seen += [spec.state_dir, *spec.folders()]
    managed = {directive: _below(folders, root) for directive, root in _MANAGED.items()}
    return {
        "name": wanted.name,
        "description": f"Kannel SMS gateway {spec.path.stem}, {work.said} by kannelkit",
        "after": work.behind,
        "start": (*wanted.program, wanted.job, *work.options, str(spec.path)),
        "runs_boxes": work.runs_boxes,
        "reloads": work.writes,
        "stop_seconds": STOP_SECONDS,
        "watchdog_seconds": _WATCHDOG_SECONDS,
        "variables": wanted.variables,
        "variables_file": str(wanted.variables_file) if wanted.variables else "",
        "managed": {directive: names for directive, names in managed.items() if names},
        "modes": _MODES,
        "writable": [str(folder) for folder in (*plain, *wanted.writes)],
        "low_port": any(port < 1024 for port in _ports(wanted)),
        "at_home": _any_below(seen, _HOMES),
        "in_tmp": _any_below(seen, _TEMPORARY),
        "devices": _devices(spec) if work.runs_boxes else [],
    }


def read(wanted: Wanted) -> tuple[Path, ...]:
    """Return the files that kannelkit and its boxes read, the spec first."""
    spec = wanted.spec
    found = [spec.path, *wanted.reads]
    if spec.health_certificate is not None:
        found.append(spec.health_certificate)
    for group in spec.groups():
        for directive, value in group.values.items():
            if GROUPS[group.name].directives[directive].kind == "file" and directive not in _WRITTEN and value.text:
                found.append(spec.path.parent / value.text)
    if not wanted.work.runs_boxes:
        found += [*spec.supervisor.pid_files.values(), *spec.supervisor.logs]
    return tuple(dict.fromkeys(found))


def rotated(spec: Spec) -> tuple[Path, ...]:
    """Return the logs of the boxes that kannelkit runs, and of their links."""
    logs = (
        spec.path.parent / text
        for group in spec.groups()
        if group.name in _ROTATED
        for directive in ("log-file", "access-log")
        if (text := group.get(directive))
    )
    return tuple(dict.fromkeys(log for log in logs if not log.is_relative_to("/dev")))


def _folders(wanted: Wanted) -> list[Path]:
    """Return the folders that have to be the service's own, none below another."""
    spec = wanted.spec
    folders = {spec.state_dir}
    if wanted.work.runs_boxes:
        folders |= set(spec.folders())
        folders |= {
            (spec.path.parent / text).parent
            for group in spec.groups()
            if "database" in GROUPS[group.name].directives
            and GROUPS[group.name].directives["database"].kind == "file"
            and (text := group.get("database"))
        }
    folders -= {Path("/dev")}
    for folder in sorted(folders):
        # /srv, /var/log: folders of the whole machine, and tmpfiles.d would give them to the gateway's user
        if len(folder.parts) < 3 or folder.parent == Path("/var"):
            raise KannelkitError(
                f"{folder} belongs to the whole machine, and the gateway would write into it",
                f"name a folder of its own in the spec, for instance {folder / USER}",
            )
    kept: list[Path] = []
    for folder in sorted(folders):
        if not any(folder.is_relative_to(above) for above in kept):
            kept.append(folder)
    return kept


def _below(folders: Iterable[Path], root: Path) -> list[str]:
    return [str(folder.relative_to(root)) for folder in folders if folder.is_relative_to(root)]


def _any_below(paths: Iterable[Path], roots: tuple[Path, ...]) -> bool:
    return any(path.is_relative_to(root) for path in paths for root in roots)


def _ports(wanted: Wanted) -> Iterator[int]:
    spec = wanted.spec
    yield spec.health_listen.port
    for group in spec.groups() if wanted.work.runs_boxes else ():
        for directive, value in group.values.items():
            if value.text.isdecimal() and GROUPS[group.name].directives[directive].kind == "port" and _ours(group):
                yield int(value.text)


def _ours(group: Group) -> bool:
    """Return whether the group's ports are listened on here; those of an SMPP link are its provider's."""
    return group.name != "smsc" or group.get("smsc") != "smpp"


def _devices(spec: Spec) -> list[str]:
    """Return the devices of modems."""
    found = (group.get("device") for group in spec.other_smscs)
    return sorted({device for device in found if device and device.startswith("/dev/")})


# -- writing


def _text(template: str, **values: object) -> str:
    return _environment().get_template(f"systemd/{template}").render(**values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # takes long, and only this needs it

    environment = Environment(
        loader=PackageLoader("kannelkit", "templates"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML; each kind of file has its own quoting, below
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )
    environment.filters |= {
        "comment": comment,
        "escaped": _escaped,
        "path": _path,
        "word": _word,
        "command": _command,
        "quoted": _quoted,
        "shell": shlex.join,
    }
    return environment


# longer than the boxes may take to start or to stop, for which the supervisor waits
_WATCHDOG_SECONDS = 90
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@,+=-]+")


def _escaped(text: str) -> str:
    """Return a text in which systemd looks for specifiers, as in Description= (systemd.unit(5))."""
    return text.replace("%", "%%")


def _path(text: str) -> str:
    """Return a path that is the whole of a line, where systemd knows no quotes (EnvironmentFile=)."""
    return _escaped(text)


def _word(text: str) -> str:
    """Return one word of a list as systemd and tmpfiles.d read it (systemd.syntax(7), tmpfiles.d(5))."""
    if _PLAIN_WORD.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_escaped(escaped)}"'


def _command(words: Iterable[str]) -> str:
    """Return a command line as ExecStart= takes it: no shell, but variables (systemd.service(5))."""
    return " ".join(_word(word).replace("$", "$$") for word in words)


def _quoted(text: str) -> str:
    """Return the name of a log as logrotate takes it, which reads names as patterns (logrotate(8))."""
    if not re.fullmatch(r"[^\x00-\x1f\"'\\*?\[\]{}~#]+", text):
        raise KannelkitError(
            f"logrotate would take the name of the log {text!r} for a pattern",
            "give it another name in the spec, of letters, digits, `.`, `-` and `_`",
        )
    return text if _PLAIN_WORD.fullmatch(text) else f'"{text}"'
