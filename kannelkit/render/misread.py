"""What Kannel would not read as it is meant, in a text that a spec stands for."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.conf import check
from kannelkit.findings import Finding
from kannelkit.spec import Spec

# A rule about a kannel.conf -> the rules about a spec that say the same. Whoever silences one of these means it.
_SAME: Mapping[str, frozenset[str]] = {
    "C106": frozenset({"S105"}),
    "C108": frozenset({"S201", "S204", "S205", "S301"}),
    "C111": frozenset({"S305"}),
}


def misread(spec: Spec, text: str, file: str = "kannel.conf") -> tuple[Finding, ...]:
    """Return what is wrong in the text, but for what comments in the spec silence; see `conf.check`."""
    silenced = {rule for rule, same in _SAME.items() if same & spec.silenced}
    if spec.defaults == "kannel":
        silenced.add("C110")  # a gateway for WAP alone has no smsc
    return tuple(finding for finding in check(text, file) if finding.rule not in silenced)
