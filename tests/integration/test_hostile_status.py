"""A bearerbox whose admin port answers anything: kannelkit goes on, and ends when it is told to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest

from tests.harness.supervised import Supervised

PATIENCE = 60.0
REAL = Path(__file__).parents[1] / "gateway/status.xml"

# Answers in turn what a bearerbox might say, and much that it never would; writes each answer's number down.
BEARERBOX = """#!{python}
import http.server, re, sys, time
real = open({real!r}, "rb").read()
link = b"<smsc>\\n\\t\\t<name>n</name>\\n\\t\\t<admin-id>bench-1</admin-id>\\n\\t\\t<id>bench</id>\\n"
answers = [
    real, b"", real, real[:-1], real, b"\\0" * 100_000, real, b"x" * 9_000_000, real, b"<html>hello</html>", real,
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><gateway>&b;</gateway>\\n', real,
    real.replace(b"<sent>1</sent>", b"<sent>-1</sent>"), real, real.replace(b"online 1s", b"\\x1b[2J\\xff\\xfe"), real,
    real.replace(b"<sent>1</sent>", b"<sent>" + b"9" * 5000 + b"</sent>"), real,
    real.replace(b"<storesize>0", b"<storesize>-99999999999999999"), real,
    real.replace(b"<smsc>\\n", link * 3, 1), real, real.replace(b"acc-1", b"bench-1"), 500, real, 302, real, None, real,
]
at = 0
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        global at
        body, at = answers[at % len(answers)], at + 1
        open({count!r}, "w").write(str(at))
        if body is None:
            self.connection.close()
            return
        status = 200
        if isinstance(body, int):
            status, body = body, b"no"
        try:
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:
            pass
    do_POST = do_GET
    def log_message(self, *arguments):
        pass
port = int(re.search(r"^admin-port = (\\d+)", open(sys.argv[-1]).read(), re.M)[1])
http.server.HTTPServer(("127.0.0.1", port), Answer).serve_forever()
"""
ANSWERS = 30


async def test_whatever_the_admin_port_answers_kannelkit_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = tmp_path / "count"
    programs = tmp_path / "programs"
    programs.mkdir()
    played = BEARERBOX.format(python=sys.executable, real=str(REAL), count=str(count))
    for name, text in (("bearerbox", played), ("smsbox", "#!/bin/sh\nexec sleep 1000\n")):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    gateway = Supervised(tmp_path, 1, 60)
    gateway.write()
    with gateway.output.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "kannelkit", "up", gateway.path, stdout=output, stderr=output
        )
    children: list[psutil.Process] = []
    try:
        async with asyncio.timeout(PATIENCE):
            while not count.exists() or int(count.read_text() or 0) < ANSWERS:
                assert process.returncode is None, gateway.output.read_text()
                await asyncio.sleep(0.05)
            children = psutil.Process(process.pid).children()
            assert len(children) == 2
            process.send_signal(signal.SIGTERM)
            assert await process.wait() == 0
        said = gateway.output.read_text()
        assert "Traceback" not in said
        assert "\x1b[2J" not in said
        assert "smsbox stopped" in said
        assert "bearerbox stopped" in said
    finally:
        if process.returncode is None:
            children = psutil.Process(process.pid).children()
            process.kill()
            await process.wait()
        for child in children:
            if child.is_running():  # compares the start time too
                child.kill()
