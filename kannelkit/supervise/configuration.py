"""What belongs to one spec while its gateway runs, as a value that another one can take the place of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kannelkit.render import Account, InForce, Side, accounts
from kannelkit.spec import Spec
from kannelkit.spec.numbers import whole
from kannelkit.supervise.conffile import ConfFile
from kannelkit.supervise.memory import Memory
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Learnt, Settings

_KANNELS_WINDOW = 10  # SMPP_MAX_PENDING_SUBMITS, gw/smsc/smsc_smpp.c


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a gateway besides its spec: by unit what was learnt and uneven shares, by account its side."""

    learnt: Mapping[str, Learnt] = field(default_factory=dict)
    shares: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    sides: Mapping[str, Side] = field(default_factory=dict)


def known(memory: Memory) -> Known:
    """Return what the state database knows. Raises HostError."""
    sides = {account: kept.side for account, kept in memory.sides().items()}
    return Known(memory.learnt(), memory.shares(), sides)


@dataclass(frozen=True, slots=True)
class Configuration:
    """A spec, its accounts, the controllers of their rates by unit, and the kannel.conf with what is in force."""

    spec: Spec
    rates: Mapping[str, AccountRate]
    conf: ConfFile

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The accounts as they are in force now."""
        return self.conf.accounts

    @property
    def relayed(self) -> frozenset[str]:
        """The units that the relay paces, whose rates are not decided here."""
        return frozenset(account.unit for account in self.spec.smpp_accounts if account.relayed is not None)


def configure(spec: Spec, known: Known, put: Callable[[str], None] | None = None) -> Configuration:
    """Return the configuration of a spec with what is known, within the spec's bounds; for `put` see ConfFile."""
    settings = spec.supervisor
    # a finite number of tries means that a refused message may be gone instead of waiting again
    requeues = spec.core.get("sms-resend-retry") in (None, "-1")
    every = accounts(spec)
    links: Counter[str] = Counter()
    for account in every:
        links[account.unit] += account.connections
    windows: Counter[str] = Counter()
    for login in spec.smpp_accounts:
        window = whole(login.group.get("max-pending-submits") or "") or _KANNELS_WINDOW
        windows[login.unit] += login.connections * window
    rates: dict[str, AccountRate] = {}
    for account in every:
        unit = account.unit
        if unit not in rates:
            ceiling, learnt = (None, None) if account.relayed else (account.ceiling, known.learnt.get(unit))
            ceiling = None if ceiling is None else int(ceiling)  # as it is: only the relay's have fractions
            bounds = Settings(ceiling, account.floor, settings.raise_after, requeues, links[unit], windows[unit])
            rates[unit] = AccountRate(unit, bounds, learnt)
    throughputs = {unit: rate.throughput for unit, rate in rates.items() if rate.throughput is not None}
    in_force = InForce(
        throughputs,
        {
            unit: shares
            for unit, shares in known.shares.items()
            if unit in throughputs and sum(shares) == throughputs[unit] and len(shares) == links[unit]
        },
        {account.smsc_id: known.sides.get(account.smsc_id, "primary") for account in every if account.standby_ids},
    )
    return Configuration(spec, rates, ConfFile(spec, in_force, put))


def succeed(former: Configuration, spec: Spec) -> Configuration:
    """Return the configuration of a spec that takes the place of a running one: what was learnt goes on.

    A unit whose bounds are the same keeps its controller, with all that it has seen.
    """
    in_force = former.conf.in_force
    learnt = {name: one for name, rate in former.rates.items() if (one := rate.learnt) is not None}
    fresh = configure(spec, Known(learnt, in_force.shares, in_force.sides), former.conf.put_by)
    rates = dict(fresh.rates)
    for name, rate in former.rates.items():
        if name in rates and rates[name].settings == rate.settings and name not in fresh.relayed:
            rates[name] = rate
    return Configuration(spec, rates, fresh.conf)
