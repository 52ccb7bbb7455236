"""How long each kind of step takes, as measured, and how that is said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from kannelkit.plan.values import Add, Recreate, Reload, Remove, Reroute, Restart, Step


@dataclass(frozen=True, slots=True)
class Figure:
    """From `least` to `most` seconds, and how that is known."""

    least: float
    most: float
    source: str

    def __str__(self) -> str:
        if round(self.least, 2) == round(self.most, 2):
            return f"about {_said(self.most)}"
        least, most = _said(self.least), _said(self.most)
        number, unit = least.split()
        return f"{number} to {most}" if most.endswith(f" {unit}") else f"{least} to {most}"


# All on one machine, bearerbox 1.4.5 and an SMSC behind a delay of 0 to 300 ms.
FIGURES: Mapping[str, Figure] = MappingProxyType(
    {
        "recreate": Figure(
            0.06,
            1.4,
            "from stop-smsc until the link is online: 60 ms at a delay of 50 ms, 350 ms at 300 ms; up to 1 s more "
            "where messages flow, until the provider's second is over",
        ),
        "add": Figure(0.02, 0.35, "from add-smsc until the link is online, without a delay and at 300 ms"),
        "remove": Figure(0.01, 0.35, "from stop-smsc until the link is gone, without a delay and at 300 ms"),
        "reroute": Figure(0.001, 0.05, "graceful-restart of 5 links of which none is re-created"),
        "restart smsbox": Figure(0.04, 1, "requests refused by smsbox: 40 ms when idle, 1 s when it has much to end"),
        "restart relay": Figure(0.5, 3, "until the last answers are there, and bearerbox has bound again"),
        "reload": Figure(0.5, 3, "until the last answers of an account are there, and bearerbox has bound again"),
        "restart bearerbox": Figure(
            0.7,
            6,
            "requests refused by smsbox: 0.7 s with idle links; 2 to 4 s until a busy bearerbox has ended, then "
            "1 to 2 s until its links are bound",
        ),
    }
)


# Seconds for every pair of a link and a group at a reload, which computes both checksums of the group anew for each
# (cmp_conn_grp_checksum in gw/bb_smscconn.c): 1.4 s with 300 links of 11 directives; a long group takes thrice as long.
_COMPARED = (16e-6, 48e-6)


def figure(step: Step) -> Figure:
    """Return how long the step takes."""
    if isinstance(step, Reroute):
        base, pairs = FIGURES["reroute"], step.among**2
        return Figure(base.least + pairs * _COMPARED[0], base.most + pairs * _COMPARED[1], base.source)
    if step == Restart(("relay",)):
        return FIGURES["restart relay"]
    if isinstance(step, Restart):
        return FIGURES["restart bearerbox" if "bearerbox" in step.boxes else "restart smsbox"]
    names = {Reload: "reload", Recreate: "recreate", Add: "add", Remove: "remove"}
    return FIGURES[names[type(step)]]


def total(steps: Iterable[Step]) -> Figure:
    """Return how long the steps take one after the other."""
    found = [figure(step) for step in steps]
    return Figure(sum(one.least for one in found), sum(one.most for one in found), "the sum of its steps")


def _said(seconds: float) -> str:
    """Return a time in the unit that leaves few digits."""
    if seconds < 0.1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 0.995:
        return f"{round(seconds * 100) * 10} ms"
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
