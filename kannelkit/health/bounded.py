"""Work with a time limit of its own, whatever it hangs in: a disk that is gone, a name server, a lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")


class Late(Exception):  # noqa: N818 - no error that a person can cause
    """The work was not done in time; it goes on by itself, and nobody waits for it."""


class Bounded(Generic[T]):
    """Does work in a thread of its own, which does not keep the process from ending."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._future: Future[T] = Future()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], T]) -> None:
        try:
            self._future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed on: whoever asks for the result gets it
            self._future.set_exception(error)

    @property
    def running(self) -> bool:
        """Whether the work still goes on."""
        return not self._future.done()

    def result(self, until: float) -> T:
        """Return what the work returned, or raise what it raised. Raises Late after `until` (time.monotonic)."""
        try:
            return self._future.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            if self._future.done():  # the work's own
                raise
            raise Late from None
