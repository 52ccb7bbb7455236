"""A spec with everything that running it needs: what commands that touch a gateway begin with."""

from __future__ import annotations

import os
from pathlib import Path

from kannelkit.host.secrets import keep
from kannelkit.spec import Spec, load


def prepared(path: Path) -> Spec:
    """Load a spec and fill in the passwords it leaves out, made at random and kept in its state-dir.

    Raises InputError with everything that is wrong in the spec, HostError where the state-dir cannot be used.
    """
    spec = load(path, os.environ)
    return spec.with_made(keep(spec.state_dir, spec.to_make()))
