"""What of a gateway is not as it should be, in words, each with what to do about it; pure."""

from __future__ import annotations

from collections.abc import Iterator

from kannelkit.supervise.views import AccountView, BoxView, LinkView, Overview, duration

# what to do about a link that is not online, by its state in Kannel's words (gw/bb_smscconn.c, smsc2_status)
_LINK_ADVICE = {
    "dead": "it was stopped, or its bind was refused; {history}",
    "absent": "bearerbox does not have it; kannelkit plan {spec}",
    "connecting": "",
    "re-connecting": "{host} does not take the connection or the bind, and is tried again; {history}",
}
_BOX_ADVICE = {
    "suspended": "nothing is sent or taken until the admin command `resume`",
    "isolated": "nothing is taken from providers until the admin command `resume`",
    "full": "its store is full, and it takes no message; look at why messages wait",
    "shutting down": "",
}
_STAYS, _GOES_BACK = "it stays there until", "it goes back when the first answers, or now with"
_MOST_LINKS = 3
_TAKES_ON = "rates are not held, and a box that ends stays away; kannelkit up {spec} takes the boxes on as they are"
_WATCHES = "rates are not held, and no account goes to its other host; kannelkit watch {spec} does that"


def problems(seen: Overview, spec: str, *, supervised: bool, watched: bool = False) -> tuple[str, ...]:
    """Return what is wrong; empty means that all is well. `spec` is the spec's name as a command takes it.

    `supervised` also where it cannot be told; `watched` where something else runs the boxes.
    """
    bearerbox, smsbox, *relay = seen.boxes
    if bearerbox.state == "stopped" and smsbox.state == "stopped" and not supervised:
        how = f"start Kannel as ever, and kannelkit watch {spec}" if watched else f"kannelkit up {spec}"
        return (f"the gateway is not running: {how}",)
    comes_back, history = "", f"kannelkit history {spec} says why"
    if supervised:
        comes_back = f"it is {'waited for until something starts it' if watched else 'started again'}; {history}"
    found = [*_boxes(bearerbox, smsbox, comes_back)]
    for box in relay:
        if box.state == "stopped":
            again = f"it is started again; {history}" if supervised else ""
            found.append(_with("the relay is not running, and its accounts send nothing", again))
        elif box.state == "silent":
            again = "it is started again" if supervised else "relay/relay.log may say why"
            found.append(f"the relay (pid {box.pid}) does not answer: where that lasts, {again}")
    if not supervised:
        found.append(f"no kannelkit supervises: {_WATCHES if watched else _TAKES_ON}".format(spec=spec))
    if bearerbox.state == "running":
        if seen.state != "running":
            found.append(_with(f"bearerbox is {seen.state}", _BOX_ADVICE.get(seen.state, "")))
        for account in seen.accounts:
            found += _account(account, spec, seen.at)
    return tuple(found)


def _boxes(bearerbox: BoxView, smsbox: BoxView, comes_back: str) -> Iterator[str]:
    if bearerbox.state == "stopped":
        yield _with("bearerbox is not running", comes_back)
    elif bearerbox.state == "silent":
        yield f"bearerbox (pid {bearerbox.pid}) does not answer: where that lasts, its log may say why"
    if smsbox.state == "stopped":
        yield _with("smsbox is not running", comes_back)
    elif smsbox.state == "unconnected":
        yield f"smsbox (pid {smsbox.pid}) is not connected to bearerbox: where that lasts, its log may say why"


def _account(account: AccountView, spec: str, at: float) -> Iterator[str]:
    if account.side == "backup":
        since = "" if account.since is None else f" for {duration(at - account.since)}"
        why = f" ({account.why})" if account.why else ""
        told = f"{account.smsc_id}: on its backup host {account.host}{since}{why}"
        back = f"kannelkit failover {spec} {account.smsc_id} --to primary"
        yield f"{told}: {_STAYS if account.moved_by_hand else _GOES_BACK} {back}"
    if account.links_online < account.links_wanted:
        away = [link for link in account.links if link.role == account.side and link.state != "online"]
        said = ", ".join(f"{link.admin_id} {link.state}" for link in away[:_MOST_LINKS])
        more = f" and {len(away) - _MOST_LINKS} more" if len(away) > _MOST_LINKS else ""
        told = f"{account.smsc_id}: {account.links_online} of {account.links_wanted} links online: {said}{more}"
        yield _with(told, _advice(away[0], account, spec))


def _advice(link: LinkView, account: AccountView, spec: str) -> str:
    history = f"kannelkit history {spec} --account {account.smsc_id} says more"
    if account.relay is not None and account.relay.trouble and link.state in ("connecting", "re-connecting"):
        return f"{account.relay.trouble}; {history}"
    host = account.host if account.relayed else f"{link.host}:{link.port}"  # the relay's own port says nothing
    return _LINK_ADVICE.get(link.state, "{history}").format(history=history, spec=spec, host=host)


def _with(told: str, advice: str) -> str:
    return f"{told}: {advice}" if advice else told
