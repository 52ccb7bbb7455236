"""Texts to read, for laws: lines as people write them, and every joint where readers differ."""

from __future__ import annotations

from hypothesis import strategies as st

# Blanks, quotes, backslashes, line ends, octets, letters that are an order.
PIECES = st.sampled_from(
    [
        "group = sms-service", "group=core", "group = ", "text = ", "name=", "admin-port = 1", "= x", "nonsense = 1",
        "\n", "\n", "\n", "\n\n", "\n\n", "\r\n", "\r", "\\", "\\", "\\\n", "\\\n", "\\\\\n", "\\\r\n",
        '"', '"', '\\"', " ", "\t", "\v", "\f", "#", "# ", "\n#", "=", "x", "ab", "Ж", "\udcff", "\udc85", "\x85",
        "\xa0", "\x1c", "\u2028", "\ufeff", "\0", "inc", "lude", "include = nowhere",
    ]
)  # fmt: skip
SOUND_LINES = st.sampled_from(["text = ", "name = ", "\tget-url\t="]).flatmap(
    lambda name: st.text('ab"\\ #=\t\r\0\udcff', max_size=8).map(lambda value: f"{name}{value}\n")
)
GROUP_LINES = st.sampled_from(["\ngroup = sms-service\n", "\n \n\tgroup=sms-service \r\n", "\n# x\ngroup = core\n#"])
# The first line sees to it that many are sound; the rest may be anything.
TEXTS = (st.lists(SOUND_LINES | GROUP_LINES).map("".join) | st.lists(PIECES, max_size=20).map("".join)).map(
    "group = sms-service\n".__add__
)
