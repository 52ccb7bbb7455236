"""Checks of the boxes, and of who watches over them; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.health.bounds import Bounds, lasting, said
from kannelkit.health.observed import BoxSeen, Observed, Silence
from kannelkit.health.values import Check, Figure, Status
from kannelkit.supervise.views import BoxView

# a box that was started may not listen yet; one that ends takes a few seconds
_STARTING_SECONDS = 15.0
_STOPPED = "T"  # by a signal, as SIGSTOP; proc(5)
_MEGABYTE = 1_000_000
_STATE_ADVICE = {
    "suspended": "nothing new is taken until somebody gives the admin command resume",
    "isolated": "nothing is taken from providers until somebody gives the admin command resume",
    "full": "its store is full, so that it takes no message: look why messages wait",
}


def bearerbox(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """bearerbox's process is there and its administration port answers."""
    view, process = _view(seen, "bearerbox"), seen.boxes.get("bearerbox")
    since = view.since
    if process is not None and process.state == _STOPPED:
        yield said(
            "bearerbox",
            "critical",
            f"bearerbox (pid {process.pid}) is stopped by a signal: it does nothing at all",
            f"kill -CONT {process.pid} lets it go on",
            since=since,
        )
    elif seen.silence is not None:
        yield _silent(seen, seen.silence, process, bounds)
    elif view.state == "running":
        state, age = seen.overview.state, "" if since is None else f" for {lasting(seen.at - since)}"
        if state == "running":
            yield said("bearerbox", "ok", f"bearerbox runs{age} and answers", since=since)
        else:
            status: Status = "critical" if state == "full" else "warning"
            yield said("bearerbox", status, f"bearerbox is {state}", _STATE_ADVICE.get(state, ""), since=since)
    else:
        yield said("bearerbox", "unknown", "it is not known whether bearerbox runs", since=since)


def _silent(seen: Observed, silence: Silence, process: BoxSeen | None, bounds: Bounds) -> Check:
    figures = (bounds.figure("silent", "silent-seconds", round(silence.seconds, 1), "s"),)
    if silence.kind == "unreadable":
        return said("bearerbox", "unknown", f"bearerbox does not tell its status: {silence.why}", silence.hint)
    if silence.kind == "refused":
        if process is None:
            return said("bearerbox", "critical", "bearerbox is not running", _restart_advice(seen))
        age = seen.at - process.since
        words = f"bearerbox (pid {process.pid}, running for {lasting(age)}) does not listen on its administration port"
        if age < _STARTING_SECONDS:
            return said("bearerbox", "warning", f"{words} yet", "wait until it has started")
        return said("bearerbox", "critical", words, "it is ending, or admin-port in the spec is another one's")
    named = "bearerbox" if process is None else f"bearerbox (pid {process.pid})"
    unanswered = f"has not answered for {lasting(silence.seconds)}"
    status = bounds.status("silent-seconds", silence.seconds)
    if silence.working:
        return said(
            "bearerbox",
            "warning" if status == "ok" else status,
            f"{named} is busy: it {unanswered}, and {silence.working}",
            "a graceful restart, or a link that does not stop, holds its administration port for up to 30 s",
            figures=figures,
        )
    waits = ", waiting for a disk" if process is not None and process.state == "D" else ""
    return said(
        "bearerbox",
        "critical",
        f"{named} hangs: it {unanswered}, and nothing shows that it works{waits}",
        "look at the end of its log; where it stays so, kill -QUIT does nothing any more and kill -9 with a new start "
        "is what is left: what is in its store is not lost",
        figures=figures,
    )


def _restart_advice(seen: Observed) -> str:
    if seen.overview.supervisor:
        return "it is started again; kannelkit history says why it ended"
    return "start it: kannelkit up, or systemctl start kannel where that runs it; its log says why it ended"


def smsbox(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """smsbox's process is there and connected, so that applications can hand in messages."""
    view, process = _view(seen, "smsbox"), seen.boxes.get("smsbox")
    if process is not None and process.state == _STOPPED:
        yield said(
            "smsbox",
            "critical",
            f"smsbox (pid {process.pid}) is stopped by a signal: no message can be handed in",
            f"kill -CONT {process.pid} lets it go on",
            since=view.since,
        )
    elif view.state == "running":
        yield said("smsbox", "ok", "smsbox is connected to bearerbox", since=view.since)
    elif view.state == "stopped":
        yield said("smsbox", "critical", "smsbox is not running: no message can be handed in", _restart_advice(seen))
    elif view.state == "unconnected":
        yield said("smsbox", "critical", f"smsbox (pid {view.pid}) has no connection to bearerbox: it takes no message")
    else:
        yield said("smsbox", "unknown", "whether smsbox is connected is not known while bearerbox does not answer")


def _view(seen: Observed, name: str) -> BoxView:
    return next((box for box in seen.overview.boxes if box.name == name), BoxView(name, "unknown", None, None))


def memory(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Resident memory, box by box."""
    for name, box in seen.boxes.items():
        if box.resident is None:
            continue
        megabytes = box.resident / _MEGABYTE
        figure = bounds.figure(f"{name} memory", "memory-megabytes", box.resident, "B", _MEGABYTE)
        status = bounds.status("memory-megabytes", megabytes)
        yield said("memory", status, f"{name} has {megabytes:.0f} MB of memory", link=name, figures=(figure,))


def descriptors(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Open descriptors against their limit, box by box."""
    for name, box in seen.boxes.items():
        if box.descriptors is None or not box.most_descriptors:
            continue
        percent = 100 * box.descriptors / box.most_descriptors
        warning, critical = (
            None if bound is None else bound * box.most_descriptors / 100
            for bound in bounds.thresholds["descriptors-percent"]
        )
        figure = Figure(f"{name} descriptors", box.descriptors, "", warning, critical, 0, box.most_descriptors)
        words = f"{name} has {box.descriptors} of {box.most_descriptors} files open"
        status = bounds.status("descriptors-percent", percent)
        yield said("descriptors", status, words, link=name, figures=(figure,))


def supervisor(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """Boxes that a kannelkit started are still supervised by one."""
    if seen.overview.supervisor:
        yield said("supervisor", "ok", f"supervised by pid {seen.overview.supervisor}")
    elif seen.started:
        yield said("supervisor", "warning", "no kannelkit supervises the boxes that one started")


def spec(seen: Observed, bounds: Bounds) -> Iterator[Check]:
    """What the spec says is what runs."""
    if seen.unapplied:
        yield said("spec", "warning", "the spec has changes that do not run yet")
    elif seen.unapplied is not None:
        yield said("spec", "ok", "what the spec says is what runs")
