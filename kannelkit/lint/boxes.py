"""Rules about the boxes: their ports, and the services and users of smsbox."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.lint.rule import Found, rule
from kannelkit.lint.subject import Group, Subject

# Where something listens: the group, its directive, and the one for the address.
_LISTENERS = (
    ("core", "admin-port", "admin-interface"),
    ("core", "smsbox-port", "smsbox-interface"),
    ("core", "wapbox-port", ""),
    ("smsbox", "sendsms-port", "sendsms-interface"),
    ("ppg", "ppg-port", ""),
    ("ppg", "ppg-ssl-port", ""),
)
_LISTENING_KINDS = ("http", "fake")
_EVERY = ("", "*", "0.0.0.0", "::")  # noqa: S104 compared, not bound
_ANSWERS = ("get-url", "url", "post-url", "post-xml", "file", "text", "exec")


@rule("E130")
def port_twice(subject: Subject) -> Iterator[Found]:
    """Two listeners at one address."""
    if subject.kind == "spec":
        return  # S306
    taken: dict[int, list[tuple[str, str]]] = {}
    for group, directive, address in _listeners(subject):
        port = group.number(directive, 0)
        name = directive if group.name != "smsc" else f"port of smsc {group.text('smsc-id') or group.text('smsc')}"
        for other, elsewhere in taken.get(port, []):
            if address == elsewhere or address in _EVERY or elsewhere in _EVERY:
                yield Found(
                    group.at(directive),
                    f"{name} {port} is the {other} as well: the second to listen panics, or never listens",
                    "choose another port",
                )
                break
        taken.setdefault(port, []).append((name, address))


def _listeners(subject: Subject) -> Iterator[tuple[Group, str, str]]:
    for name, directive, interface in _LISTENERS:
        group = subject.single(name)
        if group is not None and group.number(directive, 0) > 0:
            yield group, directive, (group.text(interface) or "").lower() if interface else ""
    for link in subject.links:
        if link.kind in _LISTENING_KINDS and link.group.number("port", 0) > 0:
            yield link.group, "port", ""


@rule("E131")
def port_without_its_box(subject: Subject) -> Iterator[Found]:
    """bearerbox wants the group of a box that it waits for."""
    for box in ("smsbox", "wapbox"):
        if f"{box}-port" in subject.core and subject.single(box) is None:
            yield Found(subject.core.at(f"{box}-port"), f"{box}-port and no group {box}: bearerbox panics over it")


@rule("E132")
def box_without_its_port(subject: Subject) -> Iterator[Found]:
    """smsbox has nothing to connect to."""
    box = subject.single("smsbox")
    if box is None or not subject.has("core"):
        return
    if (box.text("bearerbox-host") or "localhost").lower() not in ("localhost", "127.0.0.1", "::1"):
        return
    waits, asks = subject.core.number("smsbox-port", 0), box.number("bearerbox-port", 0)
    if waits and asks and waits != asks:
        yield Found(
            box.at("bearerbox-port"),
            f"smsbox connects to bearerbox-port {asks}, and bearerbox waits at smsbox-port {waits}: smsbox panics",
            "take bearerbox-port out: smsbox reads core's smsbox-port",
        )
    if waits and "bearerbox-port-ssl" in box and box.on("bearerbox-port-ssl") != subject.core.on("smsbox-port-ssl"):
        yield Found(
            box.at("bearerbox-port-ssl"),
            "one of smsbox and bearerbox speaks TLS to the other and the other does not: no box connects",
            "take bearerbox-port-ssl out: smsbox reads core's smsbox-port-ssl",
        )
    if not waits and not asks:
        yield Found(
            box.place,
            "a group smsbox and no smsbox-port in core: bearerbox waits for no smsbox, and smsbox panics at its start",
        )


@rule("E133")
def tls_without_certificate(subject: Subject) -> Iterator[Found]:
    """A server's port needs certificate and key."""
    core = subject.core
    if core.text("ssl-server-cert-file") and core.text("ssl-server-key-file"):
        return
    for name, directive in (
        ("core", "admin-port-ssl"),
        ("core", "smsbox-port-ssl"),
        ("core", "wapbox-port-ssl"),
        ("smsbox", "sendsms-port-ssl"),
    ):
        group = subject.single(name)
        if group is not None and group.on(directive):
            box = "smsbox answers nobody there" if name == "smsbox" else "bearerbox panics over it"
            yield Found(
                group.at(directive), f"{directive} without ssl-server-cert-file and ssl-server-key-file in core: {box}"
            )


@rule("E140")
def service_that_cannot_be(subject: Subject) -> Iterator[Found]:
    """smsbox panics over such a service."""
    if subject.kind == "spec":
        return  # S311
    for service in subject.all("sms-service"):
        if ("keyword" in service) == ("keyword-regex" in service):
            both = "keyword and keyword-regex" if "keyword" in service else "neither keyword nor keyword-regex"
            yield Found(service.place, f"a service with {both}: smsbox panics over it", "write one of the two")
        if not any(answer in service for answer in _ANSWERS):
            yield Found(
                service.place,
                "a service without an answer: smsbox panics over it",
                "write one of get-url, post-url, post-xml, file, text and exec",
            )


@rule("E141")
def one_try(subject: Subject) -> Iterator[Found]:
    """A request to a program that fails is not repeated unless smsbox is told to."""
    box = subject.single("smsbox")
    fetching = [
        (group.place, name)
        for group in subject.all("sms-service", "sendsms-user")
        for name in ("get-url", "url", "post-url", "post-xml", "dlr-url")
        if group.text(name)
    ]
    if box is None or not fetching or box.number("http-request-retry", 0) > 0:
        return
    what = "a receipt" if all(name == "dlr-url" for _, name in fetching) else "a received message or a receipt"
    yield Found(
        box.at("http-request-retry"),
        f"smsbox asks a program once: {what} that comes while the program is away, or answers with an error, is lost",
    )


@rule("W240")
def no_default_service(subject: Subject) -> Iterator[Found]:
    """A message that no service takes is answered, at the account's cost."""
    box = subject.single("smsbox")
    receives = any(link.kind != "smpp" or link.bind != "transmitter" for link in subject.links)
    if box is None or not receives or any(_takes_all(service) for service in subject.all("sms-service")):
        return
    if box.text("reply-requestfailed") == "":
        return
    yield Found(
        box.place,
        'no sms-service takes every message: smsbox answers the others with "Request Failed", and each answer costs',
        "write a group sms-service with keyword = default, text = received and max-messages = 0",
    )


def _takes_all(service: Group) -> bool:
    return service.text("keyword") == "default" or service.text("keyword-regex") in (".*", "^.*$", "^", "")


@rule("W241")
def digits_refused(subject: Subject) -> Iterator[Found]:
    """Receivers that smsbox refuses."""
    for box in subject.all("smsbox"):
        allowed = box.text("sendsms-chars")
        missing = [each for each in "0123456789" if allowed is not None and each not in allowed]
        if missing:
            yield Found(
                box.at("sendsms-chars"),
                f"sendsms-chars without {' '.join(missing)}: smsbox refuses every receiver with such a character",
            )


@rule("W242")
def user_twice(subject: Subject) -> Iterator[Found]:
    """The second group of a user counts for nobody."""
    if subject.kind == "spec":
        return  # S313
    seen: dict[str, int] = {}
    for user in subject.all("sendsms-user"):
        name = user.text("username")
        if name in seen:
            yield Found(
                user.at("username"),
                f"the sendsms-user {name} is there already, in line {seen[name]}: smsbox takes the first",
                "give each user a name of its own",
            )
        elif name is not None:
            seen[name] = user.at("username").line


@rule("I311")
def cut_after_one(subject: Subject) -> Iterator[Found]:
    """Kannel sends one part unless told otherwise."""
    users = [user for user in subject.all("sendsms-user") if user.number("max-messages", 1) == 1]
    for user in users:
        yield Found(
            user.at("max-messages"),
            f"what sendsms-user {user.text('username') or ''} sends is cut after one SMS: 160 characters, 70 Cyrillic",
            "write max-messages = 10, say, and concatenation = true",
        )


@rule("I312")
def parts_apart(subject: Subject) -> Iterator[Found]:
    """Parts without concatenation come as messages of their own, in any order."""
    for user in subject.all("sendsms-user"):
        if user.number("max-messages", 1) > 1 and not user.on("concatenation"):
            yield Found(
                user.at("max-messages"),
                "without concatenation the parts of a long message arrive as messages of their own, in any order",
            )
