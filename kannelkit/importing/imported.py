"""A kannel.conf, with all that it includes, to a spec that gives Kannel the same groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kannelkit.conf import Opener, in_force, read
from kannelkit.conf.values import TRUE
from kannelkit.errors import KannelkitError
from kannelkit.findings import Place
from kannelkit.importing.accounts import Entry, entries
from kannelkit.importing.compare import Differences, differences
from kannelkit.importing.original import Original, original
from kannelkit.importing.report import Report
from kannelkit.importing.settle import settled
from kannelkit.importing.text import spec_text
from kannelkit.providers import PROFILES
from kannelkit.render import kannel_conf
from kannelkit.spec import Spec, lacking


@dataclass(frozen=True, slots=True)
class Imported:
    """A spec's text, the secrets that it expects in files of the secrets folder, by file name, and the report.

    `holds_secrets` says that passwords stand in the text.
    """

    text: str
    secrets: Mapping[str, str]
    holds_secrets: bool
    report: Report

    def __repr__(self) -> str:
        return f"Imported({self.report!r})"  # the text may hold secrets


def imported(path: str, opened: Opener, spec_path: Path, secrets_dir: str | None = None) -> Imported:
    """Return the spec for the kannel.conf at `path`; it is to stand at `spec_path`.

    With `secrets_dir`, relative to the spec's folder, its secrets are in files there. Raises InputError where Kannel
    would not start with the file or a spec cannot hold it, and KannelkitError where generating from the spec would not
    give back the same groups, which is a defect here.
    """
    was = original(path, opened)
    made = entries([group for group in was.groups if group.name == "smsc"])
    written = spec_text(was, made, None)
    spec, findings = settled(written, spec_path, Place(path))
    found = _compared(was, made, spec)
    if found.unexpected:
        raise KannelkitError(
            "the spec would not give Kannel the same groups:\n" + "\n".join(f"  {each}" for each in found.unexpected),
            "this is a defect of import: please report it, with the groups named above and without their passwords",
        )
    if secrets_dir is not None:
        in_files = spec_text(was, made, secrets_dir)
        for line, silenced in zip(in_files.lines, written.lines, strict=True):
            line.ignored = silenced.ignored
        written = in_files
    changed = (*found.expected, *was.rewritten)
    written.remark("What is not as it was:", changed)
    written.remark("Left out, because Kannel does not use it:", was.forgotten)
    told = {(finding.place, finding.rule) for finding in findings}
    report = Report(
        files=was.files,
        groups=len(was.groups),
        links=sum(len(entry.groups()) for entry in made if entry.is_account),
        accounts=sum(entry.is_account for entry in made),
        differences=changed,
        left_out=(*was.forgotten, *_dropped(was.dropped)),
        mend=findings,
        lacking=tuple(each for each in lacking(spec) if (each.place, each.rule) not in told),
        hints=tuple(_hints(made)),
    )
    return Imported(str(written), written.secrets, written.holds_secrets, report)


def _compared(was: Original, made: Sequence[Entry], spec: Spec) -> Differences:
    groups, findings = read(kannel_conf(spec))
    found = differences(was.groups, made, in_force(groups))
    found.unexpected += map(str, findings)
    return found


def _dropped(lines: int) -> Iterator[str]:
    if lines:
        yield (
            f"{lines} {'line' if lines == 1 else 'lines'} of comments: commented-out directives and what stands beside"
            " them, comments inside groups, and lines that may hold a password"
        )


def _hints(made: Iterable[Entry]) -> Iterator[str]:
    hosts = {host: profile for profile in PROFILES.values() for host in (profile.host, profile.backup_host) if host}
    for entry in made:
        values = entry.values
        if entry.is_account and (profile := hosts.get(values.get("host", "").lower())):
            tls = values.get("use-ssl", "").lower() in TRUE
            usual = [
                row.directive
                for row in profile.settings
                if values.get(row.directive) == (row.tls_value if tls and row.tls_value is not None else row.value)
            ]
            yield (
                f"smsc {entry.name} goes to {profile.name}: `provider: {profile.name}` sets {', '.join(usual)} as they"
                " are here, and further lines that the provider asks for"
            )
