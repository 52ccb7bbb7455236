"""The profiles that come with kannelkit, read when one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from kannelkit.errors import InputError
from kannelkit.providers.profile import Profile
from kannelkit.providers.reading import read_profiles

_FILES = ("smsc_ru.toml", "generic.toml")


@cache
def _profiles() -> Mapping[str, Profile]:
    found = {}
    for name in _FILES:
        # importlib.resources takes longer to load than everything here
        text = Path(__file__).with_name(name).read_text("utf-8")
        profiles, findings = read_profiles(text, name, graded=True)
        if findings:
            raise InputError(findings)
        found.update({profile.name: profile for profile in profiles})
    return found


class _Shipped(Mapping[str, Profile]):
    def __getitem__(self, name: str) -> Profile:
        return _profiles()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(_profiles())

    def __len__(self) -> int:
        return len(_profiles())


PROFILES: Mapping[str, Profile] = _Shipped()
