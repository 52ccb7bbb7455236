"""Every error a person can cause. Each class carries the exit code of the command that ends with it.

Exit codes: 0 done, 1 findings or failed, 2 wrong use (click's own errors).
"""

from __future__ import annotations

from collections.abc import Iterable

from kannelkit.findings import Finding, in_order

# findings that are put into words; a file of the wrong kind has one in every line
_TOLD = 50


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
        more = len(self.findings) - _TOLD
        lines = [str(finding) for finding in self.findings[:_TOLD]] + [f"... and {more} more"] * (more > 0)
        super().__init__("\n".join(lines))


class HostError(KannelkitError):
    """The operating system refused: a file, a port, a process, a right."""


class GatewayError(KannelkitError):
    """Kannel did not do what was asked: a box that does not start or answer, a link that stays away."""
