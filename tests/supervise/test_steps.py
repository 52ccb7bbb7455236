"""A plan's steps on a Kannel that is played: it ends as wanted or as it began, and nothing is bound besides."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kannelkit.conf import directive_line
from kannelkit.errors import GatewayError
from kannelkit.plan.compare import plan
from kannelkit.plan.groups import groups
from kannelkit.plan.groups import links as links_of_text
from kannelkit.plan.values import Add, Box, LinkSeen, Plan, Recreate, Restart, Step
from kannelkit.supervise.asrun import AsRun
from kannelkit.supervise.steps import Steps
from tests.supervise.played import Observed, PlayedKannel, passes, played

GOOD, OTHER, REFUSES, AWAY = "2001", "2002", "2003", "2004"


@dataclass(frozen=True)
class Wish:
    """One account: where its links are bound to, how many there are, at which rate, and what they take."""

    port: str = GOOD
    links: int = 1
    throughput: int = 30
    prefix: str = "7900"


def text(wishes: Mapping[str, Wish], admin_port: int = 13000) -> str:
    """Return the kannel.conf of these accounts."""
    made = [{"group": "core", "admin-port": str(admin_port), "admin-password": "secret", "smsbox-port": "13001"}]
    made.append({"group": "smsbox", "bearerbox-host": "127.0.0.1"})
    for name, wish in wishes.items():
        for number in range(1, wish.links + 1):
            made.append({**_link(name, f"{name}-{number}", wish.port, wish), "throughput": str(wish.throughput)})
        made.append(_link(name, f"{name}-park", "1", wish))
    return "\n".join("".join(f"{directive_line(*each)}\n" for each in group.items()) for group in made)


def _link(account: str, name: str, port: str, wish: Wish) -> dict[str, str]:
    return {
        "group": "smsc",
        "smsc": "smpp",
        "smsc-id": account,
        "smsc-admin-id": name,
        "allowed-prefix": wish.prefix,
        "host": "127.0.0.1",
        "port": port,
        "smsc-username": "u",
        "smsc-password": "p",
    }


@dataclass
class Trial:
    """A played gateway that runs with some accounts, and what is done to it."""

    before: str
    refusing: Collection[str] = (REFUSES,)
    away: Collection[str] = (AWAY,)
    told: list[Step] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    boxes: list[str] = field(default_factory=list)
    good: list[tuple[float, float]] | None = None

    def __post_init__(self) -> None:
        self.kannel = PlayedKannel(self.before, self.refusing, self.away)
        self.as_run = AsRun(self.before)

    async def planned(self, wanted: str) -> Plan:
        seen = [LinkSeen(link.admin_id, link.state) for link in (await self.kannel.status()).links]
        return plan(self.as_run.text, wanted, seen)

    async def bring(
        self, wanted: str, *, bound: frozenset[str] | None = None, hurried: bool = False, discard: bool = False
    ) -> Plan:
        found = await self.planned(wanted)
        observed = Observed(self.kannel)
        if self.good is not None:
            observed.good = self.good

        def write(file: str) -> None:
            self.kannel.file = file

        steps = Steps(
            self.as_run,
            self.kannel,
            observed,
            self,
            write,
            lambda account, note: self.notes.append(note),
            self.told.append,
            watched=self.as_run.accounts(),
            bound=bound,
            hurried=hurried,
            discard=discard,
        )
        await steps.carry_out(found)
        return found

    def alive(self) -> bool:
        return True

    async def stop(self, name: Box) -> None:
        self.boxes.append(f"stop {name}")

    async def start(self, name: Box, core: Mapping[str, str]) -> None:
        self.boxes.append(f"start {name}")
        if name == "bearerbox":
            self.kannel.start_all()

    def runs(self, wanted: str) -> bool:
        """Return whether every link runs with its group of this text, and the file and `as_run` say the same."""
        links = {name: dict(each[0]) for name, each in links_of_text(groups(wanted)).items()}
        as_run = {name: dict(self.as_run.link(name)[0]) for name in self.as_run.names}
        in_file = {name: dict(each[0]) for name, each in links_of_text(groups(self.kannel.file)).items()}
        return {name: dict(values) for name, values in self.kannel.runs.items()} == links == as_run == in_file


wishes = st.dictionaries(
    st.sampled_from("abc"),
    st.builds(
        Wish,
        port=st.sampled_from([GOOD, OTHER]),
        links=st.integers(1, 2),
        throughput=st.sampled_from([20, 30]),
        prefix=st.sampled_from(["7900", "7901"]),
    ),
    min_size=1,
)


@given(before=wishes, after=wishes)
@settings(max_examples=60)
def test_the_gateway_ends_as_wanted_and_binds_what_the_plan_says(
    before: Mapping[str, Wish], after: Mapping[str, Wish]
) -> None:
    trial = Trial(text(before))
    found = played(trial.bring(text(after)))
    assert trial.runs(text(after))
    assert trial.told == list(found.steps)
    bound = {step.link for step in found.steps if isinstance(step, Add | Recreate)}
    assert trial.kannel.binds == {name: 1 for name in bound if not name.endswith(("-park", "-waiting"))}
    assert not set(trial.kannel.routeless) & set(before) & set(after)


@given(before=wishes, after=wishes, bad=st.sampled_from([REFUSES, AWAY]), which=st.integers(0, 5))
@settings(max_examples=60)
def test_what_fails_at_any_step_can_be_taken_back(
    before: Mapping[str, Wish], after: Mapping[str, Wish], bad: str, which: int
) -> None:
    name = sorted(after)[which % len(after)]
    wanted = text({**after, name: Wish(bad, after[name].links, after[name].throughput, after[name].prefix)})
    trial = Trial(text(before))

    async def there_and_back() -> None:
        with pytest.raises(GatewayError, match=r"refused its bind|did not come online"):
            await trial.bring(wanted)
        await trial.bring(text(before), bound=AsRun(text(before)).names, hurried=True)

        states = {link.admin_id: link.state for link in (await trial.kannel.status()).links}
        assert {state for name, state in states.items() if not name.endswith("-park")} == {"online"}

    played(there_and_back())
    assert trial.runs(text(before))
    assert not set(trial.kannel.routeless) & set(before) & set(after)


def test_a_link_without_a_quiet_moment_takes_no_new_messages_until_it_has_sent_what_it_has() -> None:
    trial = Trial(text({"a": Wish()}), good=[])
    trial.kannel.queued = {"a-1": 3}

    async def drains() -> None:
        await passes(12)
        assert trial.kannel.runs["a-1"]["allowed-smsc-id"] == "kannelkit-closed"
        assert "allowed-smsc-id" not in trial.kannel.runs["a-park"]
        assert ("stop", "a-1") not in trial.kannel.said
        trial.kannel.queued = {}

    async def both() -> None:
        await asyncio.gather(trial.bring(text({"a": Wish(OTHER)})), drains())

    played(both())
    assert trial.runs(text({"a": Wish(OTHER)}))
    assert trial.kannel.binds == {"a-1": 1}
    assert any("never at rest" in note for note in trial.notes)


def test_a_link_that_never_drains_is_left_as_it_was() -> None:
    before = text({"a": Wish()})
    trial = Trial(before, good=[])
    trial.kannel.queued = {"a-1": 3}
    with pytest.raises(GatewayError, match="has not sent what it has"):
        played(trial.bring(text({"a": Wish(OTHER)})))
    assert trial.runs(before)
    assert trial.kannel.binds == {}


@pytest.mark.parametrize("discard", [False, True])
def test_an_account_goes_only_when_nothing_waits_for_it_or_that_is_given_up(discard: bool) -> None:
    before, after = text({"a": Wish(), "b": Wish()}), text({"a": Wish()})
    trial = Trial(before)
    trial.kannel.queued = {"b-1": 7}
    if discard:
        played(trial.bring(after, discard=True))
        assert trial.runs(after)
        assert any("7 messages" in note for note in trial.notes)
    else:
        with pytest.raises(GatewayError, match="7 messages wait"):
            played(trial.bring(after))
        assert trial.runs(before)
        assert trial.kannel.said == []


def test_a_new_account_takes_messages_only_when_all_its_links_are_online() -> None:
    before = text({"a": Wish()})
    trial = Trial(before)
    with pytest.raises(GatewayError, match=r"b-1: 127\.0\.0\.1:2003 refused its bind"):
        played(trial.bring(text({"a": Wish(), "b": Wish(REFUSES)})))
    assert trial.kannel.runs["b-park"]["allowed-smsc-id"] == "kannelkit-closed"
    assert ("reload", "") not in trial.kannel.said


def test_with_bearerbox_every_link_is_stopped_first() -> None:
    before, after = text({"a": Wish(), "b": Wish()}), text({"a": Wish(), "b": Wish()}, admin_port=13010)
    trial = Trial(before)
    found = played(trial.bring(after))
    assert found.steps == (Restart(("bearerbox", "smsbox")),)
    assert [name for word, name in trial.kannel.said if word == "stop"] == ["a-1", "b-1"]
    assert trial.boxes == ["stop smsbox", "stop bearerbox", "start bearerbox", "start smsbox"]
    assert trial.runs(after)
    assert trial.as_run.core["admin-port"] == "13010"


def test_a_link_that_was_down_before_is_not_waited_for() -> None:
    before = text({"a": Wish(AWAY)})
    trial = Trial(before)
    after = text({"a": Wish(AWAY, throughput=20)})
    played(trial.bring(after))
    assert trial.runs(after)


def test_what_cannot_be_taken_back_keeps_nothing_else_from_it() -> None:
    """The old host of one link is gone by the time; the other links are brought back all the same."""
    before = text({"a": Wish(), "b": Wish(), "c": Wish()})
    trial = Trial(before)

    async def there_and_back() -> None:
        await trial.bring(text({"a": Wish(OTHER), "b": Wish(OTHER), "c": Wish()}))
        trial.kannel.file = before
        trial.kannel.refusing = (GOOD,)
        with pytest.raises(GatewayError, match=r"a-1: .*; b-1: "):
            await trial.bring(before, bound=AsRun(before).names, hurried=True)

    played(there_and_back())
    assert trial.runs(before)


def test_an_account_that_goes_with_a_restart_of_bearerbox_is_waited_for_as_well() -> None:
    before, after = text({"a": Wish(), "b": Wish()}), text({"a": Wish()}, admin_port=13010)
    trial = Trial(before)
    trial.kannel.queued = {"b-1": 7}
    with pytest.raises(GatewayError, match="7 messages wait"):
        played(trial.bring(after))
    assert trial.boxes == []
    assert trial.runs(before)
