"""The account that a command names, and what the kannelkit that supervises its gateway is asked about it."""

from __future__ import annotations

import asyncio
import difflib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

from kannelkit.cli.variables import AnyVariable
from kannelkit.errors import GatewayError, KannelkitError
from kannelkit.spec import Spec, load

_MOST_NAMES = 30


def secretless(path: Path) -> Spec:
    """Load a spec, with something in place of secrets that are not at hand. Raises InputError."""
    return load(path, AnyVariable())


def units(spec: Spec) -> dict[str, str]:
    """Return the rate that each account lives by, by the account's name; a shared one is named by its group, too."""
    found = {account.smsc_id: account.unit for account in spec.smpp_accounts}
    return {**{unit: unit for unit in found.values()}, **found}


def complete(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the accounts of the spec on the command line that begin with what is there."""
    path = ctx.params.get("spec")
    if not isinstance(path, Path):
        return []
    try:
        names = sorted(units(secretless(path)))
    except KannelkitError:
        return []
    return [CompletionItem(name) for name in names if name.startswith(incomplete)]


def known(name: str, names: Iterable[str]) -> str:
    """Return the account's name. Raises click.BadParameter, with the nearest of those there are, for another one."""
    every = sorted(names)
    if name in every:
        return name
    near = difflib.get_close_matches(name, every, n=1)
    meant = f"; did you mean {near[0]}?" if near else "."
    listed = ", ".join(every[:_MOST_NAMES]) + (f" and {len(every) - _MOST_NAMES} more" * (len(every) > _MOST_NAMES))
    raise click.BadParameter(
        f"the spec has no account {name!r}{meant} It has: {listed or 'none'}", param_hint="ACCOUNT"
    )


def asked(
    spec: Spec, request: Mapping[str, object], tell: Callable[[str], None] = lambda text: None
) -> Mapping[str, Any]:
    """Return the supervisor's answer; `tell` is given what it says meanwhile. Raises GatewayError, HostError."""
    from kannelkit.supervise.asking import ask

    whole = {"spec": os.path.realpath(spec.path), **request}
    return asyncio.run(ask(spec.state_dir, whole, lambda event: tell(str(event.get("text", ""))), spec))


def field(answer: Mapping[str, Any], name: str) -> Any:
    """Return a value of an answer. Raises GatewayError where it is not there."""
    if name not in answer:
        raise GatewayError("the supervisor's answer cannot be read", "are both kannelkits the same version?")
    return answer[name]
