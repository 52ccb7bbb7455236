"""The language Kannel's configuration is written in: its groups and directives, writing them, reading them back."""

from kannelkit.conf.check import check, check_groups
from kannelkit.conf.include import Opened, Opener, Reading, opener, read_files
from kannelkit.conf.read import ReadGroup, in_force, read
from kannelkit.conf.table import GROUPS, Directive, Group
from kannelkit.conf.tree import Comment, Tree, parse
from kannelkit.conf.write import UnwritableError, directive_line, written

__all__ = [
    "GROUPS",
    "Comment",
    "Directive",
    "Group",
    "Opened",
    "Opener",
    "ReadGroup",
    "Reading",
    "Tree",
    "UnwritableError",
    "check",
    "check_groups",
    "directive_line",
    "in_force",
    "opener",
    "parse",
    "read",
    "read_files",
    "written",
]
