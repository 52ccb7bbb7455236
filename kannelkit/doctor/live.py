"""Whether a bind of our own could close one that carries messages; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kannelkit.spec import SmppAccount
from kannelkit.supervise.views import Overview

# a link in one of these states is not bound, and does not bind by itself before it is started
_DOWN = frozenset({"dead", "standby", "absent"})


def endangered(account: SmppAccount, accounts: Iterable[SmppAccount], seen: Overview | None, connected: str) -> str:
    """Return why a bind with the account's login may close a live one, "" where it cannot, as far as this machine sees.

    `accounts` are all of the spec, `seen` how the gateway stands (None: not known), `connected` who on this machine has
    a connection to the provider's hosts, "" for nobody.
    """
    if seen is None:
        return "it is not known whether the gateway runs"
    if stands_still(seen):
        return f"{connected} has a connection to the provider" if connected else ""
    alike = {each.stem: each for each in accounts if login(each) == login(account)}
    if allowed(account) > sum(each.connections for each in alike.values()):
        return ""
    names = {each.smsc_id for each in alike.values()}
    states = [link.state for view in seen.accounts if view.smsc_id in names for link in view.links]
    if seen.state != "unknown" and states and all(state in _DOWN for state in states):
        return ""
    online = states.count("online")
    if online:
        return f"the gateway runs, with {online} of this login's links bound"
    return "the gateway runs, and may bind with this login at any moment"


def stands_still(seen: Overview) -> bool:
    """Return whether nothing of the gateway runs."""
    return seen.state == "not running" and all(box.state == "stopped" for box in seen.boxes)


def allowed(account: SmppAccount) -> int:
    """Return how many binds at once the account's flag in system-type asks for, 0 where it has none."""
    flag = account.profile.connections_flag if account.profile else ""
    if not flag:
        return 0
    pattern = re.escape(flag).replace(r"\{n\}", "([1-9][0-9]?)")
    found = [re.fullmatch(pattern, each.strip()) for each in (account.group.get("system-type") or "").split(",")]
    return max((int(each[1]) for each in found if each is not None), default=0)


def login(account: SmppAccount) -> str:
    """Return what the provider knows the account by."""
    return account.group.get("smsc-username") or account.group.get("system-id") or ""
