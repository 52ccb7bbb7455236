"""The profiles that accounts of a spec can name: those that are shipped, and those in files that the spec names."""

from __future__ import annotations

from collections.abc import Mapping

from kannelkit.providers import PROFILES, Profile, read_profiles
from kannelkit.spec.read import Reader
from kannelkit.spec.secrets import beginning
from kannelkit.spec.source import Node, Scalar, Sequence

# A profile is a page of text; a file larger than this is the wrong file.
MOST_OCTETS = 2**20


def known_profiles(reader: Reader, node: Node | None) -> Mapping[str, Profile]:
    """Return the shipped profiles with those in the files listed at `providers`, by name; notes what is wrong there."""
    if node is None or (isinstance(node, Scalar) and node.plain and not node.text):
        return PROFILES
    known = dict(PROFILES)
    before = len(reader.findings)
    for entry in node.items if isinstance(node, Sequence) else (node,):
        if not isinstance(entry, Scalar) or not entry.text:
            reader.find(entry.place, "S102", "providers is a list of files", "as in [my-provider.toml]")
            continue
        for profile in _read(reader, entry):
            former = known.get(profile.name)
            if former is not None:
                whose = f"in {former.file}" if former.file else "one of kannelkit's own"
                reader.find(
                    entry.place,
                    "S324",
                    f"{profile.file} has a provider {profile.name}, and there is one already, {whose}",
                    "give it a name of its own",
                )
            known.setdefault(profile.name, profile)
    reader.profiles_unread = len(reader.findings) > before
    return known


def _read(reader: Reader, entry: Scalar) -> tuple[Profile, ...]:
    path = reader.folder / entry.text
    try:
        octets = beginning(path, MOST_OCTETS + 1)
        text = octets.decode("utf-8")
    except (OSError, ValueError) as error:  # a NUL in the name is a ValueError, and so is what is no UTF-8
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        reader.find(entry.place, "S320", f"{path} cannot be read: {reason}", "name a TOML file that is there")
        return ()
    if len(octets) > MOST_OCTETS:
        hint = "name a file with profiles of providers"
        reader.find(entry.place, "S320", f"{path} has more than {MOST_OCTETS // 2**20} MiB", hint)
        return ()
    profiles, findings = read_profiles(text, str(path), graded=False)
    reader.findings += findings
    return profiles
