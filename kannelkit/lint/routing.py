"""Rules about which link takes a message: names, prefixes and lists."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.conf import GROUPS
from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Link, Subject, Value

_NAMING = ("allowed-smsc-id", "denied-smsc-id", "preferred-smsc-id")
# unified-prefix has commas of its own; the others are split at semicolons alone, and blanks count (octstr_split)
_OWN_FORM = ("unified-prefix", "reroute-receiver")


@rule("E113")
def no_link_takes_it(subject: Subject) -> Iterator[Found]:
    """A sender whose every message is refused by every link."""
    links = [link for link in subject.links if link.role != "park"]
    for group, directive, name in _wanted(subject):
        if links and not any(_may_take(link, name) for link in links):
            yield Found(
                group.at(directive),
                f"no link takes messages for {name}: each one is discarded",
                "write the name in allowed-smsc-id of a link, or correct it",
            )


@rule("W221")
def name_without_effect(subject: Subject) -> Iterator[Found]:
    """A name that no link's lists mention routes nothing."""
    links = [link for link in subject.links if link.role != "park"]
    names = {link.smsc_id for link in links}
    if any(f"{directive}-regex" in link.group for link in links for directive in _NAMING):
        return
    mentioned = {name for link in links for directive in _NAMING for name in link.group.entries(directive)}
    for group, directive, name in _wanted(subject):
        if not links or name in mentioned or names == {name} or not any(_may_take(link, name) for link in links):
            continue
        yield Found(
            group.at(directive),
            f"{directive} {name} changes nothing: no link has it in allowed-, denied- or preferred-smsc-id"
            + ("" if name in names else ", and none is called so"),
            f"write allowed-smsc-id = {name} in the link that is meant",
        )


def _wanted(subject: Subject) -> Iterator[tuple[Group, str, str]]:
    for group in subject.all("sendsms-user", "sms-service"):
        for directive in ("forced-smsc", "default-smsc"):
            name = group.text(directive)
            if name and not (directive == "default-smsc" and group.text("forced-smsc")):
                yield group, directive, name


def _may_take(link: Link, name: str) -> bool:
    """Return whether the link takes messages for this name (smscconn_usable, gw/smscconn.c); a pattern may."""
    if any(f"{directive}-regex" in link.group for directive in _NAMING):
        return True
    if link.group.text("allowed-smsc-id") is not None:
        return name in link.group.entries("allowed-smsc-id")
    return name not in link.group.entries("denied-smsc-id")


@rule("E114")
def wrong_separator(subject: Subject) -> Iterator[Found]:
    """An entry that cannot match, since Kannel splits at semicolons alone."""
    for group in subject.groups:
        known = GROUPS[group.name].directives if group.name in GROUPS else {}
        for name, value in group.values.items():
            directive = known.get(name)
            if directive is None or directive.separator != ";" or name in _OWN_FORM or value.origin == "unknown":
                continue
            for entry in value.text.split(";"):
                if entry != entry.strip() or (("," in entry or " " in entry) and "ip" in name.split("-")):
                    wrong = True
                elif name.endswith("prefix"):
                    wrong = "," in entry or " " in entry
                else:
                    wrong = False
                if wrong:
                    yield Found(
                        value.place,
                        f"{name}: the entry {entry!r} fits nothing, since Kannel separates entries with a semicolon "
                        "alone and takes blanks as they are",
                        "separate with ; and no blank",
                    )
                    break


@rule("E115")
def routed_twice(subject: Subject) -> Iterator[Found]:
    """Two boxes, or two links, for one thing."""
    seen: dict[tuple[str, str], Group] = {}
    for group in subject.all("smsbox-route"):
        ids = [entry.strip() for entry in group.entries("smsc-id")] or [""]
        for smsc_id in ids:
            for code in [entry.strip() for entry in group.entries("shortcode")] or [""]:
                if (smsc_id, code) != ("", "") and (smsc_id, code) in seen:
                    what = " and ".join(filter(None, (smsc_id and f"smsc-id {smsc_id}", code and f"shortcode {code}")))
                    yield Found(group.place, f"{what} has a route already: bearerbox panics over it")
                seen.setdefault((smsc_id, code), group)
    for link in subject.links:
        receivers: set[str] = set()
        for entry in link.group.entries("reroute-receiver"):
            for number in entry.split(",")[1:]:
                if number.strip() in receivers:
                    yield Found(
                        link.group.at("reroute-receiver"),
                        f"reroute-receiver sends {number.strip()} to two places: bearerbox panics over it",
                    )
                receivers.add(number.strip())


@rule("W222")
def denied_is_ignored(subject: Subject) -> Iterator[Found]:
    """Kannel ignores the one where both are there."""
    for link in subject.links:
        for suffix in ("", "-regex"):
            if f"allowed-smsc-id{suffix}" in link.group and f"denied-smsc-id{suffix}" in link.group:
                yield Found(
                    link.group.at(f"denied-smsc-id{suffix}"),
                    f"denied-smsc-id{suffix} counts for nothing beside allowed-smsc-id{suffix}",
                    "keep one of them",
                )


@rule("W223")
def prefix_without_effect(subject: Subject) -> Iterator[Found]:
    """unified-prefix: the first form of each entry replaces the others, written exactly."""
    for group in subject.groups:
        text = group.text("unified-prefix")
        for entry in text.split(";") if text else ():
            if not entry:
                continue
            if "," not in entry or any(each != each.strip() for each in entry.split(",")):
                yield Found(
                    group.at("unified-prefix"),
                    f"unified-prefix: the entry {entry!r} "
                    + (
                        "has a blank, which no number has" if "," in entry else "replaces nothing: it has one form only"
                    ),
                    'write the wanted prefix and then those it replaces, as in "+7,8,7"',
                )


@rule("W224")
def rerouted_to_nobody(subject: Subject) -> Iterator[Found]:
    """Received messages sent on for a link that is not there."""
    names = {link.smsc_id for link in subject.links}
    mentioned = {name for link in subject.links for directive in _NAMING for name in link.group.entries(directive)}
    for link in subject.links:
        target = link.group.text("reroute-smsc-id")
        if target and target not in names | mentioned:
            yield Found(
                link.group.at("reroute-smsc-id"), f"reroute-smsc-id {target}: no link is called so, or takes that name"
            )


@rule("I313")
def default_beside_forced(subject: Subject) -> Iterator[Found]:
    """forced-smsc wins."""
    for group in subject.all("sendsms-user", "sms-service"):
        if group.text("forced-smsc") and group.text("default-smsc"):
            yield Found(group.at("default-smsc"), "default-smsc counts for nothing beside forced-smsc")


def _lists(subject: Subject) -> Iterator[tuple[str, Value, bool, str]]:
    """Yield each list of numbers: its directive, its address, whether it can be fetched, and what happens if not."""
    for group in subject.all("core", "smsbox", "sms-service", "sendsms-user"):
        for name, value in group.values.items():
            if name.split("-")[-1] == "regex" or not name.startswith(("white-list", "black-list")) or not value.text:
                continue
            if group.name == "core":
                end = "bearerbox panics at its start"
            else:
                end = "smsbox starts without the list, and nobody is refused"
            yield name, value, value.text.lower().startswith(("http://", "https://")), end


@rule("E119")
def never_fetched(subject: Subject) -> Iterator[Found]:
    """A file, where Kannel asks a web server."""
    for name, value, fetched, end in _lists(subject):
        if not fetched:
            yield Found(value.place, f"{name} is not an address that begins with http:// or https://: {end}")


@rule("W226")
def fetched_at_the_start(subject: Subject) -> Iterator[Found]:
    """A list of numbers that a web server has to hand out first."""
    for name, value, fetched, end in _lists(subject):
        if fetched:
            yield Found(value.place, f"{name}: while the server does not answer, {end}")


@rule("I316")
def route_to_no_box_of_this_file(subject: Subject) -> Iterator[Found]:
    """Received messages wait for a box of that name, as long as it takes."""
    box = subject.single("smsbox")
    for group in subject.all("smsbox-route"):
        name = group.text("smsbox-id")
        if box is not None and name and name != box.text("smsbox-id"):
            yield Found(
                group.at("smsbox-id"),
                f"received messages are for a box {name}, and the group smsbox here is "
                + (f"called {box.text('smsbox-id')}" if box.text("smsbox-id") else "without smsbox-id")
                + ": they wait until such a box connects",
            )
