"""The registry of what `kannelkit send` finds in messages and lists, read from rules.toml when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.lint.rules import Registry, Rule

RULES: Mapping[str, Rule] = Registry(__package__)
