"""What an error tells is as long as a person reads."""

from __future__ import annotations

from kannelkit.errors import InputError
from kannelkit.findings import Finding, Place


def test_thousands_of_findings_are_counted_not_told() -> None:
    findings = [Finding(Place("a.conf", line), "C101", "a line without an equals sign") for line in range(1, 2001)]
    error = InputError(findings)
    assert len(error.findings) == 2000
    assert str(error).splitlines()[-1] == "... and 1950 more"
    assert len(str(error).splitlines()) == 51
    assert "more" not in str(InputError(findings[:50]))
