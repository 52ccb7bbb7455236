"""The YAML an operator writes, checked, with every gap filled."""

from kannelkit.spec.ignored import Comment, Ignored, ignored
from kannelkit.spec.load import load
from kannelkit.spec.model import Address, Files, Group, Secret, SmppAccount, Spec, Supervisor, Value
from kannelkit.spec.running import lacking

__all__ = [
    "Address",
    "Comment",
    "Files",
    "Group",
    "Ignored",
    "Secret",
    "SmppAccount",
    "Spec",
    "Supervisor",
    "Value",
    "ignored",
    "lacking",
    "load",
]
