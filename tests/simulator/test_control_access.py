"""Who may ask at the control port: no web page of anybody else."""

from __future__ import annotations

import pytest

from kannelkit.simulator.control_access import refusal

OWN = [
    {"Host": "127.0.0.1:13085"},
    {"Host": "localhost:8080"},
    {"Host": "LOCALHOST"},
    {"Host": "localhost.:13085"},
    {"Host": "127.8.9.1"},
    {"Host": "[::1]:13085"},
    {"Host": "127.0.0.1:13085", "Origin": "http://127.0.0.1:13085"},
    {"Host": "localhost:13085", "Origin": "http://localhost:13085", "Sec-Fetch-Site": "same-origin"},
    {"Host": "127.0.0.1:13085", "Sec-Fetch-Site": "none"},
]
OTHER_NAMES = [
    "",
    "example.org",
    "127.0.0.1.example.org:13085",
    "localhost.example.org",
    "192.168.1.1",
    "::1",
    "[::1",
    "a b",
]
OTHER_PAGES = [
    {"Origin": "http://example.org"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://127.0.0.1:8000"},  # another server on this machine
    {"Origin": "http://localhost:13085"},  # the page asked for by another name
    {"Origin": "http://[::1"},
]


@pytest.mark.parametrize("headers", OWN, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_programs_and_the_own_page_are_answered(method: str, headers: dict[str, str]) -> None:
    assert refusal(method, headers) is None


@pytest.mark.parametrize("host", OTHER_NAMES)
def test_a_name_that_points_here_is_not_answered(host: str) -> None:
    found = refusal("GET", {"Host": host})
    assert found is not None
    assert found.status == 421


@pytest.mark.parametrize("headers", OTHER_PAGES, ids=str)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_pages_from_elsewhere_are_not_answered(method: str, headers: dict[str, str]) -> None:
    found = refusal(method, {"Host": "127.0.0.1:13085", **headers})
    assert found is not None
    assert found.status == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_form_elsewhere_that_tells_no_origin_is_not_answered(site: str) -> None:
    headers = {"Host": "127.0.0.1:13085", "Sec-Fetch-Site": site}
    assert refusal("POST", headers) is not None
    assert refusal("GET", headers) is None  # a link that a person follows to the page
