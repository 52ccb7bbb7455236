"""What is known about providers, as tables with the grade of each fact."""

from kannelkit.providers.profile import PROFILES, Profile, Setting

__all__ = ["PROFILES", "Profile", "Setting"]
