"""What a row of the table of directives says, in words for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from kannelkit.conf import Directive
from kannelkit.conf.table import Change, Kind
from kannelkit.spec import defaults

_KINDS: Mapping[Kind, str] = MappingProxyType(
    {
        "text": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "seconds": "seconds",
        "port": "port",
        "host": "host",
        "file": "file",
        "folder": "folder",
        "url": "URL",
        "regex": "regular expression",
    }
)
_SEPARATORS = MappingProxyType({" ": "blanks", ";": "semicolons", ",": "commas"})


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return the words as a person lists them: a, b and c."""
    return f" {last} ".join(part for part in (", ".join(words[:-1]), words[-1]) if part) if words else ""


def type_words(directive: Directive) -> str:
    """Return what the directive takes: `whole number, 0 to 3`, `one of a, b`, `text, at most 8 octets for smpp`."""
    words = f"one of {', '.join(directive.one_of)}" if directive.one_of else _KINDS[directive.kind]
    return "".join([words, *(f", {part}" for part in _bounds(directive))])


def _bounds(directive: Directive) -> Iterator[str]:
    least, most = directive.least, directive.most
    if least is not None and most is not None:
        yield f"{least} to {most}"
    elif least is not None and (least or directive.kind != "seconds"):
        yield f"at least {least}"
    elif most is not None:
        yield f"at most {most}"
    if directive.hexadecimal:
        yield f"also as 0x{most or 0:02X}"
    if directive.octets is not None:
        yield f"at most {directive.octets} octets for smpp"
    if directive.separator:
        yield f"a list separated by {_SEPARATORS[directive.separator]}"
    if directive.filled:
        yield "not empty"
    for kind, values in directive.one_of_for.items():
        yield f"for {kind} one of {', '.join(values)}"


def change_words(change: tuple[Change, ...]) -> str:
    """Return what has to happen before a new value counts, and what that disturbs."""
    if "routing" in change:
        return "a reload, and every bind stays"
    if "link" in change:
        return "a new link, with a new bind"
    return f"a restart of {listed(change)}" if change else "nothing: no box reads it"


def kannelkit_default(group: str, name: str) -> str | None:
    """Return what kannelkit writes where a spec leaves the directive out, or nothing where it leaves it to Kannel.

    For group smsc it is what an SMPP account gets that names no provider; paths begin with `state-dir`.
    """
    state_dir = Path("state-dir")
    filled: Mapping[str, Mapping[str, str]] = {
        "core": defaults.core(state_dir, {}),
        "smsbox": defaults.smsbox(state_dir),
        "smsc": defaults.smpp({}),
    }
    return filled.get(group, {}).get(name)


def shown(value: str) -> str:
    """Return the value as it stands in a sentence; an empty text is told as one."""
    return value or '""'
