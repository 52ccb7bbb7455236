"""The live screen of `kannelkit top`: looks at the gateway, draws a frame at each look and key, does what keys ask."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.live import Live as Screen
from rich.text import Text

from kannelkit.cli.adaptation import said
from kannelkit.cli.frame import Looking, frame
from kannelkit.cli.keyboard import Keyboard
from kannelkit.cli.top import look
from kannelkit.errors import KannelkitError
from kannelkit.spec import Spec
from kannelkit.supervise.asking import ask
from kannelkit.supervise.views import AccountView, Overview, rate_text

_ASK_SECONDS = 5.0
# curves of so many accounts are asked for at the most: those around the selected one
_MOST_CURVES = 60


class Live:
    """Shows one gateway until `q`, Ctrl-C or the end of the terminal, which is left as it was found."""

    def __init__(self, spec: Spec, path: Path, interval: float) -> None:
        self._spec = spec
        self._path = path
        self._interval = interval
        self._looking = Looking()
        self._seen: Overview | None = None
        self._trouble = "looking ..."
        self._ended = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._console = Console()
        self._ascii_only = not (sys.stdout.encoding or "").lower().startswith("utf")
        self._screen: Screen | None = None

    async def run(self) -> None:
        """Show the gateway until somebody asks for an end."""
        loop = asyncio.get_running_loop()
        with Keyboard(sys.stdin.fileno()) as keyboard:
            self._keyboard = keyboard
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._ended.set)
            loop.add_signal_handler(signal.SIGWINCH, self._draw)
            loop.add_signal_handler(signal.SIGTSTP, self._leave_for_a_while)
            loop.add_reader(keyboard.descriptor, self._pressed)
            try:
                self._enter()
                self._begin(self._watch())
                await self._ended.wait()
            finally:
                loop.remove_reader(keyboard.descriptor)
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._leave()

    # -- the screen ----------------------------------------------------------------------------------------------

    def _enter(self) -> None:
        self._screen = Screen(console=self._console, screen=True, auto_refresh=False)
        self._screen.start()
        self._draw()

    def _leave(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            try:
                screen.stop()
            except OSError:
                return  # the terminal was closed

    def _leave_for_a_while(self) -> None:
        """Ctrl-Z: the shell gets its terminal back as it was, and `fg` brings the screen again."""
        self._leave()
        self._keyboard.give_back()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._keyboard.take()
        self._enter()

    def _draw(self) -> None:
        if self._screen is None:
            return
        width, height = self._console.size
        if self._seen is None:
            lines = [Text(f"kannelkit top  {self._path}", "bold"), Text(self._trouble)]
        else:
            lines = frame(self._seen, str(self._path), self._looking, width, height, ascii_only=self._ascii_only)
        whole = Text("\n", no_wrap=True, overflow="crop").join(lines)
        try:
            self._screen.update(whole, refresh=True)
        except OSError:
            self._ended.set()  # the terminal was closed

    # -- looking -------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            begun = clock()
            try:
                self._take(await look(self._spec, self._curves()))
            except KannelkitError as error:
                self._trouble = str(error)
                if self._seen is not None:
                    self._tell(f"no answer: {error.message}")
            self._draw()
            await asyncio.sleep(max(0.05, begun + self._interval - clock()))

    def _curves(self) -> list[str] | None:
        if self._seen is None or len(self._seen.accounts) <= _MOST_CURVES:
            return None
        names = [account.smsc_id for account in self._seen.accounts]
        place = names.index(self._looking.selected) if self._looking.selected in names else 0
        return names[max(0, place - _MOST_CURVES // 2) :][:_MOST_CURVES]

    def _take(self, seen: Overview) -> None:
        self._seen = seen
        names = [account.smsc_id for account in seen.accounts]
        if self._looking.selected not in names:
            self._looking = dataclasses.replace(self._looking, selected=names[0] if names else None, opened=False)

    def _tell(self, text: str) -> None:
        self._looking = dataclasses.replace(self._looking, told=text, question="")

    # -- keys ----------------------------------------------------------------------------------------------------

    def _pressed(self) -> None:
        keys = self._keyboard.keys()
        if keys is None:
            self._ended.set()
            return
        for key in keys:
            self._do(key)
        self._draw()

    def _do(self, key: str) -> None:
        looking = dataclasses.replace(self._looking, told="")
        chosen = self._chosen()
        if looking.question:
            if key == "y" and chosen is not None:
                self._begin(self._switch(chosen))
            self._looking = dataclasses.replace(looking, question="")
            return
        match key:
            case "q":
                self._ended.set()
            case "up" | "k":
                looking = self._moved(looking, -1)
            case "down" | "j":
                looking = self._moved(looking, 1)
            case "enter" | "l":
                looking = dataclasses.replace(looking, opened=not looking.opened, helping=False)
            case "escape":
                looking = dataclasses.replace(looking, opened=False, helping=False)
            case "?" | "h":
                looking = dataclasses.replace(looking, helping=not looking.helping)
            case "p" if chosen is not None:
                looking = dataclasses.replace(looking, question=_question(chosen))
        self._looking = looking

    def _chosen(self) -> AccountView | None:
        accounts = self._seen.accounts if self._seen is not None else ()
        return next((account for account in accounts if account.smsc_id == self._looking.selected), None)

    def _moved(self, looking: Looking, by: int) -> Looking:
        names = [account.smsc_id for account in self._seen.accounts] if self._seen is not None else []
        if looking.selected not in names:
            return looking
        place = min(max(0, names.index(looking.selected) + by), len(names) - 1)
        return dataclasses.replace(looking, selected=names[place])

    async def _switch(self, account: AccountView) -> None:
        do: Literal["pause", "resume"] = "resume" if account.paused else "pause"
        request = {"do": do, "spec": os.path.realpath(self._spec.path), "account": account.smsc_id}
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                answer = await ask(self._spec.state_dir, request, lambda event: None, self._spec)
            self._tell(said(answer["units"][0], self._path))
        except KannelkitError as error:
            self._tell(f"not done: {error.message}")
        except (KeyError, IndexError, TypeError, TimeoutError):
            self._tell("not done: the supervisor does not answer as it should")
        self._draw()

    def _begin(self, what: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(what)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _question(account: AccountView) -> str:
    if account.paused:
        return f"adapt the rate of {account.unit} again? y/n"
    rate = (
        "without a limit"
        if account.throughput is None
        else f"at {rate_text(account.throughput, account.ceiling)} SMS per second"
    )
    return f"pause the adaptation of {account.unit}, so that it stays {rate}? y/n"
