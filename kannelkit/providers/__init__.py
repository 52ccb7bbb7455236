"""What is known about providers, as tables with the grade of each fact."""

from kannelkit.providers.profile import Fact, Limits, Profile, Setting
from kannelkit.providers.reading import read_profiles
from kannelkit.providers.shipped import PROFILES

__all__ = ["PROFILES", "Fact", "Limits", "Profile", "Setting", "read_profiles"]
