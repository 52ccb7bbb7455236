"""What logs tell and no counter of Kannel's does."""

from __future__ import annotations

from pathlib import Path

from kannelkit.health.metrics_logs import LogCounts
from kannelkit.health.metrics_totals import Totals

PID = 18484
REFUSED = "SMPP[{}]: SMSC returned error code 0x00000058 (Throttling error) in response to submit_sm PDU."


def line(text: str, pid: int = PID, level: str = "ERROR") -> str:
    return f"2026-11-22 15:40:57 [{pid}] [6] {level}: {text}\n"


def access(verb: str, smsc_id: str = "one") -> str:
    return f"2026-11-22 15:40:57 {verb} [SMSC:{smsc_id}] [SVC:u] [ACT:] [BINF:] [FID:] [from:a] [to:7] [msg:1:m]\n"


def write(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.write("".join(lines))


def counts(folder: Path) -> tuple[Totals, LogCounts]:
    totals = Totals()
    return totals, LogCounts(totals, [folder / "bearerbox.log"], folder / "access.log", ["one"])


def test_what_is_written_from_now_on_is_counted(tmp_path: Path) -> None:
    log, alog = tmp_path / "bearerbox.log", tmp_path / "access.log"
    write(log, line(REFUSED.format("one")))
    write(alog, access("DISCARDED SMS"))
    totals, logs = counts(tmp_path)
    logs.read(PID)
    assert totals.total("kannelkit_refused_total", ("one", "ESME_RTHROTTLED")) == 0
    lines = [
        line(REFUSED.format("one")),
        line("SMPP[one]: SMSC rejected login to transmit, code 0x0000000d (Bind Failed)."),
    ]
    write(log, *lines, line("something else", level="INFO"))
    write(alog, access("DISCARDED SMS"), access("Sent SMS"), access("REJECTED Send SMS"), access("EXPIRED SMS"))
    write(alog, access("FAILED Send SMS"), access("DISCARDED SMS", ""), access("DISCARDED SMS", "made-up"))
    logs.read(PID)
    logs.read(PID)
    logs.close()
    assert totals.total("kannelkit_refused_total", ("one", "ESME_RTHROTTLED")) == 1
    assert totals.total("kannelkit_binds_refused_total", ("one", "ESME_RBINDFAIL")) == 1
    assert totals.total("kannelkit_discarded_total", ("one",)) == 1
    assert totals.total("kannelkit_discarded_total", ("",)) == 2
    for metric in ("rejected", "expired", "failed"):
        assert totals.total(f"kannelkit_{metric}_total", ("one",)) == 1
    octets = sum(map(len, lines)) + len(line("something else", level="INFO"))
    assert totals.total("kannelkit_log_read_bytes_total", ("bearerbox.log",)) == octets
    assert totals.total("kannelkit_log_lines_unparsed_total", ("bearerbox.log",)) == 0


def test_refusals_that_bearerbox_did_not_write_are_unparsed(tmp_path: Path) -> None:
    totals, logs = counts(tmp_path)
    logs.read(PID)
    forged = [line(REFUSED.format("one"), pid=1), f"  {REFUSED}\n", line(REFUSED.format("one"), level="DEBUG")]
    write(tmp_path / "bearerbox.log", *forged, line(REFUSED.format("stranger")), line("x" * 70_000))
    logs.read(PID)
    logs.close()
    assert totals.samples("kannelkit_refused_total") == []
    assert totals.total("kannelkit_log_lines_unparsed_total", ("bearerbox.log",)) == 4


def test_without_a_bearerbox_nothing_is_believed(tmp_path: Path) -> None:
    totals, logs = counts(tmp_path)
    logs.read(None)
    write(tmp_path / "bearerbox.log", line(REFUSED.format("one")))
    logs.read(None)
    logs.close()
    assert totals.samples("kannelkit_refused_total") == []


def test_a_log_that_cannot_be_read_is_told_until_it_can(tmp_path: Path) -> None:
    log = tmp_path / "bearerbox.log"
    log.mkdir()
    totals, logs = counts(tmp_path)
    logs.read(PID)
    assert list(logs.troubles) == [log]
    log.rmdir()
    write(log, line(REFUSED.format("one")))
    logs.read(PID)
    logs.close()
    assert logs.troubles == {}
    assert totals.total("kannelkit_refused_total", ("one", "ESME_RTHROTTLED")) == 1
