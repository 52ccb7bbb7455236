"""What was seen of the outside: the files that a configuration names, as values that rules can be asked about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Seen:
    """A file or a folder: what it is, its permission bits, and who may do what with it.

    `readable` and `writable` are for this user or, where there is one, the user kannel; `open_to_all` says whether
    every user may read it, as far as the folders above let him. A path that is not there is neither file nor folder;
    its `folder_there` says whether the folder that would hold it is.
    """

    is_file: bool = False
    is_folder: bool = False
    folder_there: bool = False
    mode: int = 0
    open_to_all: bool = False
    readable: bool = False
    writable: bool = False

    @property
    def is_there(self) -> bool:
        """Whether there is anything at the path."""
        return self.is_file or self.is_folder


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is in a PEM file: `fault` says why it cannot be used, or is empty; `not_after` is when it ends.

    `chain` counts the certificates behind the first that whoever checks it may lack: no root, and none that
    ssl-trusted-ca-file holds. A file without any certificate, or with none that can be read, is not `shown` at all.
    """

    fault: str = ""
    not_after: datetime | None = None
    chain: int = 0
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Rotation:
    """One block of logrotate's: the file it stands in, the patterns of the logs, and what it does with them."""

    file: str
    line: int
    patterns: tuple[str, ...]
    copytruncate: bool
    hangs_up: bool  # whether it sends bearerbox SIGHUP


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was seen, at `now`. Paths are absolute."""

    now: datetime
    files: Mapping[str, Seen] = field(default_factory=dict)
    certificates: Mapping[tuple[str, str], Certificate] = field(
        default_factory=dict
    )  # (certificate's file, key's file)
    rotations: tuple[Rotation, ...] = ()
