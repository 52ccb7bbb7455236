"""Links that do not speak SMPP: found in the spec and the status, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kannelkit.gateway.status import LinkStatus
from kannelkit.health import others
from kannelkit.health.checks import report
from kannelkit.health.observed import Observed, Other, Traffic
from kannelkit.health.values import Status
from kannelkit.spec.load import parse
from kannelkit.spec.thresholds import usual
from tests.health.gateway import status
from tests.health.observations import WELL, silent


def other(*states: str, queued: int = 0, of: Observed = WELL) -> Observed:
    """Return what is seen of a gateway whose only account is a modem with links in these states."""
    links = tuple((f"phone{number}", state) for number, state in enumerate(states))
    alone = replace(of, overview=replace(of.overview, accounts=()))
    return replace(alone, others=(Other("phone", "at", links, queued),))


CASES: list[tuple[Observed, str, Status, str]] = [
    (other("online"), "sending", "ok", "phone: sending over 1 of 1 link (at)"),
    (other("online", "dead"), "sending", "ok", "1 of 2 links"),
    (other("connecting"), "sending", "critical", "phone: not sending: phone0 connecting (at)"),
    (other("unknown", of=silent(4)), "sending", "critical", "phone: not sending: bearerbox hangs (at)"),
    (other("online"), "links", "ok", "phone: 1 of 1 links online (at)"),
    (other("online", "dead"), "links", "warning", "phone1 dead; it was stopped"),
    (other("absent"), "links", "critical", "phone0 absent"),
    (other("online", queued=600), "drain", "warning", "phone: 600 messages waiting, and none was sent"),
    (replace(other("online", queued=600), traffic={"phone": Traffic(rate=1)}), "drain", "warning", "for 10 min"),
    (other("online"), "drain", "ok", "phone: nothing waits"),
]


@pytest.mark.parametrize(("seen", "id", "expected", "words"), CASES)
def test_what_is_seen_has_its_answer(seen: Observed, id: str, expected: Status, words: str) -> None:
    (check,) = report(seen, usual()).of(id)
    assert check.status == expected
    assert words in f"{check.summary}; {check.advice}"
    assert bool(check.advice) == (expected != "ok")


@pytest.mark.parametrize("state", ["dead", "absent"])
def test_a_link_that_the_spec_holds_back_is_not_missed(state: str) -> None:
    text = "smsc:\n- {smsc-id: phone, smsc: fake, host: 127.0.0.1, port: 1, dead-start: true}\n"
    held = LinkStatus("fake", "phone", "phone", "dead", None, 0, 0, 0, 0, 0, 0)
    links = () if state == "absent" else (held,)
    (found,) = others.found(parse(text, Path("/spec.yaml"), {}, "spec.yaml"), status(links))
    assert found == Other("phone", "fake", ())
    seen = replace(WELL, overview=replace(WELL.overview, accounts=()), others=(found,))
    assert report(seen, usual()).of("sending") == ()


def test_a_link_that_speaks_no_smpp_is_found_by_its_name() -> None:
    text = (
        "smsc:\n- {smsc-id: phone, smsc: fake, host: 127.0.0.1, port: 1}\n"
        "- {smsc-id: phone, smsc-admin-id: second, smsc: fake, host: 127.0.0.1, port: 2}\n"
    )
    spec = parse(text, Path("/spec.yaml"), {}, "spec.yaml")
    one = LinkStatus("fake", "second", "phone", "online", 5, 0, 7, 0, 0, 0, 0)
    (found,) = others.found(spec, status((one,)))
    assert found == Other("phone", "fake", (("phone", "absent"), ("second", "online")), 7)
    assert others.found(spec, None)[0].links == (("phone", "unknown"), ("second", "unknown"))
