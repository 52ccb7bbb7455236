"""The texts of SMSC.ru's channels: each form as the provider writes it, there and back, and what it would refuse."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kannelkit.providers.channels import Channel, ChannelError, ChannelText, build, parse, voices
from kannelkit.providers.facts import facts

FORMS = {
    "sms": (ChannelText(Channel.SMS, "Ваш код 1234"), "Ваш код 1234"),
    "sms_comment": (ChannelText(Channel.SMS, "Code", comment="order 7"), "Code\n~~~\norder 7"),
    "mail": (ChannelText(Channel.MAIL, "Text\nof it", subject="About"), "__MAIL__: Text\nof it\nsubj:About"),
    "call": (ChannelText(Channel.CALL, "Text", voice="w2"), "__CALL__: Text\nvoice:w2"),
    "call_without_voice": (ChannelText(Channel.CALL, "Text"), "__CALL__: Text"),
    "call_parameters": (
        ChannelText(Channel.CALL, "Text", voice="m", parameters="10,20,3"),
        "__CALL__: Text\nvoice:m\n~~~\n10,20,3",
    ),
    "viber": (ChannelText(Channel.VIBER, "Text"), "__VIBER__: Text"),
    "soc": (ChannelText(Channel.SOC, "Text"), "__SOC__: Text"),
    "tgm": (ChannelText(Channel.TGM, "0123"), "__TGM__: 0123"),
    "bot": (ChannelText(Channel.BOT, "Text", bot="example_bot"), "__BOT__: Text\nbot:@example_bot"),
    "hlr": (ChannelText(Channel.HLR), "__HLR__"),
    "ping": (ChannelText(Channel.PING), "__PING__"),
}


@pytest.mark.parametrize(("wanted", "text"), FORMS.values(), ids=FORMS)
def test_form(wanted: ChannelText, text: str) -> None:
    assert build(wanted) == text
    assert parse(text) == wanted


MACROS = [
    "{button,https://example.com/?a=1&b=%20,Open}",
    "{button,tel:+79161234567,Позвонить}",
    "Look:\n{file,1.png}\n{}",
]


@pytest.mark.parametrize("macros", MACROS)
def test_macros_pass_unchanged(macros: str) -> None:
    text = build(ChannelText(Channel.VIBER, macros))
    assert text.removeprefix("__VIBER__: ") == macros
    assert parse(text).text == macros


def test_every_channel_has_a_form() -> None:
    assert {wanted.channel for wanted, _ in FORMS.values()} == set(Channel)
    assert [row["name"] for row in facts("smsc_ru_channels")["channel"]] == list(Channel)


REFUSED = {
    "a code of letters": (ChannelText(Channel.TGM, "12a4"), "text"),
    "a code of 3 digits": (ChannelText(Channel.TGM, "123"), "text"),
    "a code of 9 digits": (ChannelText(Channel.TGM, "123456789"), "text"),
    "digits of another script": (ChannelText(Channel.TGM, "١٢٣٤"), "text"),
    "a code and a line feed": (ChannelText(Channel.TGM, "1234\n"), "text"),
    "a mail about nothing": (ChannelText(Channel.MAIL, "Text"), "subject"),
    "an empty mail": (ChannelText(Channel.MAIL, subject="About"), "text"),
    "a subject of two lines": (ChannelText(Channel.MAIL, "Text", subject="About\nmore"), "subject"),
    "a subject inside the text": (ChannelText(Channel.MAIL, "Text\nsubj:more", subject="About"), "text"),
    "a bot without a name": (ChannelText(Channel.BOT, "Text"), "bot"),
    "a bot's name with its @": (ChannelText(Channel.BOT, "Text", bot="@example_bot"), "bot"),
    "a voice inside the text": (ChannelText(Channel.CALL, "Text\nvoice:m"), "text"),
    "a voice of two words": (ChannelText(Channel.CALL, "Text", voice="m 2"), "voice"),
    "a call that says nothing": (ChannelText(Channel.CALL, voice="m"), "text"),
    "a comment in a call": (ChannelText(Channel.CALL, "Text", comment="order 7"), "comment"),
    "a comment in Viber": (ChannelText(Channel.VIBER, "Text", comment="order 7"), "comment"),
    "a voice for an SMS": (ChannelText(Channel.SMS, "Text", voice="m"), "voice"),
    "a text for an HLR": (ChannelText(Channel.HLR, "Text"), "text"),
    "an SMS that is an HLR": (ChannelText(Channel.SMS, "__HLR__"), "text"),
    "an SMS that is a mail": (ChannelText(Channel.SMS, "__MAIL__: Text"), "text"),
    "an SMS that may be a mail": (ChannelText(Channel.SMS, "__MAIL__:Text"), "text"),
    "a separator in the text": (ChannelText(Channel.SMS, "Text\n~~~\nmore"), "text"),
    "a separator in the text with a comment": (ChannelText(Channel.SMS, "Text\n~~~\nmore", comment="order 7"), "text"),
    "a separator in the comment": (ChannelText(Channel.SMS, "Text", comment="order\n~~~\n7"), "comment"),
    "a separator half in the text": (ChannelText(Channel.SMS, "Text\n~~~", comment="order 7"), "text"),
    "a separator half in the comment": (ChannelText(Channel.SMS, "Text", comment="~~~\norder 7"), "comment"),
}


@pytest.mark.parametrize(("wanted", "field"), REFUSED.values(), ids=REFUSED)
def test_refused(wanted: ChannelText, field: str) -> None:
    with pytest.raises(ChannelError) as refused:
        build(wanted)
    assert refused.value.field == field
    assert refused.value.reason
    assert refused.value.hint
    assert str(refused.value) == f"{refused.value.reason}; {refused.value.hint}"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("__HLR__ ", ChannelText(Channel.SMS, "__HLR__ ")),
        ("__MAIL__:Text", ChannelText(Channel.SMS, "__MAIL__:Text")),
        ("__mail__: Text", ChannelText(Channel.SMS, "__mail__: Text")),
        ("__FAX__: Text\n~~~\nnote", ChannelText(Channel.SMS, "__FAX__: Text", comment="note")),
        ("Text\n~~~\n", ChannelText(Channel.SMS, "Text")),
        ("Text\r\n~~~\r\nmore", ChannelText(Channel.SMS, "Text\r\n~~~\r\nmore")),
        ("__MAIL__: Text", ChannelText(Channel.MAIL, "Text")),
        ("__MAIL__: a\nsubj:b\nsubj:c", ChannelText(Channel.MAIL, "a\nsubj:b", subject="c")),
        ("__MAIL__: a\nsubj:b\nc", ChannelText(Channel.MAIL, "a\nsubj:b\nc")),
        ("__BOT__: Text\nbot:name", ChannelText(Channel.BOT, "Text\nbot:name")),
        ("__TGM__: abc", ChannelText(Channel.TGM, "abc")),
        ("__VIBER__: Text\n~~~\nmore", ChannelText(Channel.VIBER, "Text\n~~~\nmore")),
        ("", ChannelText()),
    ],
)
def test_what_nobody_promised(text: str, meant: ChannelText) -> None:
    assert parse(text) == meant


PIECES = st.sampled_from(
    [
        "a",
        "1234",
        "код",
        " ",
        "\n",
        "~",
        "~~~",
        "\n~~~\n",
        "__HLR__",
        "__MAIL__: ",
        "subj:",
        "\nvoice:",
        "bot:@",
        "@",
        ":",
    ]
)
ANY = st.lists(PIECES, max_size=5).map("".join) | st.text(max_size=12)
WANTED = st.builds(ChannelText, st.sampled_from(Channel), ANY, ANY, ANY, ANY, ANY, ANY)
FITTING = st.builds(ChannelText, st.just(Channel.SMS), ANY, comment=ANY) | st.one_of(
    st.builds(ChannelText, st.just(Channel.MAIL), ANY, subject=ANY),
    st.builds(ChannelText, st.just(Channel.CALL), ANY, voice=ANY, parameters=ANY),
    st.builds(ChannelText, st.sampled_from([Channel.VIBER, Channel.SOC, Channel.TGM]), ANY),
    st.builds(ChannelText, st.just(Channel.BOT), ANY, bot=ANY),
)


@given(WANTED | FITTING)
@example(ChannelText(Channel.SMS, "\n~~~", comment="\n"))
@example(ChannelText(Channel.CALL, "a\nvoice", voice=":m"))
def test_what_is_built_is_parsed_back(wanted: ChannelText) -> None:
    try:
        text = build(wanted)
    except ChannelError:
        return
    assert parse(text) == wanted


@given(ANY)
def test_any_text_is_parsed(text: str) -> None:
    meant = parse(text)
    assert meant.text in text
    assert meant.channel is Channel.SMS or text.startswith(f"__{meant.channel.upper()}__")


def test_voices_are_those_of_the_list() -> None:
    assert list(voices()) == ["m", "m2", "m3", "m4", "w", "w2", "w3", "w4"]
    assert {voice.grade for voice in voices().values()} == {"B"}
    assert all(re.fullmatch(r"\S+", name) for name in voices())
