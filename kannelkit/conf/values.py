"""Whether a value is one that its directive can take: the same answer for a spec and for a kannel.conf."""

from __future__ import annotations

import re
import warnings

from kannelkit.conf.table import Directive

TRUE = ("true", "yes", "on", "1")
FALSE = ("false", "no", "off", "0")

_INTEGER = re.compile(r"-?[0-9]+")
# What PCRE, which Kannel is built with, and Python's own regular expressions both refuse. A bad one is a panic when the
# link is started; other differences between the two are left to Kannel.
_BROKEN = (
    "missing ), unterminated subpattern",
    "unbalanced parenthesis",
    "unterminated character set",
    "nothing to repeat",
    "multiple repeat",
    "bad escape (end of pattern)",
)
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")


def fault(directive: Directive, value: str, *, smpp: bool = True) -> tuple[str, str] | None:
    """Return what is wrong with the value and what to do about it, or nothing; neither holds the value of a secret.

    The bounds in octets are SMPP's, so that they bind no link of another kind (`smpp` is false then).

    Sources: cfg_get_integer and cfg_get_bool in gwlib/cfg.c (0x10 is 16 there, 010 is 8, and a strange truth value is
    true), and the ranges at the places where each value is used.
    """
    shown = "the value" if directive.secret else repr(value)
    if directive.kind in ("integer", "seconds", "port"):
        return _integer_fault(directive, value, shown)
    if directive.kind == "number":
        if not _NUMBER.fullmatch(value):
            return f"is no number: {shown}", "write digits"
    elif directive.kind == "boolean":
        if value.lower() not in TRUE + FALSE:
            return f"is neither true nor false: {shown}", "write true or false"
    elif not value and (directive.filled or directive.kind in ("host", "file", "folder", "url", "regex")):
        return "is empty", "leave the line out, or write a value"
    if directive.kind == "regex" and (problem := _broken(value)):
        return f"is no regular expression: {problem}", "Kannel would panic over it"
    if directive.one_of and value not in directive.one_of:
        return f"cannot be {shown}", f"one of {', '.join(directive.one_of)}"
    octets = len(value.encode("utf-8", "surrogatepass"))
    if smpp and directive.octets is not None and octets > directive.octets:
        return (
            f"has {octets} octets, of which {directive.octets} fit: Kannel cuts the rest",
            f"use one of at most {directive.octets} octets",
        )
    return None


def _broken(pattern: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # POSIX classes such as [[:digit:]] are Kannel's business
        try:
            re.compile(pattern)
        except re.error as error:
            return error.msg if error.msg in _BROKEN else ""
        except (OverflowError, RecursionError):
            return "too large"
    return ""


def _integer_fault(directive: Directive, value: str, shown: str) -> tuple[str, str] | None:
    if not _INTEGER.fullmatch(value):
        return f"is no whole number: {shown}", "write digits only"
    if len(value.lstrip("-")) > 1 and value.lstrip("-").startswith("0"):
        return f"begins with a zero, so that Kannel reads it as octal: {shown}", f"write {int(value)}"
    number = int(value)
    if directive.least is not None and number < directive.least:
        return f"is too small: {number}", f"at least {directive.least}"
    if directive.most is not None and number > directive.most:
        return f"is too large: {number}", f"at most {directive.most}"
    if abs(number) > 2**31 - 1:
        return f"is too large: {number}", f"at most {2**31 - 1}"
    return None
