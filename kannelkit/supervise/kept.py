"""The spec that the boxes run with, kept in the state-dir, passwords and all, for whoever supervises them next.

The spec file may be another one by then, its secrets somewhere else, and the gateway still runs with this one. Mode
0600. Written before the boxes start from it, and replaced when a change of it has been applied in full.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import json
import types
import typing
from pathlib import Path
from typing import Any

from kannelkit.errors import HostError
from kannelkit.host.files import write_whole
from kannelkit.spec import Spec

FILE = "running.json"
_VERSION = 1


def keep(spec: Spec) -> None:
    """Keep the spec in its state-dir. Raises HostError."""
    whole = {"version": _VERSION, "spec": _plain(spec)}
    write_whole(spec.state_dir / FILE, json.dumps(whole) + "\n", 0o600)


def kept(state_dir: Path) -> Spec | None:
    """Return the spec that is kept in a state-dir; None where there is none, or another version of kannelkit kept it.

    Raises HostError where the file cannot be read.
    """
    path = state_dir / FILE
    try:
        octets = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise HostError(f"cannot read {path}: {error.strerror}", "run as the user that ran kannelkit up") from error
    try:
        whole = json.loads(octets)
        if whole["version"] != _VERSION:
            return None
        spec = _value(Spec, whole["spec"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # the fields of a spec are others in another version
    return spec if isinstance(spec, Spec) else None


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, collections.abc.Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, tuple | frozenset):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"a {type(value).__name__} in a spec cannot be kept")


def _value(hint: Any, plain: Any) -> Any:
    """Return what `_plain` made `plain` of, by its type. Raises TypeError, KeyError or ValueError."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    made = hint if origin is None else origin
    if isinstance(made, type) and dataclasses.is_dataclass(made):
        hints = typing.get_type_hints(made)
        if set(plain) != {field.name for field in dataclasses.fields(made)}:
            raise TypeError(f"other fields than those of {made.__name__}")
        stand_for = dict(zip(getattr(made, "__parameters__", ()), arguments, strict=True))
        return made(**{name: _value(stand_for.get(hints[name], hints[name]), each) for name, each in plain.items()})
    if origin in (typing.Union, types.UnionType):
        return _one_of(arguments, plain)
    if origin is typing.Literal:
        if plain not in arguments:
            raise ValueError("none of the words that are known")
        return plain
    if origin in (tuple, frozenset):
        return origin(_value(arguments[0], each) for each in plain)
    if origin is collections.abc.Mapping:
        return {key: _value(arguments[1], each) for key, each in plain.items()}
    if isinstance(hint, type) and issubclass(hint, tuple):  # a NamedTuple
        hints = typing.get_type_hints(hint)
        return hint(*(_value(each, one) for each, one in zip(hints.values(), plain, strict=True)))
    if hint is Path:
        return Path(plain)
    if not isinstance(plain, hint):
        raise TypeError(f"not a {hint}")
    return plain


def _one_of(hints: tuple[Any, ...], plain: Any) -> Any:
    for hint in hints:
        try:
            return _value(hint, plain)
        except (TypeError, KeyError, ValueError):
            continue
    raise TypeError("of no type that is known")
