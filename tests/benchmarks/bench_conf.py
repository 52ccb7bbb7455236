"""A kannel.conf read and written beside crossplane with an nginx.conf: microseconds a line, and how many times as fast.

Run it with python; it prints a table. Both files have the same number of lines, comments and blank lines among them, of
the kind that their owners write; both are read from the disk and come out as one text. crossplane does not keep blanks
as they were; kannelkit's first row does, so that its second one, which forgets them and writes each directive anew, is
the closer comparison.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import crossplane  # type: ignore[import-untyped] # it comes without types

from kannelkit.conf import check, directive_line, parse

LINES = 100_000
MANY_LINES = 500_000
RUNS = 3

LINK = """
# link {0}
group = smsc
smsc = smpp
smsc-id = account-{0}
smsc-admin-id = account-{0}-1
host = smpp{0}.example.net
port = 2775
smsc-username = "user {0}"
smsc-password = secret
system-type = ISO
throughput = 30
allowed-prefix = 79{0};{0}
log-file = /var/log/kannel/account-{0}.log
"""
SERVER = """
# server {0}
server {{
    listen 127.0.0.1:{1};
    server_name host{0}.example.net;
    root "/var/www/host {0}";
    access_log /var/log/nginx/host{0}.log combined;
    client_max_body_size 10m;
    location / {{
        proxy_pass http://backend{0};
        proxy_set_header Host $host;
    }}
}}
"""


def kannel_conf(lines: int) -> str:
    """Return a configuration of about so many lines."""
    head = "group = core\nadmin-port = 13000\nadmin-password = secret\n"
    return head + "".join(LINK.format(number) for number in range(lines // LINK.count("\n")))


def nginx_conf(lines: int) -> str:
    """Return the same for nginx."""
    servers = (SERVER.format(number, 1024 + number % 60_000) for number in range(lines // SERVER.count("\n")))
    return f"events {{\n}}\nhttp {{\n{''.join(servers)}}}\n"


def seconds(action: Callable[[], object]) -> float:
    """Return what the quickest of a few runs takes."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        action()
        times.append(time.perf_counter() - began)
    return min(times)


def as_it_was(path: Path) -> str:
    """Read the file and return its text from the tree."""
    return parse(path.read_text(), str(path)).text()


def anew(path: Path) -> str:
    """Read the file and write each directive of each group again."""
    return "\n\n".join(
        "\n".join(directive_line(line.name, line.value) for line in group.lines)
        for group in parse(path.read_text(), str(path)).groups()
    )


def with_crossplane(path: Path) -> str:
    """Read the file and write it with crossplane."""
    payload = crossplane.parse(str(path), single=True, comments=True)
    if payload["errors"]:
        raise SystemExit(f"crossplane cannot read its file: {payload['errors'][0]}")
    text: str = crossplane.build(payload["config"][0]["parsed"])
    return text


def main() -> int:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder, "kannel.conf"), Path(folder, "nginx.conf")
        ours.write_text(kannel_conf(LINES))
        theirs.write_text(nginx_conf(LINES))
        other = seconds(lambda: with_crossplane(theirs)) / theirs.read_text().count("\n")
        rows = [("crossplane: read, write", other)]
        for name, action in (("kannelkit: read, write as it was", as_it_was), ("kannelkit: read, write anew", anew)):
            rows.append((name, seconds(lambda action=action: action(ours)) / ours.read_text().count("\n")))  # type: ignore[misc]
    sys.stdout.write(f"{LINES:,} lines{'':24}{'a line':>12}{'times as fast':>16}\n")
    for name, own in rows:
        sys.stdout.write(f"{name:36}{own * 1e6:9.2f} us{other / own:15.1f}x\n")
    many = kannel_conf(MANY_LINES)
    sys.stdout.write(f"check of {MANY_LINES:,} lines: {seconds(lambda: check(many)):.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
