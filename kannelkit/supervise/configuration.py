"""What belongs to one spec while its gateway runs, as a value that another one can take the place of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kannelkit.render import Account, accounts
from kannelkit.spec import Spec
from kannelkit.supervise.conffile import ConfFile
from kannelkit.throttle.controller import AccountRate
from kannelkit.throttle.values import Learnt, Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """A spec, its accounts with the controller of each one's rate, and the kannel.conf with the rates in force."""

    spec: Spec
    accounts: tuple[Account, ...]
    rates: Mapping[str, AccountRate]
    conf: ConfFile


def configure(spec: Spec, learnt: Mapping[str, Learnt]) -> Configuration:
    """Return the configuration of a spec whose accounts begin at what was learnt of them, within the spec's bounds."""
    settings = spec.supervisor
    # a finite number of tries means that a refused message may be gone instead of waiting again
    requeues = spec.core.get("sms-resend-retry") in (None, "-1")
    rates = {}
    for account in accounts(spec):
        bounds = Settings(account.ceiling, account.floor, settings.raise_after, requeues, links=account.connections)
        rates[account.smsc_id] = AccountRate(account.smsc_id, bounds, learnt.get(account.smsc_id))
    in_force = {name: rate.throughput for name, rate in rates.items() if rate.throughput is not None}
    return Configuration(spec, accounts(spec, in_force), rates, ConfFile(spec, in_force))


def succeed(former: Configuration, spec: Spec) -> Configuration:
    """Return the configuration of a spec that takes the place of a running one: what was learnt goes on.

    An account whose bounds are the same keeps its controller, with all that it has seen.
    """
    learnt = {name: rate.learnt for name, rate in former.rates.items()}
    fresh = configure(spec, {name: one for name, one in learnt.items() if one is not None})
    rates = dict(fresh.rates)
    for name, rate in former.rates.items():
        if name in rates and rates[name].settings == rate.settings:
            rates[name] = rate
    return Configuration(spec, fresh.accounts, rates, fresh.conf)
