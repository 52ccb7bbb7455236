"""The JSON Schema of a spec (draft 2020-12), made from the table of directives and that of kannelkit's own keys.

It is for editors: it completes and explains, and refuses what the loader refuses as far as a schema can see it. What
needs the whole spec, the environment or other files is the loader's alone, and so are comments that silence a rule.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kannelkit.conf import GROUPS, Directive, Group
from kannelkit.conf.values import FALSE, TRUE
from kannelkit.providers import PROFILES, Profile
from kannelkit.spec import wording
from kannelkit.spec.keys import THRESHOLD_KEYS
from kannelkit.spec.numbers import LEAST_RATE, MOST_RATE
from kannelkit.spec.own import OWN

Schema = dict[str, Any]

# A scalar is read as the text that was written, whatever a YAML reader takes it for. What is neither text nor number
# is a truth value; it goes without that name, since an editor would offer true and false for every text otherwise.
_SCALAR = ["string", "number"]
_TRUTH: Schema = {"not": {"type": ["string", "number", "object", "array", "null"]}}
# What Kannel's language cannot hold in a value, said so that it means the same to every kind of regular expression.
_UNWRITABLE = r"include|[\n\r\u0000]"
_WHOLE = r"^-?(0|[1-9][0-9]*)(?![\s\S])"
_HEXADECIMAL = r"^0[xX][0-9a-fA-F]{1,8}(?![\s\S])"
_BOUND = r"^(?:never|[0-9]{1,12}(?:\.[0-9]{1,6})?)(?![\s\S])"
_REAL = r"^[0-9]+(\.[0-9]+)?(?![\s\S])"
_MOST = 2**31 - 1

_NUMBERS = frozenset({"integer", "seconds", "port", "number"})
# Kinds of values that cannot be empty.
_FILLED = frozenset({"host", "file", "folder", "url", "regex"})
# What kannelkit writes into an account's links itself.
_OURS = ("smsc-admin-id", "dead-start", "instances")
_ANSWERS = ("get-url", "url", "post-url", "post-xml", "file", "text", "exec")


def schema() -> Schema:
    """Return the schema as a JSON object; the properties stand in the tables' order."""
    top = OWN["spec"].directives
    properties: Schema = {name: _own(row) for name, row in top.items()}
    properties |= {name: _group(group) for name, group in GROUPS.items()}
    properties["supervisor"] = _object(
        "supervisor",
        OWN["supervisor"].about,
        {name: _own(row) for name, row in OWN["supervisor"].directives.items()}
        | {part: _own_group(OWN[part]) for part in ("rate", "failover", "pid-files")},
    )
    properties["health"] = _object(
        "health",
        OWN["health"].about,
        {name: _own(row) for name, row in OWN["health"].directives.items()}
        | {
            "thresholds": _object(
                "thresholds",
                OWN["thresholds"].about,
                {name: _threshold(row) for name, row in OWN["thresholds"].directives.items()},
            )
        },
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kannelkit spec",
        "description": "A Kannel SMS gateway: Kannel's groups and directives, and a few keys of kannelkit's own.",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "if": {"properties": {"defaults": {"const": "kannel"}}, "required": ["defaults"]},
        "then": {
            "properties": {
                "core": {"type": "object", "required": list(GROUPS["core"].required)},
                "sendsms-user": {"items": {"required": list(GROUPS["sendsms-user"].required)}},
            }
        },
        "else": {
            "required": ["smsc"],
            "properties": {
                "smsc": {"type": "array", "minItems": 1},
                "sendsms-user": {"items": {"required": ["username"]}},
            },
        },
        "$defs": {
            "text": _text(),
            "filled": _text(least=1),
            "boolean": _boolean(),
            "elsewhere": _elsewhere(),
        },
    }


def _group(group: Group) -> Schema:
    """Return what may stand at the group's name: its directives, or a list of them."""
    properties = {row.name: _directive(group.name, row) for row in group.directives.values()}
    rules: Schema = {}
    if group.name == "smsc":
        properties = {**{name: _own(row) for name, row in OWN["smsc"].directives.items()}, **properties}
        rules = _smsc_rules(group)
    elif group.name == "sms-service":
        rules = {
            "oneOf": [{"required": ["keyword"]}, {"required": ["keyword-regex"]}],
            "anyOf": [{"required": [name]} for name in _ANSWERS],
        }
    elif group.name not in ("core", "smsbox", "sendsms-user") and group.required:
        rules = {"required": list(group.required)}
    one = _object(group.name, group.about, properties, rules)
    if not group.repeatable:
        return one
    return {"title": group.name, "description": _sentence(group.about), "type": ["array", "null"], "items": one}


def _own_group(group: Group) -> Schema:
    return _object(group.name, group.about, {name: _own(row) for name, row in group.directives.items()})


def _object(name: str, about: str, properties: Schema, rules: Schema | None = None) -> Schema:
    """Return a mapping; where nothing is required it may be left empty, which YAML takes for null."""
    return {
        "title": name,
        "description": _sentence(about),
        "type": "object" if rules else ["object", "null"],
        "properties": properties,
        "additionalProperties": False,
        **(rules or {}),
    }


def _smsc_rules(group: Group) -> Schema:
    """Return what an SMPP account asks for, and what a link of each other kind does."""
    narrower = {
        row.name: {"anyOf": [{"not": {"type": "string"}}, {"maxLength": row.octets}]}
        for row in group.directives.values()
        if row.octets is not None
    }
    account: Schema = {
        "required": ["smsc-password"],
        "allOf": [
            {"anyOf": [{"required": ["provider"]}, {"required": ["smsc-id", "host"]}]},
            {"anyOf": [{"required": ["smsc-username"]}, {"required": ["system-id"]}]},
            *(_connections(profile) for profile in PROFILES.values()),
            _throughput(),
        ],
        "properties": {
            **narrower,
            **dict.fromkeys(_OURS, False),
        },
        "dependentRequired": {"backup-port": ["backup-host"]},
    }
    other: Schema = {
        "required": ["smsc-id"],
        "properties": dict.fromkeys(OWN["smsc"].directives, False),
        "allOf": [_kind(group, kind) for kind in group.required_for if kind != "smpp"],
    }
    return {"if": {"properties": {"smsc": {"const": "smpp"}}}, "then": account, "else": other}


def _connections(profile: Profile) -> Schema:
    return {
        "if": {"properties": {"provider": {"const": profile.name}}, "required": ["provider"]},
        "then": {"properties": {"connections": {"maximum": profile.most_connections}}},
    }


def _throughput() -> Schema:
    """Return that a throughput is a whole number where Kannel holds it, and any where the relay does."""
    fraction = ({"type": "number", "minimum": LEAST_RATE, "maximum": MOST_RATE}, {"type": "string", "pattern": _REAL})
    whole, real = ({"anyOf": [*values, {"type": "object"}]} for values in (_whole(1, MOST_RATE), fraction))
    return {
        "if": {"properties": {"pacing": {"const": "relay"}}, "required": ["pacing"]},
        "then": {"properties": {"throughput": real}},
        "else": {"properties": {"throughput": whole}},
    }


def _kind(group: Group, kind: str) -> Schema:
    return {
        "if": {"properties": {"smsc": {"const": kind}}},
        "then": {
            "required": list(group.required_for[kind]),
            "properties": {
                row.name: {"anyOf": [{"type": ["object", "array"]}, {"pattern": _words(words), "type": "string"}]}
                for row in group.directives.values()
                if (words := row.one_of_for.get(kind))
            },
        },
    }


def _directive(group: str, row: Directive) -> Schema:
    """Return what one of Kannel's directives takes: its value, a list of them, or where the value stands elsewhere."""
    usual = wording.kannelkit_default(group, row.name)
    return {
        "title": row.name,
        "description": _described(row, usual),
        "anyOf": [*_values(row), {"$ref": "#/$defs/elsewhere"}],
        **_default(row, row.default if usual is None else usual),
    }


def _own(row: Directive) -> Schema:
    """Return what one of kannelkit's own keys takes."""
    values = list(_values(row))
    if row.name == "provider":
        values.insert(0, {"enum": list(PROFILES)})  # for completion; a file of the user's own may add others
    if row.name in ("providers", "logs"):
        values.append({"type": "array", "items": {"anyOf": [{"$ref": "#/$defs/filled"}, _TRUTH]}})
    if row.name == "account-group":
        values = [{"type": _SCALAR, "pattern": r"^[A-Za-z0-9][A-Za-z0-9._-]*(?![\s\S])"}, _TRUTH]
    if row.secret:  # Kannel never reads it: what its language cannot hold is no matter
        values = [{"type": _SCALAR, "minLength": 1}, _TRUTH, {"$ref": "#/$defs/elsewhere"}]
    if row.name == "listen":
        values = [{"type": "string", "pattern": r"^[\s\S]+:[0-9]{1,5}(?![\s\S])"}]
    return {
        "title": row.name,
        "description": f"{row.about}\n\n{_sentence(wording.type_words(row))}",
        "anyOf": values,
        **_default(row, row.default),
    }


def _threshold(row: Directive) -> Schema:
    """Return what one threshold takes: a mapping of its two numbers."""
    bound = {"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": _BOUND}]}
    about = {
        "warning": "From where on the check warns; never for never.",
        "critical": "From where on the check is critical; never for never.",
    }
    one = _object(row.name, row.about.removesuffix("."), {})
    return one | {"properties": {key: {"title": key, "description": about[key], **bound} for key in THRESHOLD_KEYS}}


def _default(row: Directive, text: str | None) -> Schema:
    """Return what an editor may show as the default, as a value of the kind that one would write."""
    if text is None or text.startswith("state-dir/"):  # which is said in the description
        return {}
    if row.kind == "boolean":
        return {"default": text in TRUE}
    return {"default": int(text) if row.kind in _NUMBERS else text}


def _values(row: Directive) -> Iterable[Schema]:
    if row.one_of:
        yield {"enum": list(row.one_of)}
    elif row.kind in ("integer", "seconds", "port"):
        yield from _whole(row.least, row.most)
        if row.hexadecimal:
            yield {"type": "string", "pattern": _HEXADECIMAL}
    elif row.kind == "number":
        yield {"type": "number", "minimum": 0}
        yield {"type": "string", "pattern": _REAL}
    elif row.kind == "boolean":
        yield {"$ref": "#/$defs/boolean"}
    else:
        filled = row.filled or row.kind in _FILLED
        yield {"$ref": "#/$defs/filled" if filled else "#/$defs/text"}
        yield _TRUTH
    if row.separator:
        yield {"type": "array", "items": {"anyOf": [_text(least=1, without=row.separator), _TRUTH]}}


def _text(least: int = 0, without: str = "") -> Schema:
    pattern = f"^(?![\\s\\S]*(?:{_UNWRITABLE}{f'|[{without}]' if without else ''}))"
    length = {"minLength": least} if least else {}
    return {"type": _SCALAR, "pattern": pattern, **length}


def _whole(least: int | None, most: int | None) -> tuple[Schema, Schema]:
    bounds = {"minimum": -_MOST if least is None else least, "maximum": _MOST if most is None else most}
    return {"type": "integer", **bounds}, {"type": "string", "pattern": _WHOLE}


def _boolean() -> Schema:
    return {"anyOf": [{"type": "boolean"}, {"enum": [0, 1]}, {"type": "string", "pattern": _words((*TRUE, *FALSE))}]}


def _words(words: Iterable[str]) -> str:
    """Return a pattern for one of the words in any case of letters, without the flag that JSON Schema does not have."""
    anycase = ("".join(f"[{c.upper()}{c}]" if c.isalpha() else c for c in word) for word in words)
    return rf"^(?:{'|'.join(anycase)})(?![\s\S])"


def _elsewhere() -> Schema:
    sources = {
        "env": "The environment variable that holds the value.",
        "file": "The file that holds the value, relative to the spec.",
    }
    return {
        "type": "object",
        "description": "A secret that does not stand in the spec itself.",
        "properties": {
            name: {"anyOf": [{"type": _SCALAR, "minLength": 1}, _TRUTH], "description": about}
            for name, about in sources.items()
        },
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
    }


def _described(row: Directive, usual: str | None) -> str:
    facts = [wording.type_words(row)]
    if row.kinds:
        facts.append(f"read by {wording.listed(row.kinds)}")
    if usual is not None:
        facts.append(f"kannelkit writes {wording.shown(usual)}")
    if row.default is not None:
        facts.append(f"Kannel's default is {wording.shown(row.default)}")
    if row.secret:
        facts.append("secret: better {env: NAME} or {file: PATH}")
    facts.append(f"a change takes {wording.change_words(row.change)}")
    if row.removal != row.change:
        facts.append(f"its removal {wording.change_words(row.removal)}")
    return f"{row.about}\n\n{_sentence('; '.join(facts))}"


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."
