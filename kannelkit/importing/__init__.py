"""A kannel.conf that exists to a spec, so that generating from the spec gives Kannel the same groups."""

from kannelkit.importing.imported import Imported, imported
from kannelkit.importing.report import Report

__all__ = ["Imported", "Report", "imported"]
