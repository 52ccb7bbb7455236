"""Which spec the kannel.conf stands for that somebody else's boxes were started with.

That is the spec which is followed already; or the one that the file was written from, while the spec was changed since
and not applied; or the changed one, when somebody generated the file from it and restarted Kannel.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kannelkit.errors import HostError, InputError
from kannelkit.gateway.status import GatewayStatus
from kannelkit.plan.compare import plan
from kannelkit.plan.values import LinkSeen, Restart
from kannelkit.spec import Spec
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import Configuration, succeed
from kannelkit.supervise.kept import keep, kept
from kannelkit.supervise.running import Running
from kannelkit.supervise.sharedconf import SharedConf, as_generated, gist, is_half_done, is_ours


class StartedFrom:
    """Has the gateway's configuration be what its file stands for.

    `behind` are the units whose links may run at another rate than what is in force; `cut_off` is whether the file is
    that of a change which was being applied when kannelkit was ended.
    """

    def __init__(self, running: Running, changes: Changes, shared: SharedConf) -> None:
        self.behind: frozenset[str] = frozenset()
        self.cut_off = False
        self._running = running
        self._changes = changes
        self._shared = shared

    def take_first(self, text: str) -> None:
        """Go on with the spec that the file stands for: it may have been changed since, and not applied.

        Raises HostError where the file is somebody else's.
        """
        running, path = self._running, self._shared.path
        spec = running.configuration.spec
        if is_ours(text):
            if self._takes(text, spec):
                return
            before = kept(spec.state_dir)
            if before is not None:
                if self._takes(text, before):
                    running.say(
                        "spec-changed", f"the spec was changed and is not in force: kannelkit apply {spec.path}"
                    )
                    return
                if is_half_done(text):
                    self._take(succeed(running.configuration, before))
                    self.cut_off = True
                    return
        raise _others(spec, path, text)

    def take_again(self, text: str, load: Callable[[], Spec]) -> str:
        """Go on with the spec that the file stands for now that bearerbox was started with it: the one that is
        followed, or the one that `load` returns.

        Return why that is not possible, "" where it is. Raises HostError where it cannot be kept.
        """
        running = self._running
        spec = running.configuration.spec
        if self.cut_off or (is_ours(text) and self._takes(text, spec)):
            return ""
        try:
            spec = load()
        except InputError:  # it is being written: what it was before is what the file is held against
            return _others(spec, self._shared.path, text).message
        if spec.state_dir != running.configuration.spec.state_dir or spec.files.kannel_conf != self._shared.path:
            return f"{spec.path} is the spec of another gateway now: start kannelkit watch anew"
        if not is_ours(text) or not self._takes(text, spec):
            return _others(spec, self._shared.path, text).message
        running.say("applied", f"Kannel was started with what {spec.path} stands for now: it is in force")
        return ""

    def take_with_smsbox(self, text: str, load: Callable[[], Spec], status: GatewayStatus) -> bool:
        """Go on with the spec that `load` returns where the file stands for it, and smsbox alone, which was started
        with it just now, runs otherwise than before; return whether it does. Raises HostError.
        """
        try:
            spec = load()
        except InputError:
            return False
        former = self._running.configuration
        if spec.state_dir != former.spec.state_dir or not is_ours(text) or as_generated(spec, text) is None:
            return False
        seen = [LinkSeen(link.admin_id, link.state) for link in status.links]
        steps = plan(former.conf.text, succeed(former, spec).conf.text, seen).steps
        if any(step != Restart(("smsbox",)) for step in steps):
            return False
        self._takes(text, spec)
        return True

    def _takes(self, text: str, spec: Spec) -> bool:
        """Go on with a spec where the file stands for it, rates and sides apart; return whether it does."""
        running = self._running
        found = as_generated(spec, text)
        if found is None:
            return False
        cut_off = running.memory.unsettled()
        if spec is not running.configuration.spec:
            self._take(succeed(running.configuration, spec))
        keep(spec)
        conf = running.configuration.conf
        self.behind |= cut_off | {
            unit for unit in running.configuration.rates if found.shares.get(unit, ()) != conf.shares(unit)
        }
        return True

    def _take(self, configuration: Configuration) -> None:
        self._running.take(configuration)
        self._changes.follow()


def _others(spec: Spec, path: Path, text: str) -> HostError:
    """Return the error that a file is not what its spec stands for, with what is different."""
    if as_generated(spec, text) is not None:
        return HostError(
            f"{path} says what {spec.path} stands for, but kannelkit did not write it: its comments would be lost",
            f"have it written: kannelkit generate {spec.path} -o {path}, as the user that owns the file",
        )
    return HostError(
        f"{path} is not what {spec.path} stands for: {gist(spec, text)}",
        f"where the file is right: kannelkit import {path} -o SPEC; where the spec is right: kannelkit generate "
        f"{spec.path} -o {path}, as the user that owns the file; then stop Kannel, and start it when its boxes have "
        "ended",
    )
