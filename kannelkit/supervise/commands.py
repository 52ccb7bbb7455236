"""What a person types to have a gateway supervised, or to name its spec."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path

from kannelkit.spec import Spec


def named(path: Path) -> str:
    """Return how a command that a person can copy names a spec file: briefly where it is in this folder."""
    with contextlib.suppress(ValueError, OSError):
        path = path.relative_to(Path.cwd())
    return shlex.quote(str(path))


def watched(spec: Spec) -> bool:
    """Return whether something else runs the boxes of a spec's gateway, and kannelkit only watches them."""
    return spec.supervisor.conf_file is not None


def supervise(spec: Spec) -> str:
    """Return the command that supervises a spec's gateway."""
    return f"kannelkit {'watch' if watched(spec) else 'up'} {named(spec.path)}"
