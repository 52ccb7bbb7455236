"""What the text of a submit_sm to SMSC.ru says: the channel it goes by, and what each channel takes.

The forms stand in `smsc_ru_channels.toml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache

from kannelkit.providers.facts import Row, facts, grade
from kannelkit.providers.profile import Grade

_TABLE = "smsc_ru_channels"


class Channel(StrEnum):
    """The ways by which a message can go."""

    SMS = "sms"
    MAIL = "mail"
    CALL = "call"
    VIBER = "viber"
    SOC = "soc"
    TGM = "tgm"
    BOT = "bot"
    HLR = "hlr"
    PING = "ping"


@dataclass(frozen=True, slots=True)
class ChannelText:
    """What one text says; each field is "" where the channel has no such thing or nothing was given.

    `bot` is a name without its @. `comment` is for the sender's own history, `parameters` are a call's.
    """

    channel: Channel = Channel.SMS
    text: str = ""
    subject: str = ""
    voice: str = ""
    parameters: str = ""
    bot: str = ""
    comment: str = ""


class ChannelError(ValueError):
    """A text that the provider would refuse, or read as something else; `field` is the ChannelText's that is wrong."""

    def __init__(self, field: str, reason: str, hint: str) -> None:
        super().__init__(f"{reason}; {hint}")
        self.field = field
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that reads out a call's text."""

    name: str
    about: str
    grade: Grade


@cache
def voices() -> Mapping[str, Voice]:
    """Return the voices that are known by name; the provider may have others, so an unknown one is no error."""
    rows = facts(_TABLE)["voice"]
    return {row["name"]: Voice(row["name"], row["about"], grade(row)) for row in rows}


def build(wanted: ChannelText) -> str:
    """Return the text of the submit_sm; `parse` gives `wanted` back.

    Raises ChannelError for what the provider would refuse, and for what it could read in two ways.
    """
    row = _channels()[wanted.channel]
    for field in [each.name for each in fields(wanted)][1:]:
        value = getattr(wanted, field)
        if value and field not in _taken(row):
            able = ", ".join(name for name, other in _channels().items() if field in _taken(other))
            raise ChannelError(field, f"{wanted.channel} takes no {field}", f"leave it out; it is for {able}")
        if not value and field in row.get("required", ()):
            raise ChannelError(field, f"{wanted.channel} needs a {field}", "the provider's form has one")
    if "text" in row and not re.fullmatch(row["text"], wanted.text):
        raise ChannelError("text", f"{wanted.channel} takes {row['allowed']}", "the provider refuses everything else")
    if "field" in row:
        _check_line(row, wanted)
    if wanted.channel is Channel.SMS:
        for name, other in _channels().items():
            word = other["begin"].rstrip(": ")
            if word and wanted.text.startswith(word):
                raise ChannelError("text", f"an SMS that begins with {word} goes out as {name}", "begin it differently")
    return _composed(row, wanted)


def parse(text: str) -> ChannelText:
    """Return what a submit_sm's text says: the inverse of `build`. What is no other channel's form is an SMS."""
    for name, row in _channels().items():
        begin = row["begin"]
        if text == begin if row.get("bare") else begin and text.startswith(begin):
            return _parsed(name, row, text[len(begin) :])
    return _parsed(Channel.SMS, _channels()[Channel.SMS], text)


# -- the forms ---------------------------------------------------------------------------------------------------------


@cache
def _channels() -> Mapping[Channel, Row]:
    return {Channel(row["name"]): row for row in facts(_TABLE)["channel"]}


@cache
def _separator() -> str:
    (row,) = facts(_TABLE)["separator"]
    return str(row["value"])


def _taken(row: Row) -> tuple[str, ...]:
    """Return the fields that a channel takes."""
    text = () if row.get("bare") else ("text",)
    return (*text, *(row[key] for key in ("field", "behind") if key in row))


def _check_line(row: Row, wanted: ChannelText) -> None:
    field, line = row["field"], row["line"]
    value = getattr(wanted, field)
    if "\n" in value:
        raise ChannelError(field, f"a {field} is one line", "leave out the line feed")
    if "word" in row and value and not re.fullmatch(row["word"], value):
        raise ChannelError(field, f"{value!r} is no name of a {field}", row["example"])
    if f"\n{line}" in wanted.text:
        where = f"a line of the text begins with {line}, where the {field} stands"
        raise ChannelError("text", where, "begin that line differently")


def _composed(row: Row, wanted: ChannelText) -> str:
    line = getattr(wanted, row["field"]) if "field" in row else ""
    body = wanted.text + (f"\n{row['line']}{line}" if line else "")
    behind = getattr(wanted, row["behind"]) if "behind" in row else ""
    whole = body + (_separator() + behind if behind else "")
    if "behind" in row:
        # the provider does not say which of two it takes, and one that overlaps another is two
        first, last = whole.find(_separator()), whole.rfind(_separator())
        if first != (len(body) if behind else -1) or first != last:
            field = row["behind"] if behind and last >= len(body) and first == len(body) else "text"
            reason = f"a line ~~~ is where the {row['behind']} begins"
            raise ChannelError(field, reason, "write something else on that line")
    return str(row["begin"]) + whole


def _parsed(name: Channel, row: Row, rest: str) -> ChannelText:
    found = {"text": rest}
    if "behind" in row:
        found["text"], _, found[row["behind"]] = rest.partition(_separator())
    if "field" in row:
        head, line, value = found["text"].rpartition(f"\n{row['line']}")
        if line and "\n" not in value:
            found["text"], found[row["field"]] = head, value
    return ChannelText(name, **found)
