"""`kannelkit generate`: the kannel.conf that a spec stands for."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

import click

from kannelkit.errors import HostError
from kannelkit.host.files import write_whole
from kannelkit.host.secrets import keep, kept
from kannelkit.render import kannel_conf
from kannelkit.render.difference import masked_diff
from kannelkit.spec import Spec, load
from kannelkit.spec.model import MADE_PORT


@click.command(short_help="Print or write the kannel.conf that a spec stands for.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Write to this file, mode 0640, instead of printing; its owner and group stay, a symbolic link is followed.",
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1, with a diff, when the file given with -o differs.")
@click.pass_context
def command(ctx: click.Context, spec: Path, output: Path | None, check: bool) -> None:
    """Print or write the kannel.conf that SPEC stands for.

    Passwords that SPEC leaves out are made at random once and kept in its state-dir. Rates that the supervisor has
    learnt are never in it: they are in the file that the supervisor writes for itself.
    """
    if check and output is None:
        raise click.UsageError("--check needs the file to compare with: -o FILE")
    loaded = load(spec, os.environ)
    if check and output is not None:
        ctx.exit(_compare(loaded, output))
    text = kannel_conf(loaded, made=keep(loaded.state_dir, loaded.to_make()))
    if output is None:
        click.echo(text, nl=False)
    else:
        _write(output, text)
        click.echo(f"wrote {output}", err=True)


def _write(output: Path, text: str) -> None:
    """Write the file, and where `output` is a symbolic link, the one that it leads to. Raises HostError."""
    target = output
    if output.is_symlink():
        try:
            # opened by the kernel, which follows nobody else's link in a folder like /tmp (fs.protected_symlinks)
            descriptor = os.open(output, os.O_PATH | os.O_CLOEXEC)
        except OSError as error:
            hint = "make the file it leads to, or remove the link"
            raise HostError(f"cannot follow the symbolic link {output}: {error.strerror}", hint) from error
        try:
            target = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise HostError(f"{output} leads to what is no file", "name a file, or leave -o out to have it printed")
        finally:
            os.close(descriptor)
    write_whole(target, text, 0o640, keep_owner=True)


def _passwords(made: Mapping[str, str]) -> frozenset[str]:
    return frozenset(text for name, text in made.items() if not name.endswith(MADE_PORT))


def _compare(spec: Spec, output: Path) -> int:
    made = dict.fromkeys(spec.to_make(), "not made yet") | dict(kept(spec.state_dir))
    wanted = kannel_conf(spec, made=made)
    try:
        found = output.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        click.echo(f"{output} is not there", err=True)
        return 1
    except OSError as error:
        raise HostError(f"cannot read {output}: {error.strerror}", "look at its owner and mode") from error
    if found == wanted:
        return 0
    for line in masked_diff(found, wanted, str(output), spec.secrets() | _passwords(made)):
        click.echo(line)
    return 1
