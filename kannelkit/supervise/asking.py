"""Asks the kannelkit that supervises a gateway, through the socket in its state-dir."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kannelkit.errors import GatewayError, HostError
from kannelkit.host import processes
from kannelkit.plan.values import (
    Add,
    Change,
    DirectiveChange,
    Plan,
    Rate,
    Recreate,
    Reload,
    Remove,
    Reroute,
    Restart,
    Step,
)
from kannelkit.spec import Spec
from kannelkit.supervise.commands import supervise, watched
from kannelkit.supervise.control import FILE
from kannelkit.supervise.course import Curve, Flow, Minute
from kannelkit.supervise.memory import Event, Memory
from kannelkit.supervise.views import AccountView, BoxView, LinkView, OtherRefusals, Overview, RelayView

# a plan of a gateway with thousands of accounts is one line
_LONGEST_EVENT = 256 * 1024 * 1024
_STEPS: Mapping[str, Callable[..., Step]] = {
    step.__name__: step for step in (Add, Recreate, Reload, Remove, Reroute, Restart)
}


async def ask(
    state_dir: Path,
    request: Mapping[str, object],
    tell: Callable[[Mapping[str, Any]], None],
    spec: Spec | None = None,
) -> Mapping[str, Any]:
    """Send a request and return the last event of its answer; `tell` is given those before.

    Raises GatewayError with what the supervisor says against it, HostError where nobody answers; the hint of that says
    what to type, for a spec that is given here.
    """
    try:
        folder = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise _nobody(spec) from error
    except OSError as error:
        raise HostError(f"{state_dir}: {error.strerror}", _OWNER) from error
    try:  # the path of a socket may be too long to be named
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{folder}/{FILE}", limit=_LONGEST_EVENT)
    except PermissionError as error:
        raise HostError(f"{state_dir / FILE}: {error.strerror}", _OWNER) from error
    except OSError as error:
        if _boxes_run(state_dir):
            hint = f"{_command(spec)} takes them on as they are; then try again"
            raise HostError("the gateway's boxes run, and no kannelkit supervises them", hint) from error
        raise _nobody(spec) from error
    finally:
        os.close(folder)
    try:
        writer.write(json.dumps(request).encode() + b"\n")
        await writer.drain()
        async for line in reader:
            event = json.loads(line)
            match event.get("event"):
                case "done":
                    return dict(event)
                case "error":
                    raise GatewayError(str(event.get("message")), str(event.get("hint")))
                case _:
                    tell(event)
    except (OSError, ValueError) as error:
        raise GatewayError("the answer broke off", _BROKE_OFF) from error
    finally:
        writer.close()
    raise GatewayError("the kannelkit that supervises went away", _BROKE_OFF)


_OWNER = "run as the user that runs the kannelkit that supervises, or as root"
_BROKE_OFF = "what was begun goes on or is taken back without this command: look at kannelkit status"


def _command(spec: Spec | None) -> str:
    return "kannelkit up SPEC" if spec is None else supervise(spec)


def _nobody(spec: Spec | None) -> HostError:
    if spec is not None and watched(spec):
        return HostError("no kannelkit watches this gateway", f"{_command(spec)} does; then try again")
    return HostError("the gateway does not run", f"{_command(spec)} starts it with this configuration")


def _boxes_run(state_dir: Path) -> bool:
    path = state_dir / "state.db"
    if not path.exists():
        return False
    memory = Memory(path, read_only=True)
    try:
        return any(processes.alive(process) for process in memory.boxes().values())
    finally:
        memory.close()


def plain(plan: Plan) -> dict[str, object]:
    """Return what may be shown of a plan as plain values: all but the texts, which hold passwords."""
    return {
        "changes": [_plain_change(change) for change in plan.changes],
        "steps": [_plain_step(step) for step in plan.steps],
        "digest": plan.digest,
        "running": plan.running,
        "rates": [dataclasses.asdict(rate) for rate in plan.rates],
    }


def shown(values: Mapping[str, Any]) -> Plan:
    """Return the plan that `plain` made these values of, without its texts. Raises KeyError or TypeError."""
    return Plan(
        changes=tuple(_change(each) for each in values["changes"]),
        steps=tuple(_step(each) for each in values["steps"]),
        digest=values["digest"],
        wanted="",
        running=values["running"],
        rates=tuple(Rate(**each) for each in values["rates"]),
    )


def _plain_change(change: Change) -> dict[str, object]:
    return {**dataclasses.asdict(change), "steps": [_plain_step(step) for step in change.steps]}


def _plain_step(step: Step) -> dict[str, object]:
    return {"step": type(step).__name__, **dataclasses.asdict(step)}


def _change(values: Mapping[str, Any]) -> Change:
    directives = tuple(DirectiveChange(**each) for each in values["directives"])
    return Change(**{**values, "directives": directives, "steps": tuple(_step(each) for each in values["steps"])})


def _step(values: Mapping[str, Any]) -> Step:
    fields: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in values.items()}
    return _STEPS[fields.pop("step")](**fields)


# -- how the gateway stands, as plain values and back

_SCALARS = frozenset({str, int, float, bool, type(None)})


def plain_overview(seen: Overview) -> dict[str, object]:
    """Return how the gateway stands as one JSON object; `ok` says that nothing is wrong."""
    plain = _plain_value(replace(seen, events=()))
    return {"ok": not seen.problems, **plain, "events": [event.as_dict() for event in seen.events]}


def overview_of(values: Mapping[str, Any]) -> Overview:
    """Return the overview that `plain_overview` made these values of. Raises KeyError or TypeError."""
    events = tuple(
        Event(each.pop("at"), each.pop("kind"), each.pop("account"), each.pop("text"), each)
        for each in (dict(event) for event in values["events"])
    )
    return Overview(
        **{
            **{name: value for name, value in values.items() if name != "ok"},
            "boxes": tuple(BoxView(**each) for each in values["boxes"]),
            "accounts": tuple(_account_view(each) for each in values["accounts"]),
            "problems": tuple(values["problems"]),
            "events": events,
        }
    )


def _account_view(values: Mapping[str, Any]) -> AccountView:
    accepted, refused, curve = values["accepted"], values["refused"], values["curve"]
    minute = values.get("minute")  # which a supervisor that has run since before there was one does not tell
    return AccountView(
        **{
            **values,
            "accepted": None if accepted is None else Flow(**accepted),
            "refused": None if refused is None else Flow(**refused),
            "other_refusals": tuple(OtherRefusals(**each) for each in values["other_refusals"]),
            "curve": Curve(tuple(curve["accepted"]), tuple(curve["refused"])),
            "links": tuple(LinkView(**each) for each in values["links"]),
            "relay": None if values["relay"] is None else RelayView(**values["relay"]),
            "minute": None if minute is None else Minute(**minute),
        }
    )


def _plain_value(value: Any) -> Any:
    """Return dataclasses as mappings and tuples as lists; dataclasses.asdict takes ten times as long for curves."""
    kind = type(value)
    if kind is tuple:
        return [_plain_value(each) for each in value] if value and type(value[0]) not in _SCALARS else list(value)
    if kind in _SCALARS:
        return value
    return {
        name: field if type(field := getattr(value, name)) in _SCALARS else _plain_value(field)
        for name in kind.__dataclass_fields__
    }
