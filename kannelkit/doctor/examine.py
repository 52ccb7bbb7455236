"""All steps, one after the other, each within its own time; what needs the network is under way from the beginning."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime

from kannelkit.conf import check
from kannelkit.doctor import certificates, kannel, look, machine
from kannelkit.doctor.live import stands_still
from kannelkit.doctor.network import Binds, Network
from kannelkit.doctor.steps import STEPS
from kannelkit.doctor.threads import aside
from kannelkit.doctor.values import Result, Status, counted
from kannelkit.errors import KannelkitError
from kannelkit.findings import Finding
from kannelkit.lint.report import counted as by_severity
from kannelkit.lint.report import severity
from kannelkit.render import accounts, kannel_conf
from kannelkit.spec import Spec
from kannelkit.spec.model import MADE_PORT
from kannelkit.supervise.commands import supervise, watched
from kannelkit.supervise.readings import look as look_at_gateway
from kannelkit.supervise.views import Overview, duration

__all__ = ["Binds", "Request", "by_status", "examine"]

# a step of this machine's at the most
_LOCAL_SECONDS = 10.0
_MOST_TOLD = 5
# lint's rules about what has a step of its own: certificates
_SAID_ELSEWHERE = frozenset({"E170", "E171", "W270", "I330"})
_BEGINS = {False: "starts it", True: "looks after it when Kannel has been started"}
_WITHOUT_SPEC = frozenset({"kannel", "spec", "secrets", "limits", "clock"})


@dataclass(frozen=True, slots=True)
class Request:
    """What to examine: the spec (None where it cannot be read), `findings` of lint's, `missing` those of secrets that
    are not at hand, `named` as a command names the spec; only these steps, within so many seconds.
    """

    spec: Spec | None
    findings: Sequence[Finding]
    missing: Sequence[Finding]
    named: str
    binds: Binds = "auto"
    only: frozenset[str] = frozenset(STEPS)
    seconds: float = 60.0


async def examine(request: Request, begun: Callable[[str], None] = lambda what: None) -> AsyncGenerator[Result]:
    """Yield the results of the steps, each when it has ended; `begun` is told what is waited for.

    Raises nothing for what is found.
    """
    async with (
        Network(request.spec, request.binds, request.seconds) as network,
        aclosing(_Examination(request, network, begun).results()) as results,
    ):
        async for result in results:
            yield result


class _Examination:
    def __init__(self, request: Request, network: Network, begun: Callable[[str], None]) -> None:
        self._request = request
        self._network = network
        self._begun = begun
        self._clock = asyncio.get_running_loop().time
        self._end = self._clock() + request.seconds
        self._seen: Overview | None = None

    async def results(self) -> AsyncGenerator[Result]:
        """Yield the results in the order of the steps."""
        spec = self._request.spec
        self._network.set_out(self._request.only)
        if self._wanted("kannel"):
            for each in await self._local("kannel", lambda: kannel.judged(look.programs(), spec)):
                yield each
        for step, said in (("spec", self._spec), ("secrets", self._secrets)):
            if self._wanted(step):
                for each in said():
                    yield each
        if spec is None:
            for step in ("limits", "clock"):
                for each in await self._machine(step, None):
                    yield each
            for each in self._without_spec():
                yield each
            return
        if self._wanted("conf"):
            for each in await self._local("conf", lambda: _conf(spec)):
                yield each
        if self._wanted("gateway", "ports", "rights", "limits", "bind"):
            for each in await self._local("gateway", lambda: self._gateway(spec)):
                if self._wanted("gateway"):
                    yield each
        for step in ("ports", "rights", "disk", "limits", "clock", "certificate"):
            for each in await self._machine(step, spec):
                yield each
        async for each in self._network.results(self._request.only, self._seen, self._begun):
            yield each

    def _wanted(self, *steps: str) -> bool:
        return not self._request.only.isdisjoint(steps)

    async def _local(self, step: str, found: Callable[[], Iterable[Result]]) -> Sequence[Result]:
        """Return what a step on this machine found, in a thread of its own: a file system may hang."""
        self._begun(step)
        begun = self._clock()
        seconds = min(_LOCAL_SECONDS, self._end - begun)
        if seconds <= 0:
            return [Result(step, "skipped", "no time was left", "--timeout gives more")]
        try:
            results = await aside(lambda: list(found()), seconds)
        except TimeoutError:
            words = f"not done within {seconds:.0f} s"
            results = [Result(step, "failed", words, "does a disk, a file server or a name server not answer?")]
        except KannelkitError as error:
            results = [Result(step, "failed", error.message, error.hint)]
        except OSError as error:
            results = [Result(step, "failed", f"could not be looked at: {error}", "run as the boxes' user, or as root")]
        took = self._clock() - begun
        return [dataclasses.replace(each, seconds=took) for each in results]

    # -- the spec

    def _spec(self) -> Iterator[Result]:
        findings = [finding for finding in self._request.findings if finding.rule not in _SAID_ELSEWHERE]
        errors = [finding for finding in findings if severity(finding.rule) == "error"]
        for finding in errors[:_MOST_TOLD]:
            yield Result("spec", "failed", f"{finding.place}: {finding.rule}: {finding.message}", finding.hint)
        more = f"kannelkit lint {self._request.named} shows them"
        if len(errors) > _MOST_TOLD:
            yield Result("spec", "failed", f"{counted(len(errors) - _MOST_TOLD, 'error')} more", more)
        counts = by_severity(findings)
        told = [counted(number, name) for name, number in counts.items() if number and name != "error"]
        if told:
            yield Result("spec", "warning" if counts["warning"] else "ok", f"lint finds {' and '.join(told)}", more)
        elif not errors:
            yield Result("spec", "ok", "lint finds nothing in it")

    def _without_spec(self) -> Iterator[Result]:
        """Yield which steps are left out, and what is wrong with the spec where that is not said already."""
        without = _WITHOUT_SPEC if self._request.missing else _WITHOUT_SPEC - {"secrets"}
        first, *more = [name for name in STEPS if self._wanted(name) and name not in without] or [""]
        if not first:
            return
        if not self._wanted("spec"):
            yield from (each for each in self._spec() if each.status == "failed")
        others = f", nor can {', '.join(more)}" if more else ""
        yield Result(first, "skipped", f"cannot be tried without a sound spec{others}")

    def _secrets(self) -> Iterator[Result]:
        for finding in self._request.missing:
            yield Result("secrets", "failed", f"{finding.place}: {finding.message}", finding.hint)
        if self._request.spec is not None and not self._request.missing:
            made = sum(not name.endswith(MADE_PORT) for name in self._request.spec.to_make())
            more = f"; {counted(made, 'password')} left out, made at the first start" if made else ""
            yield Result("secrets", "ok", f"all that the spec names are at hand{more}")

    # -- the gateway

    def _gateway(self, spec: Spec) -> Iterator[Result]:
        seen = asyncio.run(look_at_gateway(spec, missing=[str(each.place) for each in self._request.missing]))
        self._seen = seen
        if stands_still(seen):
            yield Result("gateway", "ok", f"does not run; {supervise(spec)} {_BEGINS[watched(spec)]}")
            return
        bearerbox = seen.boxes[0]
        since = "" if bearerbox.since is None else f" for {duration(seen.at - bearerbox.since)}"
        online = sum(account.links_online for account in seen.accounts)
        links = sum(account.links_wanted for account in seen.accounts)
        words = f"{seen.state}{since}, Kannel {seen.version or 'of unknown version'}, {online} of {links} links online"
        yield Result("gateway", _weight(seen), words, details=seen.problems)

    # -- this machine

    async def _machine(self, step: str, spec: Spec | None) -> Sequence[Result]:
        if not self._wanted(step):
            return ()
        return await self._local(step, lambda: self._looked(step, spec))

    def _looked(self, step: str, spec: Spec | None) -> Iterator[Result]:
        seen = self._seen
        if step == "clock":
            yield from machine.clock(*look.ntp(), look.ahead(spec.path) if spec else 0.0)
        elif step == "limits":
            links = sum(len(account.links) for account in accounts(spec)) + len(spec.other_smscs) if spec else 0
            yield from machine.limits(*look.descriptors(look.bearerbox(spec, seen) if spec else None), links)
        elif spec is None:
            return
        elif step == "ports":
            yield from machine.ports(look.ports(spec, seen))
        elif step == "rights":
            user = look.runner(spec, seen)
            yield from machine.rights(look.access(spec, user), user.name, user.how)
        elif step == "disk":
            yield from machine.disk(look.spaces(spec), spec.health_thresholds["disk-percent"])
        elif step == "certificate":
            shown = look.certificates(spec)
            yield from certificates.own(shown, datetime.now(UTC), spec.health_thresholds["certificate-days"])
            if not shown:
                yield Result("certificate", "ok", "no account shows one")


def _weight(seen: Overview) -> Status:
    if not seen.problems:
        return "ok"
    down = any(box.state in ("silent", "stopped", "unconnected") for box in seen.boxes)
    return "failed" if down or any(account.state == "offline" for account in seen.accounts) else "warning"


def _conf(spec: Spec) -> Iterator[Result]:
    text = kannel_conf(spec, made=dict.fromkeys(spec.to_make(), "made-at-the-start"))
    findings = check(text)
    for finding in findings[:_MOST_TOLD]:
        words = f"line {finding.place.line} of what is generated: {finding.message}"
        yield Result("conf", "failed", words, finding.hint)
    if not findings:
        links = sum(len(account.links) for account in accounts(spec)) + len(spec.other_smscs)
        yield Result("conf", "ok", f"Kannel would read what is generated, {counted(links, 'link')} in all")


def by_status(results: Iterable[Result]) -> Mapping[Status, int]:
    """Return how many results there are of each status."""
    counts: dict[Status, int] = {"ok": 0, "warning": 0, "failed": 0, "skipped": 0}
    for result in results:
        counts[result.status] += 1
    return counts
