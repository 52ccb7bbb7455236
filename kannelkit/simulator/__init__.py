"""A pretend SMSC to bind to: for demonstrations, for tests, and for trying a spec before it meets the provider."""

from kannelkit.simulator.limits import Law
from kannelkit.simulator.outcomes import Outcome, OutcomeRule
from kannelkit.simulator.rules import AccountRules, AtUnbind, Behaviour, Bounds, LimitPer, Order, SecondBind
from kannelkit.simulator.server import Simulator

__all__ = [
    "AccountRules",
    "AtUnbind",
    "Behaviour",
    "Bounds",
    "Law",
    "LimitPer",
    "Order",
    "Outcome",
    "OutcomeRule",
    "SecondBind",
    "Simulator",
]
