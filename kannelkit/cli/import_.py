"""`kannelkit import`: an existing kannel.conf to a spec."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from kannelkit.conf import opener
from kannelkit.errors import HostError
from kannelkit.host.files import make_folder, write_whole
from kannelkit.importing import Imported, imported


@click.command(short_help="Turn an existing kannel.conf into a spec.")
@click.argument("conf", type=click.Path())
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the spec to this file, mode 0600.")
@click.option(
    "--secrets-dir",
    type=click.Path(path_type=Path),
    help="Write each password to a file of its own in this folder, and its name into the spec. Needs -o.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON on standard output. Needs -o.")
def command(conf: str, output: Path | None, secrets_dir: Path | None, force: bool, as_json: bool) -> None:
    """Turn CONF, a kannel.conf, and every file that it includes, into a spec.

    `kannelkit generate` makes of the spec a file with the same groups; only an SMPP account's links are written out one
    by one, beside links that stand by. What differs, what is left out and what to mend is told on standard error.

    Like Kannel, it looks for relative names of included files from the folder that it is started in.
    """
    if output is None and (secrets_dir is not None or as_json):
        raise click.UsageError("--secrets-dir and --json need a file for the spec: -o FILE")
    spec_path = output or Path("gateway.yaml")
    if output is not None and os.path.lexists(output):
        if not force:
            raise _there(output)
        if os.path.exists(conf) and os.path.exists(output) and os.path.samefile(conf, output):
            raise click.UsageError("the spec would take the place of the kannel.conf it is made of: name another file")
    made = imported(conf, opener(), spec_path, _relative(secrets_dir, spec_path))
    if output is None:
        click.echo(made.text, nl=False)
    else:
        _write(made, output, secrets_dir, force)
    if as_json:
        click.echo(json.dumps({"spec": str(output), "secrets": len(made.secrets), **made.report.table()}, indent=2))
    else:
        for line in made.report.lines(shlex.quote(str(spec_path))):
            click.echo(line, err=True)
    if made.holds_secrets:
        where = "what is printed" if output is None else f"{output}, mode 0600,"
        instead = "" if secrets_dir is not None else ", or write them to files with --secrets-dir"
        click.echo(f"\n{where} holds passwords: keep it from others{instead}", err=True)


def _relative(folder: Path | None, spec_path: Path) -> str | None:
    """Return how the spec calls the folder: relative to its own where it is below that, else absolute."""
    if folder is None:
        return None
    whole, home = folder.absolute(), spec_path.absolute().parent
    return str(whole.relative_to(home)) if whole.is_relative_to(home) else os.path.normpath(whole)


def _there(path: Path) -> HostError:
    return HostError(f"{path} is there already", "move it away, name another one, or overwrite it with --force")


def _write(made: Imported, output: Path, secrets_dir: Path | None, force: bool) -> None:
    """Write the secrets, then the spec: all of them, or none. Raises HostError."""
    texts = {secrets_dir / name: f"{secret}\n" for name, secret in made.secrets.items()} if secrets_dir else {}
    texts[output] = made.text
    if not force and (taken := next(filter(os.path.lexists, texts), None)):
        raise _there(taken)
    if secrets_dir is not None and made.secrets:
        make_folder(secrets_dir, 0o700)
    with _all_or_none(texts) as written:
        for path, text in texts.items():
            write_whole(path, text, 0o600, replace=force)
            written.append(path)


@contextlib.contextmanager
def _all_or_none(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Put every file that the block names as written back as it was, or away, when the block raises."""
    try:
        former = {path: (path.read_bytes(), path.stat().st_mode & 0o777) for path in paths if path.is_file()}
    except OSError as error:
        raise HostError(f"cannot read {error.filename}: {error.strerror}", "look at its owner and mode") from error
    written: list[Path] = []
    try:
        yield written
    except BaseException:
        for path in written:
            with contextlib.suppress(OSError, HostError):  # the first error is the one to tell
                if path in former:
                    write_whole(path, *former[path])
                else:
                    path.unlink()
        raise
