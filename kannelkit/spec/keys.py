"""kannelkit's own keys: which there are, and how a slip of the pen is answered."""

from __future__ import annotations

from collections.abc import Iterable

from kannelkit.conf import GROUPS

# The groups that kannelkit fills in or adds to; every other group of Kannel's is taken as it is written.
OWN_GROUPS = ("core", "smsbox", "sms-service", "sendsms-user", "smsc")
OTHER_GROUPS = tuple(name for name in GROUPS if name not in OWN_GROUPS)

TOP_KEYS = ("state-dir", "defaults", "providers", *OWN_GROUPS, *OTHER_GROUPS, "supervisor", "health")
SMSC_KEYS = ("provider", "account-group", "backup-host", "backup-port", "connections", "pacing", "relay-port")
# The parts below `supervisor`; and what stands at `supervisor` itself.
SUPERVISOR_KEYS = {
    "rate": ("floor", "raise-after"),
    "failover": ("after", "back-after"),
    "pid-files": ("bearerbox", "smsbox"),
}
WATCH_KEYS = ("conf-file", "logs")
HEALTH_KEYS = ("listen", "token", "certificate")
# What a threshold has, below its name in `health.thresholds`; the names are those of the table.
THRESHOLD_KEYS = ("warning", "critical")


def did_you_mean(key: str, keys: Iterable[str]) -> str:
    """Return a hint for an unknown key: the nearest known one, or where it belongs."""
    import difflib  # only for a spec that is wrong

    known = list(keys)
    if key == "<<":
        return "merge keys are YAML 1.1; write the keys out, or use an alias for a whole value"
    if near := difflib.get_close_matches(key, known, n=1, cutoff=0.75):
        return f"did you mean {near[0]}?"
    homes = [name for name, group in GROUPS.items() if key in group.directives]
    if homes:
        return f"it belongs into {' or '.join(homes)}"
    if near := difflib.get_close_matches(key, known, n=1, cutoff=0.6):
        return f"did you mean {near[0]}?"
    return "remove it, or look up how Kannel's user guide spells it"
