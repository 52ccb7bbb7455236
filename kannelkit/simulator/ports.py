"""What to say of a port that cannot be listened on."""

from __future__ import annotations

import os

from kannelkit.errors import HostError


def cannot_listen(host: str, port: int, error: OSError | OverflowError) -> HostError:
    """Return the error for a port that is taken, not allowed, or none."""
    number = getattr(error, "errno", None)
    reason = os.strerror(number) if number else str(error)
    return HostError(f"cannot listen on {host}:{port}: {reason}", "choose another port; 0 stands for a free one")
