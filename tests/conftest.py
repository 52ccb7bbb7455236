"""How hypothesis runs everywhere: without deadlines, for machines are shared and a slow one is no finding."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("kannelkit", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("kannelkit")
