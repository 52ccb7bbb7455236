"""`kannelkit systemd SPEC`: what a machine needs to run a spec as a service."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shlex
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

import kannelkit
from kannelkit.cli.variables import AnyVariable
from kannelkit.errors import HostError, InputError, KannelkitError
from kannelkit.host.files import make_folder, write_whole
from kannelkit.render.units import KANNEL_USER, MARK, USER, Job, MachineFile, Wanted, machine_files, read, rotated
from kannelkit.spec import lacking, load
from kannelkit.spec.source import Node, Scalar, Table, compose, decoded
from kannelkit.spec.source import Sequence as Items

_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# what Debian's package kannel brings
_DEBIANS_SCRIPT = Path("/etc/init.d/kannel")
_DEBIANS_ROTATION, _DEBIANS_LOGS = Path("/etc/logrotate.d/kannel"), Path("/var/log/kannel")


@click.command("systemd")
@click.argument("spec", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--watch", is_flag=True, help="For a Kannel that something else runs: the unit runs kannelkit watch.")
@click.option(
    "--healthd",
    is_flag=True,
    help="Only to be looked at: the unit runs kannelkit healthd. Those of up and watch answer over HTTP themselves.",
)
@click.option(
    "--user",
    metavar="NAME",
    help=f"Whom it runs as; {USER} otherwise, and {KANNEL_USER} for a Kannel that something else runs.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the files below this folder, each where it belongs; / is this machine.",
)
def command(spec: Path, watch: bool, healthd: bool, user: str | None, output: Path | None) -> None:
    """Print the files that run SPEC as a service of systemd, or write them, all or none.

    A hardened unit, a user of its own, folders that the unit does not make, and the rotation of the logs. What to do
    with them is told on stderr. Environment variables that SPEC names need not be set, and no secret is in any of the
    files.
    """
    if user is not None and not _USER.fullmatch(user):
        raise click.BadParameter("that is no name of a user", param_hint="--user")
    if watch and healthd:
        raise click.UsageError("--watch and --healthd are two units: ask for one after the other")
    wanted = _wanted(spec, "watch" if watch else "healthd" if healthd else "up", user)
    files = machine_files(wanted)
    if output is None:
        click.echo("\n".join(f"# {file.path}\n{file.text}" for file in files), nl=False)
    else:
        write_all(files, output)
        for file in files:
            click.echo(f"wrote {_at(output, file.path)}", err=True)
    click.echo("\nNext:", err=True)
    for step in _steps(wanted, files, output):
        click.echo(f"  {step}", err=True)


def _wanted(path: Path, job: Job, user: str | None) -> Wanted:
    environment = AnyVariable()
    spec = load(path, environment)
    conf_file = spec.supervisor.conf_file
    user = user or (USER if conf_file is None else KANNEL_USER)
    if job != "healthd" and (conf_file is None) == (job == "watch"):
        raise KannelkitError(f"{path}: {_OTHERWISE[job]}", _INSTEAD[job])
    if missing := lacking(spec):
        raise InputError(missing)
    try:
        group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    except KeyError:
        group = user  # systemd-sysusers makes both
    beside = Path(sys.executable).with_name("kannelkit")
    program = (str(beside),) if beside.exists() else (sys.executable, "-m", "kannelkit")
    root = compose(decoded(path.read_bytes(), str(path)), str(path))
    named = tuple(spec.path.parent / name for name in (*_profiles(root), *_secrets(root)))
    # the interpreter of a virtual environment is a link, often to somebody's home
    parts = (Path(sys.executable), Path(os.path.realpath(sys.executable)), Path(kannelkit.__file__))
    writes = (Path(os.path.realpath(conf_file)).parent,) if job == "watch" and conf_file is not None else ()
    return Wanted(spec, job, program, user, group, environment.asked, named, writes, parts)


_OTHERWISE: Mapping[Job, str] = {
    "up": "supervisor.conf-file says that something else runs this Kannel",
    "watch": "the spec does not say which kannel.conf the running bearerbox reads",
}
_INSTEAD: Mapping[Job, str] = {
    "up": "take it with --watch; or, to have kannelkit run it, remove conf-file",
    "watch": "write it into the spec, for instance supervisor: {conf-file: /etc/kannel/kannel.conf}",
}


def _profiles(root: Node | None) -> Iterator[str]:
    """Yield the files with profiles of providers that a spec names."""
    for key, value in root.pairs if isinstance(root, Table) else ():
        if key.text == "providers":
            entries = value.items if isinstance(value, Items) else (value,)
            yield from (entry.text for entry in entries if isinstance(entry, Scalar))


def _secrets(node: Node | None, directive: bool = False) -> Iterator[str]:
    """Yield the files that hold a spec's secrets: what a directive has for a value is `{file: NAME}`."""
    if isinstance(node, Items):
        for item in node.items:
            yield from _secrets(item)
    elif isinstance(node, Table):
        if directive and [key.text for key, _ in node.pairs] == ["file"] and isinstance(node.pairs[0][1], Scalar):
            yield node.pairs[0][1].text
        for _, value in node.pairs:
            yield from _secrets(value, directive=True)


def write_all(files: Sequence[MachineFile], root: Path) -> None:
    """Write every file below `root`, mode 0644, or none. Raises HostError.

    A file that is there is replaced only where `kannelkit systemd` made it.
    """
    places = [(_at(root, file.path), file.text) for file in files]
    former = {path: _former(path) for path, _ in places}
    written: list[Path] = []
    try:
        for path, text in places:
            make_folder(path.parent, 0o755)
            write_whole(path, text, 0o644)
            written.append(path)
    except HostError:
        for path in written:
            before = former[path]
            if before is None:
                path.unlink(missing_ok=True)
            else:
                write_whole(path, before, 0o644)
        raise


def _at(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _former(path: Path) -> bytes | None:
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", "name another folder, or run as root") from error
    if not octets.startswith(f"# {MARK}".encode()):
        raise HostError(f"{path} is there, and kannelkit did not make it", "move it away, or name another folder")
    return octets


# -- what to do next


def _steps(wanted: Wanted, files: Sequence[MachineFile], output: Path | None) -> Iterator[str]:
    """Yield the commands, as root, that make a service of the files; what has to be thought about begins with `#`."""
    paths = [str(file.path) for file in files]
    spec = shlex.quote(str(wanted.spec.path))
    if output is None:
        yield shlex.join(["kannelkit", "systemd", str(wanted.spec.path)]) + " -o /   # writes the files"
    elif Path(os.path.abspath(output)) != Path("/"):
        yield f"cp -rT {shlex.quote(str(output))} /"
    if any(path.startswith("/etc/sysusers.d/") for path in paths):
        yield "systemd-sysusers"
    if any(path.startswith("/etc/tmpfiles.d/") for path in paths):
        yield "systemd-tmpfiles --create"
    if wanted.variables and not wanted.variables_file.exists():
        yield (
            f"install -m 600 /dev/null {shlex.quote(str(wanted.variables_file))}   "
            f"# and write into it {', '.join(f'{name}=...' for name in wanted.variables)}, a line each"
        )
    closed = sorted({str(part) for path in read(wanted) for part in closed_to(wanted.user, path)})
    if hidden := sorted({str(part) for path in wanted.parts for part in closed_to(wanted.user, path)}):
        yield f"# {wanted.user} may not enter {', '.join(hidden)}: install kannelkit elsewhere, as in /opt/kannelkit"
    if closed:
        names = shlex.join(closed)
        give = (
            f"chgrp {wanted.group} {names} && chmod g+rX"
            if wanted.own_group
            else f"chown {wanted.user} {names} && chmod u+rX"
        )
        yield f"{give} {names}   # {wanted.user} has to read them"
    if wanted.job == "up" and _DEBIANS_SCRIPT.exists():
        # --now stops nothing here: systemctl leaves a script to systemd-sysv-install, which only disables it
        yield "systemctl stop kannel; systemctl disable kannel   # Debian's own gateway, where it is not needed"
    if any(log.is_relative_to(_DEBIANS_LOGS) for log in rotated(wanted.spec)) and wanted.job == "up":
        yield f"mv {_DEBIANS_ROTATION} {_DEBIANS_ROTATION}.disabled   # it rotates the same logs, with SIGHUP"
    if wanted.job == "healthd":
        yield "# only where neither kannelkit up --health nor kannelkit watch --health runs: they answer themselves"
    if wanted.job == "watch":
        yield from _granted(wanted)
        yield f"# in {_DEBIANS_ROTATION}, instead of killall -HUP, which reads the configuration again every night:"
        yield f"#     {shlex.join([*wanted.program, 'reopen-logs', str(wanted.spec.path)])}"
    yield f"systemctl daemon-reload && systemctl enable --now {wanted.name}"
    yield f"kannelkit {'health' if wanted.job == 'healthd' else 'status'} {spec}"


def _granted(wanted: Wanted) -> Iterator[str]:
    """Yield what makes the watched kannel.conf the user's own: it is replaced whole, and keeps owner and group."""
    conf_file = wanted.spec.supervisor.conf_file
    if conf_file is None:
        return
    target = Path(os.path.realpath(conf_file))
    uid, groups = _identity(wanted.user)
    foreign = [path for path in (target.parent, target) if path.exists() and path.stat().st_uid != uid]
    if foreign or (target.exists() and target.stat().st_gid not in groups):
        names = shlex.join([str(target.parent), str(target)])
        yield (
            f"chown {wanted.user}: {names} && chmod 600 {shlex.quote(str(target))}   "
            "# kannelkit watch writes the rates in force there"
        )


def _identity(user: str) -> tuple[int, set[int]]:
    """Return a user's number and those of its groups; one that is still to be made is -1 and owns nothing."""
    try:
        entry = pwd.getpwnam(user)
    except KeyError:
        return -1, set()
    return entry.pw_uid, set(os.getgrouplist(user, entry.pw_gid))


def closed_to(user: str, path: Path) -> Iterator[Path]:
    """Yield the file, and the folders above it, that keep a user from reading the file.

    What is not there keeps nobody from anything.
    """
    uid, groups = _identity(user)
    path = Path(os.path.abspath(path))
    for part in (*reversed(path.parents), path):
        try:
            found = part.stat()
        except OSError:
            return
        needed = stat.S_IXOTH if stat.S_ISDIR(found.st_mode) else stat.S_IROTH
        if found.st_uid == uid:
            needed <<= 6
        elif found.st_gid in groups:
            needed <<= 3
        if uid != 0 and not found.st_mode & needed:
            yield part
