"""Every error a person can cause. Each class carries the exit code of the command that ends with it.

Exit codes: 0 done, 1 findings or failed, 2 wrong use (click's own errors).
"""

from __future__ import annotations

from collections.abc import Iterable

from kannelkit.findings import Finding, in_order


class KannelkitError(Exception):
    """What was asked cannot be done; `str()` is what a person reads, with the next step in `hint`."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  hint: {self.hint}" if self.hint else self.message


class InputError(KannelkitError):
    """A spec or a configuration file is wrong; carries every finding, not only the first."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = in_order(findings)
        super().__init__("\n".join(str(finding) for finding in self.findings))


class HostError(KannelkitError):
    """The operating system refused: a file, a port, a process, a right."""


class GatewayError(KannelkitError):
    """Kannel did not do what was asked: a box that does not start or answer, a link that stays away."""
