"""Work with a time limit: what hangs is left alone, and what fails fails for who asks."""

from __future__ import annotations

import threading
import time

import pytest

from kannelkit.health.bounded import Bounded, Late


def test_work_that_hangs_is_left_alone() -> None:
    release = threading.Event()
    work = Bounded(lambda: release.wait(30))
    with pytest.raises(Late):
        work.result(time.monotonic() + 0.01)
    assert work.running
    release.set()
    assert work.result(time.monotonic() + 30) is True
    assert not work.running


def test_work_that_fails_fails_for_who_asks() -> None:
    with pytest.raises(TimeoutError, match="own"):
        Bounded(lambda: _raise(TimeoutError("own"))).result(time.monotonic() + 30)


def _raise(error: Exception) -> None:
    raise error
