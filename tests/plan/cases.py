"""Pairs of configurations, what changes between them, and in which order it is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from kannelkit.plan.values import Add, Recreate, Remove, Reroute, Restart, Step
from tests.plan.confs import SMSBOX, USER, account, conf, group, link, parking

BOTH = Restart(("bearerbox", "smsbox"))
SMSBOX_ALONE = Restart(("smsbox",))


@dataclass(frozen=True)
class Case:
    """What runs and what is wanted, and each change as sign, group and name, and the steps."""

    before: str
    after: str
    changes: tuple[str, ...]
    steps: tuple[Step, ...]
    but: Mapping[str, str | None] = field(default_factory=dict)
    dangers: tuple[str, ...] = ()


A = account("a")
USERS = group("sendsms-user", USER)
HTTP = group("smsc", {"smsc": "http", "smsc-id": "web", "port": "8000", "send-url": "http://h/a"})
WAPBOX = group("wapbox", {"bearerbox-host": "127.0.0.1"})
STOPPED = "bearerbox is restarted while links run: every link of every account is down at once, and no request is taken"


def service(keyword: str, **more: str) -> str:
    return group("sms-service", {"keyword": keyword, "text": keyword, **more})


CASES = {
    "the same": Case(conf(A), conf(A), (), ()),
    "a comment, blanks and quotes": Case(
        conf(A), "# new\n\n" + conf(A).replace("host = smpp.test", 'host=  "smpp.test" '), (), ()
    ),
    "throughput: a new bind for each link": Case(
        conf(account("a", throughput="15")),
        conf(account("a", throughput="10")),
        ("~smsc a-1", "~smsc a-2"),
        (Recreate("a-1", "a"), Recreate("a-2", "a")),
    ),
    "routing: a reload, nothing else": Case(
        conf(account("a", allowed_prefix="7")),
        conf(account("a", allowed_prefix="8")),
        ("~smsc a-1", "~smsc a-2", "~smsc a-park"),
        (Reroute(("a-1", "a-2", "a-park")),),
    ),
    "routing and throughput: the reload first, and the links one by one": Case(
        conf(account("a", allowed_prefix="7", throughput="5")),
        conf(account("a", allowed_prefix="8", throughput="6")),
        ("~smsc a-1", "~smsc a-2", "~smsc a-park"),
        (Reroute(("a-1", "a-2", "a-park")), Recreate("a-1", "a"), Recreate("a-2", "a")),
    ),
    "a regular expression that goes: a reload that takes it kills bearerbox at the next message": Case(
        conf(account("a", 1, allowed_prefix="1", allowed_prefix_regex="x"), account("b", 1, allowed_prefix="1")),
        conf(account("a", 1, allowed_prefix="2"), account("b", 1, allowed_prefix="2")),
        ("~smsc a-1", "~smsc a-park", "~smsc b-1", "~smsc b-park"),
        (Reroute(("a-1", "a-park", "b-1", "b-park")), Recreate("a-1", "a"), Recreate("a-park", "a")),
    ),
    "a regular expression that goes from a link that stands by": Case(
        conf(A, link("b", "b", dead_start="true", allowed_prefix_regex="x")),
        conf(A, link("b", "b", dead_start="true")),
        ("~smsc b",),
        (Remove("b", "b"), Add("b", "b")),
    ),
    "a directive that is read and never used": Case(
        conf(account("a", 1, preferred_smsc_id_regex="x")),
        conf(account("a", 1, preferred_smsc_id_regex="y")),
        ("~smsc a-1",),
        (),
    ),
    "a directive that no link of the kind reads: Kannel compares whole groups": Case(
        conf(account("a", 1)),
        conf(account("a", 1, session_length="5")),
        ("~smsc a-1",),
        (Recreate("a-1", "a"),),
    ),
    "a new account: its parking link first": Case(
        conf(A),
        conf(A, account("b", 1)),
        ("+smsc b-1", "+smsc b-park"),
        (Add("b-park", "b"), Add("b-1", "b")),
    ),
    "one more link of an account: after the others have their smaller share": Case(
        conf(account("a", 2, throughput="15")),
        conf(account("a", 3, throughput="10")),
        ("~smsc a-1", "~smsc a-2", "+smsc a-3"),
        (Recreate("a-1", "a"), Recreate("a-2", "a"), Add("a-3", "a")),
    ),
    "one link less": Case(
        conf(account("a", 2, throughput="15")),
        conf(account("a", 1, throughput="30")),
        ("~smsc a-1", "-smsc a-2"),
        (Recreate("a-1", "a"), Remove("a-2", "a")),
    ),
    "an account goes: its parking link last": Case(
        conf(A, account("b", 1, allowed_smsc_id="b")),
        conf(A),
        ("-smsc b-1", "-smsc b-park"),
        (Remove("b-1", "b"), Remove("b-park", "b")),
        dangers=("account b goes: bearerbox discards its waiting messages that no other link takes",),
    ),
    "an account goes whose messages another one takes": Case(
        conf(A, account("b", 1)),
        conf(A),
        ("-smsc b-1", "-smsc b-park"),
        (Remove("b-1", "b"), Remove("b-park", "b")),
        dangers=("account b goes: its waiting messages leave by the links that take the same messages",),
    ),
    "everything about links at once": Case(
        conf(account("a", 1, allowed_prefix="1", throughput="5"), account("b", 1, allowed_prefix="2"), USERS),
        conf(
            account("a", 2, allowed_prefix="1;2", throughput="6"),
            account("c", 1, allowed_prefix="3"),
            group("sendsms-user", {**USER, "default-smsc": "c"}),
        ),
        (
            "~smsc a-1",
            "+smsc a-2",
            "~smsc a-park",
            "+smsc c-1",
            "+smsc c-park",
            "-smsc b-1",
            "-smsc b-park",
            "~sendsms-user app",
        ),
        (
            Add("c-park", "c"),
            Add("c-1", "c"),
            Reroute(("a-1", "a-park")),
            Recreate("a-1", "a"),
            Add("a-2", "a"),
            SMSBOX_ALONE,
            Remove("b-1", "b"),
            Remove("b-park", "b"),
        ),
        dangers=("account b goes: bearerbox discards its waiting messages that no other link takes",),
    ),
    "a link that nothing stands in for: a parking link does for the time": Case(
        conf(A.replace("smsc-id = a\n", "smsc-id = a\nallowed-prefix = 7\n"), HTTP),
        conf(A.replace("smsc-id = a\n", "smsc-id = a\nallowed-prefix = 7\n"), HTTP.replace("h/a", "h/b")),
        ("~smsc web",),
        (Add("web-waiting", "web"), Recreate("web", "web"), Remove("web-waiting", "web")),
    ),
    "a link that another one stands in for": Case(
        conf(A, HTTP),
        conf(A, HTTP.replace("h/a", "h/b")),
        ("~smsc web",),
        (Recreate("web", "web"),),
    ),
    "a link that receives only is no route for what is sent": Case(
        conf(link("in", "in", transceiver_mode="false", port="0", receive_port="2775"), HTTP),
        conf(link("in", "in", transceiver_mode="false", port="0", receive_port="2775"), HTTP.replace("h/a", "h/b")),
        ("~smsc web",),
        (Add("web-waiting", "web"), Recreate("web", "web"), Remove("web-waiting", "web")),
    ),
    "a link that stands by reads the file when it is started": Case(
        conf(A, link("a-backup-1", "a", dead_start="true", throughput="5")),
        conf(A, link("a-backup-1", "a", dead_start="true", throughput="6")),
        ("~smsc a-backup-1",),
        (),
    ),
    "a standby link that is new is no route yet": Case(
        conf(link("b", "b", throughput="5")),
        conf(link("b", "b", throughput="6"), link("b-backup-1", "b", dead_start="true")),
        ("~smsc b", "+smsc b-backup-1"),
        (Add("b-waiting", "b"), Recreate("b", "b"), Add("b-backup-1", "b"), Remove("b-waiting", "b")),
    ),
    "a standby link that has been started": Case(
        conf(A, link("a-backup-1", "a", dead_start="true", throughput="5")),
        conf(A, link("a-backup-1", "a", dead_start="true", throughput="6")),
        ("~smsc a-backup-1",),
        (Recreate("a-backup-1", "a"),),
        {"a-backup-1": "online"},
    ),
    "a link that is to stand by from now on": Case(
        conf(A, link("b", "b")),
        conf(A, link("b", "b", dead_start="true")),
        ("~smsc b",),
        (Remove("b", "b"), Add("b", "b")),
    ),
    "links of one name": Case(
        conf(A, link("x", "x", host="h1"), link("x", "x", host="h2")),
        conf(A, link("x", "x", host="h1"), link("x", "x", host="h3")),
        ("~smsc x (number 2)",),
        (Recreate("x", "x"),),
        dangers=("links of one name are stopped and started together: all of them are down at once",),
    ),
    "fewer links of one name: they cannot be told apart": Case(
        conf(A, link("x", "x", host="h1"), link("x", "x", host="h2")),
        conf(A, link("x", "x", host="h1")),
        ("-smsc x (number 2)",),
        (BOTH,),
        dangers=(STOPPED,),
    ),
    "instances of one group: start-smsc would start the first alone": Case(
        conf(A, link("x", "x", instances="3")),
        conf(A, link("x", "x", instances="3", throughput="5")),
        ("~smsc x",),
        (BOTH,),
        dangers=(STOPPED,),
    ),
    "a link without a name": Case(
        conf(A, group("smsc", {"smsc": "fake", "host": "h", "port": "1"})),
        conf(A, group("smsc", {"smsc": "fake", "host": "h", "port": "2"})),
        ("~smsc",),
        (BOTH,),
        dangers=(STOPPED,),
    ),
    "the first link of a bearerbox without any": Case(conf(), conf(link("a", "a")), ("+smsc a",), (BOTH,)),
    "bearerbox's own: everything else comes with its restart": Case(
        conf(account("a", throughput="5"), USERS),
        conf(account("a", throughput="6"), USERS.replace("app-secret", "other")).replace("13001", "13002"),
        ("~core", "~smsc a-1", "~smsc a-2", "~sendsms-user app"),
        (BOTH,),
        dangers=(
            "boxes on other machines, and those that kannelkit did not start, lose bearerbox until they know the new "
            "port",
            STOPPED,
        ),
    ),
    "a database": Case(
        conf(A, group("mysql-connection", {"id": "m", "host": "h1"})),
        conf(A, group("mysql-connection", {"id": "m", "host": "h2"})),
        ("~mysql-connection m",),
        (BOTH,),
        dangers=(STOPPED,),
    ),
    "the store": Case(
        conf(A),
        conf(A).replace("/var/spool/a", "/var/spool/b"),
        ("~core",),
        (BOTH,),
        dangers=("messages that wait in the old store are not seen any more, until it is the store again", STOPPED),
    ),
    "smsbox's own": Case(
        conf(A, USERS, service("help")),
        conf(A, USERS.replace("app-secret", "other"), service("help", max_messages="2")).replace("13013", "13014"),
        ("~smsbox", "~sms-service help", "~sendsms-user app"),
        (SMSBOX_ALONE,),
    ),
    "a user that goes": Case(conf(A, USERS), conf(A), ("-sendsms-user app",), (SMSBOX_ALONE,)),
    "services in another order: the first that fits is taken": Case(
        conf(A, service("one"), service("two"), service("three")),
        conf(A, service("two"), service("one"), service("four")),
        ("+sms-service four", "-sms-service three", "~sms-service"),
        (SMSBOX_ALONE,),
    ),
    "users in another order: each is looked up by name": Case(
        conf(A, USERS, group("sendsms-user", {**USER, "username": "b"})),
        conf(A, group("sendsms-user", {**USER, "username": "b"}), USERS),
        (),
        (),
    ),
    "links in another order": Case(conf(link("a", "a"), link("b", "b")), conf(link("b", "b"), link("a", "a")), (), ()),
    "of a single group that is repeated the last counts": Case(
        conf(A, group("smsbox", {**SMSBOX, "sendsms-port": "14000"})),
        conf(A).replace("13013", "14000"),
        (),
        (),
    ),
    "a directive that smsbox does not read": Case(
        conf(A),
        conf(A).replace("sendsms-port = 13013", "sendsms-port = 13013\nallowed-prefix = 7"),
        ("~smsbox",),
        (),
    ),
    "no smsbox, so that none is restarted": Case(
        conf(A).replace(group("smsbox", SMSBOX), ""),
        conf(A).replace(group("smsbox", SMSBOX), "").replace("13000", "14000"),
        ("~core",),
        (Restart(("bearerbox",)),),
        dangers=(
            "every program that commands bearerbox by the old address or password is locked out, kannelkit's own "
            "included",
            STOPPED,
        ),
    ),
    "wapbox appears: bearerbox listens for it from its start": Case(
        conf(A),
        conf(A, WAPBOX),
        ("+wapbox",),
        (Restart(("bearerbox", "smsbox", "wapbox")),),
        dangers=(STOPPED,),
    ),
    "a modem's kind: links of modems": Case(
        conf(A, group("modems", {"id": "m", "name": "one"}), group("smsc", {"smsc": "at", "smsc-id": "gsm"})),
        conf(A, group("modems", {"id": "m", "name": "two"}), group("smsc", {"smsc": "at", "smsc-id": "gsm"})),
        ("~modems m",),
        (Recreate("gsm", "gsm"),),
    ),
    "every account re-created": Case(
        conf(account("a", 1), account("b", 1)),
        conf(account("a", 1, throughput="5"), account("b", 1, throughput="5")),
        ("~smsc a-1", "~smsc b-1"),
        (Recreate("a-1", "a"), Recreate("b-1", "b")),
        dangers=("every account has all its links re-created, one after the other",),
    ),
    # what has drifted: the files are the same, the links are not
    "a link is down": Case(conf(A), conf(A), ("~smsc a-2",), (Recreate("a-2", "a"),), {"a-2": "dead"}),
    "a link is missing": Case(conf(A), conf(A), ("+smsc a-2",), (Add("a-2", "a"),), {"a-2": None}),
    "a whole account is missing: its parking link first": Case(
        conf(A, account("b", 1)),
        conf(A, account("b", 1)),
        ("+smsc b-1", "+smsc b-park"),
        (Add("b-park", "b"), Add("b-1", "b")),
        {"b-1": None, "b-park": None},
    ),
    "a link that no file has": Case(
        conf(A),
        conf(A),
        ("-smsc x",),
        (Remove("x", ""),),
        {"x": "online"},
        dangers=("link x goes: bearerbox discards waiting messages that only it takes",),
    ),
    "a link that somebody added before it was wanted": Case(
        conf(A), conf(A, link("x", "x")), ("+smsc x",), (Recreate("x", "x"),), {"x": "online"}
    ),
    "a link that is gone already": Case(
        conf(A, link("x", "x")),
        conf(A),
        ("-smsc x",),
        (),
        {"x": None},
        dangers=("account x goes: its waiting messages leave by the links that take the same messages",),
    ),
    "strangers before a reload, which would take them for changed": Case(
        conf(account("a", 1, allowed_prefix="1")),
        conf(account("a", 1, allowed_prefix="2"), link("x", "x")),
        ("~smsc a-1", "~smsc a-park", "+smsc x", "-smsc y"),
        (Recreate("x", "x"), Remove("y", ""), Reroute(("a-1", "a-park"))),
        {"x": "online", "y": "online"},
        dangers=("link y goes: bearerbox discards waiting messages that only it takes",),
    ),
    "two missing links of one name are added together": Case(
        conf(A, link("x", "x", host="h1"), link("x", "x", host="h2")),
        conf(A, link("x", "x", host="h1"), link("x", "x", host="h2")),
        ("+smsc x",),
        (Add("x", "x"),),
        {"x": None},
    ),
    "parking links go last, wherever they stand": Case(
        conf(A, parking("b"), link("b-1", "b")),
        conf(A),
        ("-smsc b-park", "-smsc b-1"),
        (Remove("b-1", "b"), Remove("b-park", "b")),
        dangers=("account b goes: its waiting messages leave by the links that take the same messages",),
    ),
    "a link that binds again and again is not down": Case(conf(A), conf(A), (), (), {"a-1": "re-connecting"}),
    "a missing link whose group has instances": Case(
        conf(A, link("x", "x", instances="2")),
        conf(A, link("x", "x", instances="2")),
        ("+smsc x",),
        (BOTH,),
        {"x": None},
        dangers=(STOPPED,),
    ),
}
