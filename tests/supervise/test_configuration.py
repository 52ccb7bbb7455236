"""One configuration takes the place of another: what was learnt of a rate goes on, within the new bounds."""

from __future__ import annotations

from pathlib import Path

from kannelkit.spec import Spec, load
from kannelkit.supervise.configuration import Known, configure, succeed
from kannelkit.supervise.counts import Counts
from kannelkit.throttle.values import Learnt
from tests.supervise.played import account, link, status


def spec(folder: Path, **ceilings: int) -> Spec:
    """Return a spec of accounts with these throughputs."""
    path = folder / "spec.yaml"
    smsc = [
        f"{{smsc-id: {name}, host: h, smsc-username: {name}, smsc-password: p, throughput: {most}}}"
        for name, most in ceilings.items()
    ]
    path.write_text(f"state-dir: {folder}\ncore: {{admin-password: secret}}\nsmsc: [{', '.join(smsc)}]\n")
    loaded = load(path, {})
    return loaded.with_made(dict.fromkeys(loaded.to_make(), "made"))


def test_what_was_learnt_goes_on_within_the_new_bounds(tmp_path: Path) -> None:
    learnt = {"kept": Learnt(20, 2), "lowered": Learnt(50, 2), "gone": Learnt(5)}
    former = configure(spec(tmp_path, kept=60, lowered=60, unlearnt=60, gone=60), Known(learnt))
    next_one = succeed(former, spec(tmp_path, kept=60, lowered=40, unlearnt=40, new=30))
    assert {name: rate.throughput for name, rate in next_one.rates.items()} == {
        "kept": 20,
        "lowered": 40,
        "unlearnt": 40,
        "new": 30,
    }
    assert next_one.rates["kept"] is former.rates["kept"]
    assert next_one.rates["lowered"] is not former.rates["lowered"]
    assert (next_one.rates["lowered"].learnt, next_one.rates["unlearnt"].learnt) == (Learnt(40, 2), None)


def test_the_counts_of_an_account_that_stays_go_on(tmp_path: Path) -> None:
    stays, goes, comes = account("stays"), account("goes"), account("comes")
    counts = Counts([stays, goes])
    links = [link("stays-1", sent=7), link("goes-1", sent=3)]
    assert {name: one.accepted for name, one in counts.samples(status(*links), 1.0).items()} == {"stays": 7, "goes": 3}
    counts.follow([stays, comes])
    links = [link("stays-1", sent=9), link("comes-1", sent=2)]
    assert {name: one.accepted for name, one in counts.samples(status(*links), 2.0).items()} == {"stays": 9, "comes": 2}


def test_a_rate_knows_how_many_submits_its_links_leave_unanswered(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    spec(tmp_path, one=60)
    path.write_text(
        path.read_text().replace("throughput: 60", "throughput: 60, connections: 3, max-pending-submits: 7")
    )
    configuration = configure(load(path, {"admin-password": "made"}), Known())
    assert configuration.rates["one"].settings.window == 21
