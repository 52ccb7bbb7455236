"""The language Kannel's configuration is written in: its groups and directives, writing them, reading them back."""

from kannelkit.conf.read import ReadGroup, check, read
from kannelkit.conf.table import GROUPS, Directive, Group
from kannelkit.conf.write import UnwritableError, directive_line, written

__all__ = ["GROUPS", "Directive", "Group", "ReadGroup", "UnwritableError", "check", "directive_line", "read", "written"]
