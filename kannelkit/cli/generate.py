"""`kannelkit generate`: the kannel.conf that a spec stands for."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import click

from kannelkit.conf import GROUPS
from kannelkit.errors import HostError
from kannelkit.host.files import write_whole
from kannelkit.host.secrets import keep, kept
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, load

_MASK = "***"
_LONG = 5_000  # lines
# Shorter ones would mask half of the text; those of directives that are secret are masked by the directive's name.
_TELLING = 4  # characters
_SECRET_NAMES = frozenset(
    name for group in GROUPS.values() for name, directive in group.directives.items() if directive.secret
)


@click.command(short_help="Print or write the kannel.conf that a spec stands for.")
@click.argument("spec", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write to this file, mode 0640, instead of printing."
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
        write_whole(output, text, 0o640)
        click.echo(f"wrote {output}", err=True)


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
    for line in masked_diff(found, wanted, str(output), spec.secrets() | frozenset(made.values())):
        click.echo(line)
    return 1


def masked_diff(found: str, wanted: str, name: str, secrets: frozenset[str]) -> Iterator[str]:
    """Yield the unified diff between two texts with every password in either of them masked."""
    old, new = found.split("\n"), wanted.split("\n")
    # Alike lines of alike groups are no junk; only in a very long file they are left out, since they cost minutes.
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=len(new) > _LONG)
    old, new = list(_masked(old, secrets)), list(_masked(new, secrets))
    yield f"--- {name}"
    yield "+++ what the spec stands for"
    for operations in matcher.get_grouped_opcodes(2):
        first, last = operations[0], operations[-1]
        yield f"@@ -{first[1] + 1},{last[2] - first[1]} +{first[3] + 1},{last[4] - first[3]} @@"
        for tag, old_from, old_to, new_from, new_to in operations:
            if tag == "equal":
                yield from (f" {line}" for line in old[old_from:old_to])
            else:
                yield from (f"-{line}" for line in old[old_from:old_to])
                yield from (f"+{line}" for line in new[new_from:new_to])


def _masked(lines: Iterable[str], secrets: frozenset[str]) -> Iterator[str]:
    hidden = False
    for line in lines:
        name, equals, _ = line.partition("=")
        goes_on = hidden  # the line above ends in a backslash, and is one with this
        hidden = goes_on or (bool(equals) and name.strip() in _SECRET_NAMES)
        if hidden:
            yield _MASK if goes_on else f"{name.rstrip()} = {_MASK}"
            hidden = line.endswith("\\")
            continue
        for secret in (secret for secret in secrets if len(secret) >= _TELLING):
            line = line.replace(secret, _MASK)
        yield line.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
