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
# Where kannelkit's own keys stand that are neither at the top nor directives of Kannel.
_HOMES = {
    "smsc": SMSC_KEYS,
    "supervisor": (*SUPERVISOR_KEYS, *WATCH_KEYS),
    **{f"supervisor.{part}": keys for part, keys in SUPERVISOR_KEYS.items()},
    "health": (*HEALTH_KEYS, "thresholds"),
}


def did_you_mean(key: str, keys: Iterable[str]) -> str:
    """Return a hint for an unknown key: the nearest known one, or where it belongs."""
    import difflib  # only for a spec that is wrong

    known = list(keys)
    if key == "<<":
        return "merge keys are YAML 1.1; write the keys out, or use an alias for a whole value"
    directive = [name for name, group in GROUPS.items() if key in group.directives]
    own = [name for name, keys in _HOMES.items() if key in keys]
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
    if directive or own or key in TOP_KEYS:  # a slip rarely makes another key of it
        top = "it stands at the top of the file, below no other key"
        place = top if key in TOP_KEYS else f"it belongs into {' or '.join([*directive, *own])}"
        slip = difflib.get_close_matches(key, known, n=1, cutoff=0.9)
        return f"{place}; or did you mean {slip[0]}?" if slip else place
    if near:
        return f"did you mean {near[0]}?"
    if near := difflib.get_close_matches(key, known, n=1, cutoff=0.6):
        return f"did you mean {near[0]}?"
    return "remove it, or look up how Kannel's user guide spells it"
