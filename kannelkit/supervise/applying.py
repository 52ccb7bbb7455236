"""Applies another spec to the gateway that runs: plans, tries, changes step by step, and takes back what fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NoReturn

from kannelkit.conf.masking import Masking
from kannelkit.errors import GatewayError, InputError, KannelkitError
from kannelkit.findings import Finding
from kannelkit.plan.compare import plan
from kannelkit.plan.relay import with_relay
from kannelkit.plan.values import Add, LinkSeen, Plan, Rate, Recreate, Reload, Remove, Reroute, Restart, Step
from kannelkit.render import kannel_conf, misread
from kannelkit.spec import Spec
from kannelkit.supervise.asrun import AsRun
from kannelkit.supervise.changes import Changes
from kannelkit.supervise.configuration import Configuration, succeed
from kannelkit.supervise.kept import keep
from kannelkit.supervise.relaysettings import Settings, relay_accounts
from kannelkit.supervise.running import Running
from kannelkit.supervise.steps import Steps
from kannelkit.supervise.trial import Trial

Tell = Callable[[Mapping[str, object]], None]
Faults = Callable[[Spec], Sequence[Finding]]

# bearerbox tries again after a second, and the relay waits for a connection and for a bind for 10 s each
_BOUND_WITHIN, _LOOK_EVERY = 25.0, 0.1


@dataclass(frozen=True, slots=True)
class Asked:
    """How a change is to be applied: with a `digest` exactly that plan or nothing; `agreed` to its dangers; `discard`
    gives up messages that wait for an account that goes; `force` has new errors that lint finds be no reason not to.
    """

    digest: str | None = None
    agreed: bool = False
    discard: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan with the configuration that it leads to."""

    plan: Plan
    configuration: Configuration


class Applying:
    """Brings the gateway to other specs, one at a time.

    `load` reads the spec file anew, and raises InputError or HostError; `faults` returns what it would be wrong to
    begin, of a spec with its text in the file that runs. Both may take their time, in a thread of their own.
    """

    def __init__(self, running: Running, changes: Changes, load: Callable[[], Spec], faults: Faults) -> None:
        self._running = running
        self._changes = changes
        self._load = load
        self._faults = faults
        self._one = asyncio.Lock()
        self._taking_back: asyncio.Task[None] | None = None
        self._trial = Trial(running.configuration.spec.state_dir, running.keep)

    @property
    def under_way(self) -> bool:
        """Whether something is being applied now."""
        return self._one.locked()

    async def planned(self) -> Planned:
        """Return what the spec file asks for now. Raises KannelkitError."""
        running = self._running
        spec = await asyncio.to_thread(self._load)
        former = running.configuration.spec
        if spec.state_dir != former.state_dir:
            raise GatewayError(
                f"the gateway's state-dir is {former.state_dir}, the spec's is {spec.state_dir}",
                "that is another gateway: stop this one and start that one",
            )
        if spec.files.kannel_conf != former.files.kannel_conf:
            raise GatewayError(
                f"the gateway's kannel.conf is {former.files.kannel_conf}, the spec's is {spec.files.kannel_conf}",
                "stop kannelkit, and start it again with the spec as it is now",
            )
        configuration = succeed(running.configuration, spec)
        found = await asyncio.to_thread(
            plan,
            running.configuration.conf.text,
            configuration.conf.text,
            await self._seen(),
            secrets=spec.secrets() | former.secrets(),
            rates=rates_of(configuration),
            unlearnt=kannel_conf(spec),
        )
        found = with_relay(found, running.relay.accounts, relay_accounts(spec), reloads=running.relay.reloads)
        return Planned(found, configuration)

    async def apply(self, asked: Asked, tell: Tell) -> Mapping[str, object]:
        """Apply the spec as it is in its file now; return the last event to tell.

        Raises KannelkitError where nothing was changed, or all of it was taken back.
        """
        if self._one.locked():
            raise GatewayError("another change is being applied", "try again when it is done")
        async with self._alone():
            planned = await self.planned()
            found = planned.plan
            if asked.digest is not None and asked.digest != found.digest:
                raise GatewayError(
                    "the gateway or the spec changed since the plan was shown", "look at the new plan: kannelkit plan"
                )
            self._running.boxes.allow_or_raise(found)
            if found.dangers and not asked.agreed:
                raise GatewayError(
                    "somebody has to agree to this:\n" + "\n".join(f"  {danger}" for danger in found.dangers),
                    "agree with kannelkit apply --yes",
                )
            unsettled = self._running.memory.unsettled() & self._running.configuration.rates.keys()
            if unsettled:
                raise GatewayError(
                    f"a change of rate is not finished: {', '.join(sorted(unsettled))}", "try again in a minute"
                )
            return await self._apply(planned, asked, tell)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """Keep every other change of the gateway away, and leave no box to nobody."""
        async with self._one, self._changes.hold():
            try:
                yield
            finally:
                self._running.boxes.released()

    async def _apply(self, planned: Planned, asked: Asked, tell: Tell) -> Mapping[str, object]:
        running, found = self._running, planned.plan
        former, wanted = running.configuration, planned.configuration
        if not found.changes:
            self._put(wanted)
            self._take(wanted)
            return {"event": "done", "changes": 0}
        tell({"event": "trial", "text": "a scratch Kannel tries the configuration"})
        await self._try(planned, force=asked.force)
        running.say("apply", f"applying {_count(len(found.changes), 'change')}", digest=found.digest)
        as_run = AsRun(former.conf.text)
        # with those that go: their links are there until a step takes them away
        relayed = {**relay_accounts(former.spec), **relay_accounts(wanted.spec)}
        bound = None
        if running.relay.touched_by(relayed):  # links of those are away meanwhile, and have to be back in the end
            bound = frozenset(link.admin_id for link in await self._seen() if link.state == "online")
        steps = self._steps(as_run, tell, bound=bound, discard=asked.discard)
        try:
            await self._relay(relayed, tell)
            await steps.carry_out(found)
            self._put(wanted)
        except KannelkitError as error:
            running.say("apply-failed", f"not applied: {error.message}")
            tell({"event": "failed", "text": error.message})
            await self._take_back(steps, former, tell, error)
        self._take(wanted)
        await self._relay(relay_accounts(wanted.spec), tell, hurried=True)
        running.say("applied", f"applied: {_count(len(found.changes), 'change')}", digest=found.digest)
        return {"event": "done", "changes": len(found.changes)}

    async def _relay(self, accounts: Mapping[str, Settings], tell: Tell, *, hurried: bool = False) -> None:
        """Have the relay run for these accounts, and unless `hurried` wait until those are bound again that were.

        Raises KannelkitError.
        """
        relay = self._running.relay
        bound = {name for name in relay.touched_by(accounts) if _bound(relay.states.get(name))}
        if touched := relay.touched_by(accounts):
            again = tuple(name for name in touched if name in relay.accounts)
            added = tuple(name for name in touched if name not in relay.accounts)
            text = in_words(Reload(again, added) if relay.reloads else Restart(("relay",)))
            self._running.say("apply-step", text)
            tell({"event": "step", "text": text})
        await relay.bring(accounts)
        clock = asyncio.get_running_loop().time
        deadline = clock() + _BOUND_WITHIN
        while not hurried and (away := [name for name in bound if not _bound(relay.states.get(name))]):
            if clock() >= deadline:
                why = str(relay.states.get(away[0], {}).get("trouble", ""))
                told = f"the relay does not get {away[0]} bound again" + (f": {why}" if why else "")
                raise GatewayError(told, "look at what changes of it, and at kannelkit history")
            await asyncio.sleep(_LOOK_EVERY)
            await relay.look()

    async def _try(self, planned: Planned, *, force: bool) -> None:
        """Raise KannelkitError where the configuration would not do; the gateway that runs is not touched."""
        spec, wanted = planned.configuration.spec, planned.plan.wanted
        if findings := misread(spec, wanted, str(spec.files.kannel_conf)):
            raise InputError(findings)
        if not force and (errors := await asyncio.to_thread(self._faults, spec)):
            raise InputError(errors)
        self._running.boxes.prepare(spec)
        restarted = {box for step in planned.plan.steps if isinstance(step, Restart) for box in step.boxes}
        try:
            await self._trial.run(wanted, smsbox="smsbox" in restarted)
        except GatewayError as error:  # what Kannel says may repeat a value
            raise GatewayError(Masking(spec.secrets()).text(error.message), error.hint) from None

    async def bring_relay(self) -> None:
        """Have the relay run for the spec that is in force, while nothing is being applied. Raises KannelkitError."""
        async with self._one:
            await self._running.relay.bring(relay_accounts(self._running.configuration.spec))

    async def clean(self) -> None:
        """End what an earlier kannelkit left of a trial."""
        await self._trial.clean(self._running.memory.boxes())

    def cut_off(self, changing: Collection[str]) -> bool:
        """Return whether the file is that of a change that an earlier kannelkit was applying when it was cut off; if it
        is not, it is written anew.

        Accounts in `changing` may run at another rate than the file's, which is no sign of it. Has bearerbox commanded
        as the file says.
        """
        conf = self._running.configuration.conf
        as_run = self._on_disk()
        if as_run is not None and not as_run.same(AsRun(conf.text), changing):
            self._running.command_as(as_run.core)
            return True
        conf.write()
        return False

    def take_back_soon(self) -> None:
        """Begin to bring the gateway back to what it ran with before a change that was cut off."""
        self._taking_back = asyncio.create_task(self._take_back_cut_off())

    async def cancel(self) -> None:
        """Break that off; the next kannelkit begins it anew."""
        if self._taking_back is not None:
            self._taking_back.cancel()
            await asyncio.gather(self._taking_back, return_exceptions=True)

    async def _take_back_cut_off(self) -> None:
        """Bring the gateway back to what it ran with before a change that was cut off."""
        async with self._alone():
            former = self._running.configuration
            as_run = self._on_disk() or AsRun(former.conf.text)
            self._running.say("apply", "a change was cut off before its end: it is taken back")
            try:
                await self._undo(as_run, former, lambda event: None, bound=as_run.names)
            except KannelkitError as error:
                self._running.say("apply-failed", f"it could not be taken back whole: {error.message}")
                return
            self._running.say("apply-undone", "everything is as it was before")

    def _on_disk(self) -> AsRun | None:
        """Return what the file says, None where it is no configuration of a gateway."""
        try:
            as_run = AsRun(self._running.configuration.conf.path.read_text())
        except (OSError, UnicodeDecodeError):
            return None
        return as_run if as_run.can_be_commanded else None

    async def _take_back(self, steps: Steps, former: Configuration, tell: Tell, why: KannelkitError) -> NoReturn:
        """Undo the steps that were taken and raise what happened."""
        running, as_run = self._running, steps.as_run
        try:
            if running.bearerbox.running:
                await self._undo(as_run, former, tell, bound=steps.bound or frozenset())
            else:
                await self._relay(relay_accounts(former.spec), tell, hurried=True)
                await running.boxes.down()  # smsbox has lost its bearerbox
                former.conf.write()
                as_run.take(former.conf.text)
                await running.boxes.start("bearerbox", as_run.core)
            if not running.smsbox.running:
                await running.boxes.start("smsbox", as_run.core)
        except KannelkitError as error:
            text = f"{why.message}; it could not be taken back whole: {error.message}"
            running.say("apply-failed", text)
            raise GatewayError(
                text,
                f"{former.conf.path} is as before: what is down is started with it, and kannelkit status shows when",
            ) from error
        running.say("apply-undone", "everything is as it was before")
        raise GatewayError(f"{why.message}; everything was taken back", why.hint) from why

    async def _undo(self, as_run: AsRun, former: Configuration, tell: Tell, bound: frozenset[str]) -> None:
        back = plan(as_run.text, former.conf.text, await self._seen())
        accounts = relay_accounts(former.spec)
        try:
            await self._relay({**self._running.relay.accounts, **accounts}, tell, hurried=True)
            await self._steps(as_run, tell, hurried=True, bound=bound).carry_out(back)
        finally:
            former.conf.write()  # whatever is started from now on is as it was
            self._running.command_as(as_run.core)
        await self._relay(accounts, tell, hurried=True)

    def _put(self, wanted: Configuration) -> None:
        """Have the next kannelkit find the configuration, as the file and as the spec that runs. Raises HostError."""
        wanted.conf.write()
        keep(wanted.spec)

    def _take(self, wanted: Configuration) -> None:
        self._running.take(wanted)
        self._changes.follow()

    def _steps(
        self,
        as_run: AsRun,
        tell: Tell,
        *,
        bound: frozenset[str] | None = None,
        hurried: bool = False,
        discard: bool = False,
    ) -> Steps:
        running = self._running

        def write(text: str) -> None:
            # its groups are those of two texts that were checked
            running.configuration.conf.put(text)

        def told(step: Step) -> None:
            text = ("back: " if hurried else "") + in_words(step)
            running.say("apply-step", text)
            tell({"event": "step", "text": text})

        return Steps(
            as_run,
            running.admin,
            running.watch,
            running.boxes,
            write,
            running.note,
            told,
            watched=frozenset(running.watch.accounts),
            bound=bound,
            hurried=hurried,
            discard=discard,
        )

    async def _seen(self) -> Sequence[LinkSeen]:
        status = await self._running.watch.look()
        return [LinkSeen(link.admin_id, link.state) for link in status.links]


def in_words(step: Step) -> str:
    """Return what a step does, for a person."""
    match step:
        case Recreate(link, _):
            return f"{link}: binding anew"
        case Add(link, _):
            return f"{link}: adding it"
        case Remove(link, _):
            return f"{link}: removing it"
        case Reroute(links):
            return f"{', '.join(links)}: changing routes, no bind touched"
        case Restart(boxes):
            return f"{' and '.join(boxes)}: restarting"
        case Reload(accounts, added):
            again = [f"draining {name} and starting it again" for name in accounts]
            return f"relay: {', '.join([*again, *(f'starting {name}' for name in added)])}; others go on"


def _bound(state: Mapping[str, Any] | None) -> bool:
    """Return whether both sides of an account are bound to the relay, by what that says."""
    return state is not None and bool(state.get("bearerbox")) and bool(state.get("connections"))


def rates_of(configuration: Configuration) -> tuple[Rate, ...]:
    """Return the rates in force that are not the spec's."""
    return tuple(
        Rate(name, rate.throughput, rate.settings.ceiling)
        for name, rate in configuration.rates.items()
        if rate.throughput is not None and rate.throughput != rate.settings.ceiling
    )


def _count(number: int, of: str) -> str:
    return f"{number} {of}" if number == 1 else f"{number} {of}s"
