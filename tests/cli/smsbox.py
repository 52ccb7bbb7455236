"""A pretend smsbox in a thread: takes what is sent and answers from a table, for programs that send."""

from __future__ import annotations

import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import yaml


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its X-Kannel headers without that beginning, in lower case, and the text."""

    headers: Mapping[str, str]
    text: str

    @property
    def to(self) -> str:
        return self.headers["to"]


Answer = Callable[[Asked], tuple[int, str]]


def accepted(asked: Asked) -> tuple[int, str]:
    """Take everything."""
    return 202, "0: Accepted for delivery"


class Smsbox:
    """Listens while it is entered. `receipts` are fetched, in order, for each message that asks for them."""

    def __init__(
        self, answer: Answer = accepted, receipts: Callable[[Asked], list[tuple[int, str]]] | None = None
    ) -> None:
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        smsbox = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                names = ((name.lower(), value.encode("latin-1").decode()) for name, value in self.headers.items())
                headers = {name.removeprefix("x-kannel-"): value for name, value in names}
                asked = Asked(headers, octets.decode())
                with smsbox._lock:
                    smsbox.asked.append(asked)
                status, words = answer(asked)
                self.send_response(status)
                self.send_header("Content-Length", str(len(words)))
                self.end_headers()
                self.wfile.write(words.encode())
                self.wfile.flush()
                if receipts is not None and "dlr-url" in headers:
                    for kind, text in receipts(asked):
                        values = {"%d": str(kind), "%F": "12", "%i": "acc", "%A": quote(text)}
                        url = headers["dlr-url"]
                        for escape, value in values.items():
                            url = url.replace(escape, value)
                        urllib.request.urlopen(url, timeout=60).close()

            def log_message(self, format: str, *arguments: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of clients that are killed."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def spec(self, folder: Path, **account: object) -> Path:
        """Write a spec of a gateway with this smsbox and one account of SMSC.ru, and return its path."""
        whole = {
            "state-dir": "state",
            "smsbox": {"sendsms-port": self.port},
            "sendsms-user": [{"username": "app"}],
            "smsc": [
                {
                    "smsc-id": "smscru",
                    "provider": "smsc.ru",
                    "smsc-username": "u",
                    "smsc-password": {"env": "A_VARIABLE_THAT_ONLY_THE_SUPERVISOR_HAS"},
                    **account,
                }
            ],
        }
        path = folder / "gateway.yaml"
        path.write_text(yaml.safe_dump(whole))
        return path
