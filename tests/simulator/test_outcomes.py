"""Which messages end how."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kannelkit.providers.channels import Channel
from kannelkit.providers.statuses import Hlr, hlr_text
from kannelkit.simulator import Behaviour, Outcome, OutcomeRule, Simulator
from kannelkit.simulator.outcomes import DELIVERED, ENDS, Outcomes, subscriber
from kannelkit.smpp.constants import CommandId, MessageState
from tests.simulator.esme import Esme, message

WRITTEN = [
    ("err=220", OutcomeRule(err=220)),
    (
        "to=7916*,share=0.1,err=220,state=UNDELIV,after=2",
        OutcomeRule("7916*", share=0.1, state="UNDELIV", err=220, after=2),
    ),
    (
        "from=SHOP,login=a*,channel=hlr,nth=2,state=expired",
        OutcomeRule("*", "SHOP", "a*", Channel.HLR, 1, 2, "EXPIRED"),
    ),
    ("imsi=", OutcomeRule(hlr=Hlr())),
    ("to=*, mcc=250 ,net=A+B%2CC", OutcomeRule(hlr=Hlr(mcc="250", network="A B,C"))),
]


@pytest.mark.parametrize(("text", "rule"), WRITTEN)
def test_rule_as_it_is_written(text: str, rule: OutcomeRule) -> None:
    assert OutcomeRule.parse(text) == rule
    assert OutcomeRule.parse(str(rule)) == rule


RULES = st.builds(
    OutcomeRule,
    to=st.from_regex(r"[0-9*?]{1,12}", fullmatch=True),
    source=st.from_regex(r"[A-Za-z*]{1,12}", fullmatch=True),
    channel=st.none() | st.sampled_from(Channel),
    share=st.floats(0, 1),
    nth=st.none() | st.integers(1, 1_000_000),
    state=st.sampled_from(["", *ENDS]),
    err=st.integers(0, 255),
    after=st.none() | st.floats(0, 86_400),
    hlr=st.none()
    | st.builds(Hlr, imsi=st.from_regex(r"[0-9]{1,15}", fullmatch=True), network=st.text("ab ,=:&%+~", max_size=15)),
)


@given(RULES)
def test_rule_is_written_and_read_back(rule: OutcomeRule) -> None:
    assert OutcomeRule.parse(str(rule)) == rule


WRONG = [
    ("", "name=value"),
    ("err", "no such part"),
    ("error=1", "no such part of an outcome: error=1"),
    ("err=256", "err is a number from 0 to 255"),
    ("err=x", "err is a number from 0 to 255"),
    ("share=1.1", "share is"),
    ("share=nan", "share is"),
    ("nth=0", "nth is"),
    ("after=-1", "after is"),
    ("after=inf", "after is"),
    ("state=ENROUTE", "state is one of DELIVRD"),
    ("channel=fax", "channel is one of sms, mail"),
    ("to=", "to is a pattern"),
    ("imsi=abc", "imsi"),
    ("net=" + "x" * 300, "octets"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_what_is_no_rule_is_told(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        OutcomeRule.parse(text)


def chosen(rules: list[str], number: str, source: str = "SHOP", channel: Channel = Channel.SMS) -> tuple[str, int]:
    outcome = Outcomes([OutcomeRule.parse(rule) for rule in rules], b"salt", 100).choose(
        "test", source, number, channel
    )
    return outcome.state, outcome.err


CHOSEN: list[tuple[list[str], str, str, Channel, tuple[str, int]]] = [
    ([], "7916", "SHOP", Channel.SMS, ("DELIVRD", 0)),
    (["err=1", "err=2"], "7916", "SHOP", Channel.SMS, ("UNDELIV", 1)),
    (["to=7915*,err=1", "to=7916*,err=2"], "79161234567", "SHOP", Channel.SMS, ("UNDELIV", 2)),
    (["from=BANK,err=1"], "7916", "SHOP", Channel.SMS, ("DELIVRD", 0)),
    (["login=other,err=1"], "7916", "SHOP", Channel.SMS, ("DELIVRD", 0)),
    (["channel=mail,state=REJECTD,err=2"], "7916", "SHOP", Channel.SMS, ("DELIVRD", 0)),
    (["channel=mail,state=REJECTD,err=2"], "7916", "SHOP", Channel.MAIL, ("REJECTD", 2)),
    (["share=0,err=1"], "7916", "SHOP", Channel.SMS, ("DELIVRD", 0)),
    (["state=EXPIRED"], "7916", "SHOP", Channel.SMS, ("EXPIRED", 0)),
]


@pytest.mark.parametrize(("rules", "number", "source", "channel", "end"), CHOSEN)
def test_first_rule_that_is_for_a_message_decides(
    rules: list[str], number: str, source: str, channel: Channel, end: tuple[str, int]
) -> None:
    assert chosen(rules, number, source, channel) == end


NUMBERS = [f"79{number:09d}" for number in range(2000)]


def test_a_share_of_the_numbers_is_chosen_by_the_seed() -> None:
    rules = [OutcomeRule.parse("share=0.1,err=220")]

    def failing(salt: bytes, numbers: list[str]) -> set[str]:
        outcomes = Outcomes(rules, salt, 100)
        return {each for each in numbers if outcomes.choose("test", "SHOP", each, Channel.SMS).err == 220}

    first = failing(b"one", NUMBERS)
    assert 140 < len(first) < 260  # 200 of 2,000; four standard deviations
    assert failing(b"one", NUMBERS[::-1]) == first  # the order does not matter
    assert failing(b"two", NUMBERS) != first


def test_a_script_says_what_becomes_of_each_try() -> None:
    outcomes = Outcomes([OutcomeRule.parse(rule) for rule in ("nth=1,err=6", "nth=2,state=EXPIRED")], b"", 100)
    for number in ("79161111111", "79162222222"):
        tries = [outcomes.choose("test", "SHOP", number, Channel.SMS).state for _ in range(4)]
        assert tries == ["UNDELIV", "EXPIRED", "DELIVRD", "DELIVRD"]
    assert outcomes.choose("other", "SHOP", "79161111111", Channel.SMS).err == 6  # another account's own first try


def test_tries_are_counted_for_as_many_numbers_as_may_be_kept() -> None:
    outcomes = Outcomes([OutcomeRule(nth=2, err=1)], b"", 10)
    for number in range(100):
        outcomes.choose("test", "SHOP", str(number), Channel.SMS)
    assert outcomes.choose("test", "SHOP", "99", Channel.SMS).err == 1
    assert outcomes.choose("test", "SHOP", "1", Channel.SMS) == DELIVERED


@given(st.text(max_size=20))
def test_hlr_knows_something_of_whatever_a_client_calls_a_number(number: str) -> None:
    assert hlr_text("1", "DELIVRD", 0, subscriber(number))


async def test_rules_hold_from_the_next_message_on() -> None:
    behaviour = Behaviour(receipt_delay=0)
    async with Simulator(behaviour=behaviour, outcomes=["err=6,after=0"]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        ids = [(await esme.submit_and_wait(b"a")).octets("message_id")]
        smsc.change_outcomes([OutcomeRule(state="EXPIRED")])
        ids.append((await esme.submit_and_wait(b"b")).octets("message_id"))
        with pytest.raises(ValueError, match="err is"):
            smsc.change_outcomes(["state=REJECTD", "err=x"])
        ids.append((await esme.submit_and_wait(b"c")).octets("message_id"))
        smsc.change_outcomes([])
        ids.append((await esme.submit_and_wait(b"d")).octets("message_id"))
        answers = [await esme.ask(CommandId.QUERY_SM, {"message_id": each}) for each in ids]
        assert [(each.number("message_state"), each.number("error_code")) for each in answers] == [
            (MessageState.UNDELIVERABLE, 6),
            (MessageState.EXPIRED, 0),
            (MessageState.EXPIRED, 0),
            (MessageState.DELIVERED, 0),
        ]


async def test_a_rule_says_when_a_message_ends() -> None:
    async with Simulator(outcomes=["to=1*,after=3600"]) as smsc, Esme(smsc.port) as esme:
        await esme.bind()
        late = (await esme.ask(CommandId.SUBMIT_SM, message(b"a", to=b"12"))).octets("message_id")
        answer = await esme.ask(CommandId.QUERY_SM, {"message_id": late})
        assert answer.number("message_state") == MessageState.ENROUTE
        assert smsc.account("test").recent(1)[0].outcome == Outcome(after=3600)


@pytest.mark.parametrize(
    ("registered", "state", "wanted"),
    [
        (0, "DELIVRD", False),
        (0, "UNDELIV", False),
        (1, "DELIVRD", True),
        (1, "UNDELIV", True),
        (2, "DELIVRD", False),
        (2, "EXPIRED", True),
        (3, "DELIVRD", True),
        (3, "REJECTD", False),
    ],
)
async def test_registered_delivery_says_which_ends_are_told(registered: int, state: str, wanted: bool) -> None:
    handed: list[int] = []
    behaviour = Behaviour(receipt_delay=0)
    async with Simulator(behaviour=behaviour, outcomes=[f"to=1,state={state}"]) as smsc, Esme(smsc.port) as esme:
        smsc.statuses = lambda account, told: handed.append(told.id)
        await esme.bind()
        esme.send(CommandId.SUBMIT_SM, {**message(b"a", to=b"1"), "registered_delivery": registered})
        esme.send(CommandId.SUBMIT_SM, message(b"b", receipt=True))  # whose receipt comes last
        received = [await esme.receive() for _ in range(3 + wanted)]
        told = [each.octets("short_message")[:5] for each in received if each.command_id == CommandId.DELIVER_SM]
        assert told == [b"id:1 "] * wanted + [b"id:2 "]
        assert handed == ([1] if registered == 0 else [])
