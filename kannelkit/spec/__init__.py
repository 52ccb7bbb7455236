"""The YAML an operator writes, checked, with every gap filled."""

from kannelkit.spec.load import load
from kannelkit.spec.model import Address, Files, Group, Secret, SmppAccount, Spec, Supervisor, Value

__all__ = ["Address", "Files", "Group", "Secret", "SmppAccount", "Spec", "Supervisor", "Value", "load"]
