"""Which values of a plan are passwords."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.conf.masking import is_secret
from kannelkit.plan.groups import Key, Values
from kannelkit.plan.links import is_parking


def secrets_in(*of: Mapping[Key, Values]) -> frozenset[str]:
    """Return the values of every directive that is secret, those apart that stand in for a login."""
    return frozenset(
        value
        for groups in of
        for key, values in groups.items()
        for name, value in values.items()
        if value and is_secret(key.group, name) and not is_parking(values)
    )
