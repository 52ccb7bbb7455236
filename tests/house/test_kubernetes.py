"""The manifest and the container file hold together: names, ports, folders, rights, and a spec that can be run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kannelkit.lint import look
from kannelkit.lint.rules import RULES
from kannelkit.render.units import STOP_SECONDS, rotated
from kannelkit.spec import Spec, lacking
from kannelkit.spec.load import parse

FOLDER = Path(__file__).parents[2] / "examples/kubernetes"
CONTAINERFILE = (FOLDER / "Containerfile").read_text()
MANIFEST: dict[str, Any] = {each["kind"]: each for each in yaml.safe_load_all((FOLDER / "kannelkit.yaml").read_text())}
POD = MANIFEST["StatefulSet"]["spec"]["template"]["spec"]
CONTAINERS: dict[str, Any] = {each["name"]: each for each in POD["containers"]}
PLACE = Path("/etc/kannelkit/gateway.yaml")
TEXT = MANIFEST["ConfigMap"]["data"]["gateway.yaml"]
SECRETS = re.findall(r"\{file: (.*?)\}", TEXT)


def spec() -> Spec:
    """Return the manifest's spec as the pod reads it, with any secrets."""
    return parse(re.sub(r"\{file: .*?\}", "s3cret12", TEXT), PLACE, {}, str(PLACE))


def test_the_spec_can_be_run_and_nothing_in_it_loses_anything() -> None:
    assert lacking(spec()) == ()
    found = look.findings(look.spec(TEXT, PLACE, {}, str(PLACE), secrets=False))
    assert [str(finding) for finding in found if RULES[finding.rule].severity != "hint"] == []


def test_every_secret_that_the_spec_names_is_in_the_secret_and_none_is_beside() -> None:
    mount = mounts("kannelkit")["secrets"]
    assert sorted(SECRETS) == sorted(f"{mount}/{name}" for name in MANIFEST["Secret"]["stringData"])


def mounts(container: str) -> dict[str, str]:
    return {mount["name"]: mount["mountPath"] for mount in CONTAINERS[container]["volumeMounts"]}


@pytest.mark.parametrize("container", CONTAINERS)
def test_every_mount_has_its_volume(container: str) -> None:
    claims = MANIFEST["StatefulSet"]["spec"]["volumeClaimTemplates"]
    there = {volume["name"] for volume in POD["volumes"]} | {claim["metadata"]["name"] for claim in claims}
    assert set(mounts(container)) == there
    assert mounts(container)["spec"] == str(PLACE.parent)


def test_everything_that_is_written_lies_on_the_disk_that_stays() -> None:
    disk = mounts("kannelkit")["state"]
    assert [folder for folder in spec().folders() if not folder.is_relative_to(disk)] == []


def test_every_log_is_rotated() -> None:
    (pattern,) = re.findall(r"^(/\S+) \{$", MANIFEST["ConfigMap"]["data"]["logrotate.conf"], re.MULTILINE)
    assert [log for log in rotated(spec()) if not log.match(pattern)] == []
    assert f"reopen-logs {PLACE}" in MANIFEST["ConfigMap"]["data"]["logrotate.conf"]
    assert POD["shareProcessNamespace"] is True


def texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def test_the_probes_ask_where_the_daemon_answers() -> None:
    host, port = spec().health_listen
    probes = {
        name: "".join(texts(CONTAINERS["kannelkit"][f"{name}Probe"])) for name in ("startup", "liveness", "readiness")
    }
    asked = {name: re.findall(r"http://\S+?(?=')", text) for name, text in probes.items()}
    base = f"http://{host}:{port}"
    assert asked == {"startup": [f"{base}/livez"], "liveness": [f"{base}/livez"], "readiness": [f"{base}/readyz"]}


def test_messages_come_in_at_the_port_of_the_service() -> None:
    port = spec().sendsms_port
    assert [each["port"] for each in MANIFEST["Service"]["spec"]["ports"]] == [port]
    assert [each["containerPort"] for each in CONTAINERS["kannelkit"]["ports"]] == [port]
    assert [each["port"] for each in MANIFEST["NetworkPolicy"]["spec"]["ingress"][0]["ports"]] == [port]
    labels = MANIFEST["StatefulSet"]["spec"]["template"]["metadata"]["labels"]
    for selector in (
        MANIFEST["Service"]["spec"]["selector"],
        MANIFEST["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"],
    ):
        assert selector.items() <= labels.items()


def test_there_is_one_pod_and_it_is_given_its_time_to_stop() -> None:
    assert MANIFEST["StatefulSet"]["spec"]["replicas"] == 1
    assert POD["terminationGracePeriodSeconds"] >= STOP_SECONDS


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_container_is_nobody_who_may_do_anything(container: str) -> None:
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert CONTAINERS[container]["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_image_is_for_the_pods_user_and_holds_nothing_secret() -> None:
    user = POD["securityContext"]["runAsUser"]
    assert f"\nUSER {user}:{user}\n" in CONTAINERFILE
    assert re.findall(r"^COPY (.*)$", CONTAINERFILE, re.MULTILINE) == [
        "setup.cfg pyproject.toml README.md LICENSE /source/",
        "templates /source/templates/",
        "kannelkit /source/kannelkit/",
        "--from=built /opt/kannelkit /opt/kannelkit",
    ]
    assert "ARG" not in CONTAINERFILE
