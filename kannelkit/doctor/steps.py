"""The steps, in the order in which an operator would take them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

STEPS: Mapping[str, str] = MappingProxyType(
    {
        "kannel": "Kannel's programs: version, and what they were built with",
        "spec": "what lint finds in the spec",
        "secrets": "whether every secret that the spec names is at hand",
        "conf": "whether Kannel would read the file that is generated",
        "gateway": "whether the gateway runs, answers, and runs with this spec",
        "ports": "whether the boxes can listen where they should",
        "rights": "whether the boxes' user may write logs and queues and read certificates",
        "disk": "space where logs and queues lie",
        "limits": "how many files and connections a box may have open",
        "clock": "whether the clock is kept right",
        "certificate": "the certificate and key that each account shows",
        "dns": "the addresses of each provider's hosts",
        "connect": "a TCP connection to each address",
        "tls": "TLS with each host, and the certificate that it shows",
        "bind": "a bind with each account's login, and the provider's answer",
    }
)
