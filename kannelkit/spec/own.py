"""kannelkit's own keys as a table, in the form that Kannel's directives have: type, range, default, what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

from kannelkit.conf import Group
from kannelkit.conf.table import read_table

# By part of the spec: spec (its top), smsc (an account), supervisor and health with what is below them.
OWN: Mapping[str, Group] = read_table(resources.files(__package__).joinpath("own.toml").read_text("utf-8"))

# How the parts are called where a person names them.
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "spec": "",
        "smsc": "smsc",
        "supervisor": "supervisor",
        "rate": "supervisor.rate",
        "failover": "supervisor.failover",
        "pid-files": "supervisor.pid-files",
        "health": "health",
        "thresholds": "health.thresholds",
    }
)
