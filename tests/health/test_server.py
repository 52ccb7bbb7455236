"""The health daemon's HTTP: what each path answers, to whom, and from what was seen alone."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from kannelkit.errors import HostError
from kannelkit.health.exposition import CONTENT_TYPE
from kannelkit.health.server import PATHS, Known, Server
from kannelkit.health.server_door import MOST_CLIENTS
from kannelkit.health.values import SENDING, Check, Figure, Report
from kannelkit.spec import Spec, load
from kannelkit.spec.model import Address
from tests.harness.pem import write_pem
from tests.health.gateway import AT, REPORT, stands, status

TOKEN = "0123456789abcdef"
SECRETS = ("admin-secret", "smsc-pwd", "user-secret", TOKEN)
SPEC = f"""\
core: {{admin-password: {SECRETS[0]}}}
sendsms-user: [{{username: app, password: {SECRETS[2]}}}]
smsc:
- {{smsc-id: one, host: smpp.example.net, smsc-username: login, smsc-password: {SECRETS[1]}, denied-prefix: +44}}
- {{smsc-id: two, host: smpp.example.org, smsc-username: login, smsc-password: {SECRETS[1]}, allowed-prefix: +44}}
health: {{listen: 127.0.0.1:13080, token: {TOKEN}}}
"""
HERE = Address("127.0.0.1", 0)


def spec(folder: Path) -> Spec:
    path = folder / "spec.yaml"
    path.write_text(SPEC)
    return load(path, {})


def known(folder: Path, report: Report | None = REPORT) -> Known:
    of = spec(folder)
    return Known(
        lambda: report, lambda: stands(status()), lambda names: f"# {names}\n".encode(), lambda: of, lambda: True
    )


@asynccontextmanager
async def serving(answers: Known, now: float = AT + 3, **more: Any) -> AsyncIterator[str]:
    """Serve at a moment, and yield the address."""
    server = Server(answers, more.pop("listen", HERE), clock=lambda: now, **more)
    port = await server.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.stop()


async def ask(url: str, method: str = "GET", **more: Any) -> tuple[int, str, dict[str, str]]:
    async with aiohttp.ClientSession() as session, session.request(method, url, **more) as answer:
        return answer.status, await answer.text(), dict(answer.headers)


STATUSES = [
    ("/", 200),
    ("/livez", 200),
    ("/readyz", 200),
    ("/healthz", 503),  # account two does not send
    ("/account/one", 200),
    ("/account/two", 503),
    ("/account/three", 404),
    ("/account/", 404),
    ("/can-send?to=%2B79161234567", 200),
    ("/can-send?to=+79161234567", 200),
    ("/can-send?to=+441632960000", 503),
    ("/can-send", 400),
    ("/can-send?to=", 400),
    ("/can-send?to=7%0A", 400),
    ("/can-send?to=\N{ARABIC-INDIC DIGIT ONE}", 400),
    ("/metrics", 200),
    ("/metrics?names=both", 200),
    ("/metrics?names=other", 400),
    ("/nothing", 404),
    ("//livez", 404),
    ("/livez/", 404),
    ("/../../etc/passwd", 404),
    ("/%2e%2e/%00", 404),
]


@pytest.mark.parametrize(("path", "expected"), STATUSES)
async def test_a_path_answers(tmp_path: Path, path: str, expected: int) -> None:
    async with serving(known(tmp_path)) as url:
        code, text, headers = await ask(url + path)
        assert code == expected
        assert headers["Cache-Control"] == "no-store"
        assert "Python" not in headers["Server"]
        assert not [name for name in headers if name.startswith("Access-Control")]
        head, empty, of_head = await ask(url + path, "HEAD")
        assert (head, empty) == (expected, "")
        assert of_head["Content-Length"] == str(len(text.encode()))


NO_HTTP = [
    b"garbage\r\n\r\n",
    b"\x16\x03\x01\x02\x00",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: abc\r\n\r\n",
]


@pytest.mark.parametrize("octets", NO_HTTP)
async def test_what_is_no_http_is_answered_and_not_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, octets: bytes
) -> None:
    async with serving(known(tmp_path)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(octets)
        assert (await reader.readline()).split()[1] == b"400"
        writer.close()
    assert caplog.records == []


async def test_no_secret_is_in_any_answer(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        for path, _ in STATUSES:
            _, text, headers = await ask(url + path)
            assert not [secret for secret in SECRETS if secret in text + str(headers)]


async def test_an_account_is_told_with_its_checks_and_how_it_stands(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        _, text, _ = await ask(f"{url}/account/two")
    answer = json.loads(text)
    assert answer["sending"] is False
    assert [check["summary"] for check in answer["checks"]] == ["two does not send"]
    assert answer["state"][0]["links"][0]["admin_id"] == "two-1"
    assert answer["seconds_old"] == 3.0


async def test_who_can_send_is_named(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        _, text, _ = await ask(f"{url}/can-send?to=+79161234567")
        assert json.loads(text) == {"to": "+79161234567", "can_send": True, "account": "one", "seconds_old": 3.0}


async def test_names_are_those_asked_for_or_the_daemons(tmp_path: Path) -> None:
    async with serving(known(tmp_path), names="kannel_exporter") as url:
        _, text, headers = await ask(f"{url}/metrics")
        assert (text, headers["Content-Type"]) == ("# kannel_exporter\n", CONTENT_TYPE)
        assert (await ask(f"{url}/metrics?names=kannelkit"))[1] == "# kannelkit\n"


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/account/one", "/can-send?to=+79161234567"])
@pytest.mark.parametrize(("report", "now"), [(None, AT), (REPORT, AT + 16)], ids=["not yet", "too long ago"])
async def test_what_is_not_known_is_no_yes(tmp_path: Path, path: str, report: Report | None, now: float) -> None:
    async with serving(known(tmp_path, report), now) as url:
        code, text, _ = await ask(url + path)
        assert code == 503
        assert "has not been looked at" in json.loads(text)["trouble"]
        assert (await ask(f"{url}/livez"))[0] == 200
        assert (await ask(f"{url}/"))[0] == 200


async def test_it_is_alive_as_long_as_somebody_looks_and_no_longer(tmp_path: Path) -> None:
    stuck = replace(known(tmp_path), alive=lambda: False)
    async with serving(stuck) as url:
        assert (await ask(f"{url}/livez"))[0] == 503
        assert (await ask(f"{url}/readyz"))[0] == 200


async def test_who_holds_connections_open_is_in_nobodys_way(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url, AsyncExitStack() as clients:
        host, port = url.removeprefix("http://").split(":")
        for _ in range(MOST_CLIENTS + 50):
            _, writer = await asyncio.open_connection(host, port)
            clients.callback(writer.close)
            writer.write(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ")
        for path in ("/livez", "/metrics", "/"):
            assert (await ask(url + path))[0] == 200


async def test_a_clock_that_was_set_back_makes_nothing_old(tmp_path: Path) -> None:
    async with serving(known(tmp_path), AT - 3600) as url:
        assert (await ask(f"{url}/readyz"))[0] == 200


async def test_all_is_well_with_a_warning_too(tmp_path: Path) -> None:
    well = Report(AT, tuple(replace(check, status="warning") for check in REPORT.checks))
    async with serving(known(tmp_path, well)) as url:
        assert (await ask(f"{url}/healthz"))[0] == 200


async def test_figures_that_json_cannot_hold_are_nothing(tmp_path: Path) -> None:
    figures = (Figure("minutes", float("inf")), Figure("rate", float("nan")))
    report = Report(AT, (Check(SENDING, "ok", "one sends", account="one", figures=figures),))
    async with serving(known(tmp_path, report)) as url:
        _, text, _ = await ask(f"{url}/healthz")
    assert [figure["value"] for figure in json.loads(text)["checks"][0]["figures"]] == [None, None]


async def test_the_page_shows_what_a_name_says_and_does_not_do_it(tmp_path: Path) -> None:
    report = Report(AT, (Check("links", "critical", "<script>alert(1)</script>", "&", account="<b>"),))
    async with serving(known(tmp_path, report)) as url:
        _, text, headers = await ask(f"{url}/")
    assert "<script>" not in text  # the page's own has a src
    assert "&lt;script&gt;" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_nothing_can_be_changed(tmp_path: Path, method: str) -> None:
    async with serving(known(tmp_path)) as url:
        for path in ("/", "/livez", "/metrics"):
            code, _, headers = await ask(url + path, method, data=b"x" * 100)
            assert (code, set(headers["Allow"].split(","))) == (405, {"GET", "HEAD"})


async def test_an_unknown_path_tells_those_there_are(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        assert json.loads((await ask(f"{url}/nothing"))[1])["paths"] == list(PATHS)


async def test_a_name_from_elsewhere_is_not_answered(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        code, text, _ = await ask(f"{url}/healthz", headers={"Host": "rebound.example"})
        assert code == 421
        assert "one" not in json.loads(text).get("sending", {})


async def test_a_token_is_asked_for_on_every_path(tmp_path: Path) -> None:
    async with serving(known(tmp_path), token=TOKEN) as url:
        for path in ("/", "/livez", "/metrics", "/nothing", "/account/one"):
            code, text, headers = await ask(url + path)
            assert code == 401
            assert headers["WWW-Authenticate"].startswith("Bearer")
            assert list(json.loads(text)) == ["error"]
            code, _, _ = await ask(url + path, headers={"Authorization": f"Bearer {TOKEN}"})
            assert code in (200, 404)


async def test_it_speaks_tls_with_a_certificate(tmp_path: Path) -> None:
    pem = write_pem(tmp_path / "health.pem")
    async with serving(known(tmp_path), certificate=pem) as url:
        trusting = ssl.create_default_context()
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        assert (await ask(url.replace("http:", "https:") + "/livez", ssl=trusting))[0] == 200


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
async def test_a_certificate_that_is_none_is_told(tmp_path: Path, content: bytes | None) -> None:
    pem = tmp_path / "health.pem"
    if content is not None:
        pem.write_bytes(content)
    with pytest.raises(HostError, match=r"health\.certificate"):
        await Server(known(tmp_path), HERE, certificate=pem).start()


async def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    async with serving(known(tmp_path)) as url:
        taken = Address("127.0.0.1", int(url.rpartition(":")[2]))
        with pytest.raises(HostError, match="cannot listen"):
            await Server(known(tmp_path), taken).start()


def test_it_does_not_listen_elsewhere_without_a_token(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"health\.token"):
        Server(known(tmp_path), Address("0.0.0.0", 0))
