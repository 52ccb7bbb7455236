"""The gateway that runs against the one that is wanted: both are texts, and nothing here asks the gateway."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import get_args

from kannelkit.conf.masking import Masking
from kannelkit.plan import dangers
from kannelkit.plan.changes import boxes_there, changes, restart
from kannelkit.plan.groups import ORDERED, Key, Values, groups
from kannelkit.plan.links import Link, judged
from kannelkit.plan.masking import secrets_in
from kannelkit.plan.stages import stages
from kannelkit.plan.values import Box, Change, LinkSeen, Plan, Rate, Recreate, Restart, Stage, Step

# a kind of group whose names are never masked: they name steps, or are no secret
_NAMED_OPENLY = frozenset({"smsc", "sendsms-user"})


def plan(
    running: str | None,
    wanted: str,
    links: Sequence[LinkSeen] | None,
    *,
    secrets: Collection[str] = (),
    rates: Sequence[Rate] = (),
    unlearnt: str | None = None,
) -> Plan:
    """Return what it takes to bring the gateway that was last given the text `running` to the text `wanted`.

    `running` is None where no gateway has been started yet; `links` are those in bearerbox's status, None where no
    bearerbox runs. `secrets` are masked wherever they stand, besides the values of directives that are secret.

    `wanted` holds the rates in force, `rates` says which these are. The digest is over the changes and over the wanted
    groups as Kannel reads them, so that a comment or a blank is no difference. Rates move by themselves and are no
    reason to look at a plan again: `unlearnt`, the wanted text at the spec's own rates, takes its place there.

    Raises GatewayError where `running` is no text that kannelkit could have written, and would have to be kept.
    """
    # a large file takes seconds to read, and most often some of these are one and the same
    read = {text: groups(text) for text in {running, wanted, unlearnt} if text is not None}
    before = read[running] if running is not None else {}
    after = read[wanted]
    of_links = judged(before, after, links) if links is not None else judged(before, after, _as_in(before))
    found = list(changes(before, after, of_links))
    stage: tuple[Stage, ...] = ()
    if links is None:
        found = [dataclasses.replace(change, steps=(), note="") for change in found]
    else:
        if running is None:
            # it runs, and nobody knows from what: only a start brings it to a text that is known
            start = restart(("bearerbox",), boxes_there(before, after))
            found = [dataclasses.replace(change, steps=start) for change in found]
        boxes = _boxes(found)
        stage = stages(of_links, _through_modems(found), boxes, after, wanted)
    steps = tuple(step for each in stage for step in each.steps)
    masking = Masking({*secrets, *secrets_in(before, after)})
    digest = _digest(found, read[wanted if unlearnt is None else unlearnt], running=links is not None)
    found = list(_with_dangers(found, of_links, steps, first=running is None))
    return Plan(
        changes=tuple(_masked(change, masking) for change in found),
        steps=steps,
        digest=digest,
        wanted=wanted,
        stages=stage,
        running=links is not None,
        rates=tuple(rates),
    )


def _as_in(before: Mapping[Key, Values]) -> tuple[LinkSeen, ...]:
    """Return the links of a file as if all of them ran: without a gateway nothing has drifted."""
    return tuple(LinkSeen(key.name, "online") for key in before if key.group == "smsc")


def _boxes(found: Sequence[Change]) -> tuple[Box, ...]:
    wanted = {box for change in found for step in change.steps if isinstance(step, Restart) for box in step.boxes}
    return tuple(box for box in get_args(Box) if box in wanted)


def _through_modems(found: Sequence[Change]) -> tuple[str, ...]:
    return tuple(
        step.link for change in found if change.group != "smsc" for step in change.steps if isinstance(step, Recreate)
    )


def _with_dangers(
    found: Sequence[Change], links: Sequence[Link], steps: Sequence[Step], *, first: bool
) -> Iterator[Change]:
    everything = _every_account(links, steps)
    alive = any(link.alive for link in links)
    removals = dangers.of_removals(links)
    together = {link.name for link in links if len(link.before) > 1 and link.alive}
    for change in found:
        names = [directive.name for directive in change.directives]
        sentences: list[str] = []
        if not first:
            sentences += dangers.of_directives(change.group, names)
        if change.group == "smsc" and change.action == "delete":
            sentences.append(removals.get(change.name, ""))
        restarted = [box for step in change.steps if isinstance(step, Restart) for box in step.boxes]
        if alive and "bearerbox" in restarted:
            sentences.append(dangers.ALL_LINKS)
        again = {step.link for step in change.steps if isinstance(step, Recreate)}
        if again & together:
            sentences.append(dangers.TOGETHER)
        if everything and again:
            sentences.append(dangers.EVERY_ACCOUNT)
        yield dataclasses.replace(change, danger="\n".join(sentence for sentence in sentences if sentence))


def _every_account(links: Sequence[Link], steps: Sequence[Step]) -> bool:
    """Return whether each of several accounts has all its links re-created, those apart that do not send."""
    again = {step.link for step in steps if isinstance(step, Recreate)}
    sending = [link for link in links if link.alive and link.before and not link.parking]
    return len({link.account for link in sending}) > 1 and all(link.name in again for link in sending)


def _digest(found: Sequence[Change], wanted: Mapping[Key, Values], *, running: bool) -> str:
    """Return a number of what the plan is about, in which the order counts only where it does for Kannel."""
    changes = [
        [
            [change.action, change.group, change.name, change.note, [repr(step) for step in change.steps]],
            sorted(
                [one.name, one.before or "", one.before is None, one.after or "", one.after is None]
                for one in change.directives
            ),
        ]
        for change in found
    ]
    groups = [[key.group, key.name, key.number, sorted(values.items())] for key, values in wanted.items()]
    in_order = [[key.group, key.name, key.number] for key in wanted if key.group in ORDERED]
    whole = [running, sorted(changes), sorted(groups), in_order]
    return hashlib.sha256(json.dumps(whole, separators=(",", ":")).encode("ascii")).hexdigest()


def _masked(change: Change, masking: Masking) -> Change:
    group = change.group
    directives = tuple(
        dataclasses.replace(
            directive,
            before=masking.value(group, directive.name, directive.before),
            after=masking.value(group, directive.name, directive.after),
        )
        for directive in change.directives
    )
    name = change.name if group in _NAMED_OPENLY else masking.text(change.name)
    return dataclasses.replace(change, name=name, directives=directives)
