"""docker-compose.yml, as docker-compose reads it; no container is started."""

import os
import pathlib
import re
import subprocess

import pytest
import yaml

from dashboards import DASHBOARDS, GRAFANA
from monitoring import PROMETHEUS
from service import ROOT

EXAMPLE = ROOT / ".env.example"


def compose(environment_file):
    command = ["docker-compose", "--env-file", str(environment_file), "config"]
    return subprocess.run(command, cwd=ROOT, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60)


def configuration():
    result = compose(EXAMPLE)
    assert result.returncode == 0, result.stderr
    return yaml.safe_load(result.stdout)


SERVICES = configuration()["services"]
each_service = pytest.mark.parametrize("name", SERVICES)


def stage(service):
    """What the Dockerfile says of the image that is built for `service`, its base stages included."""
    text = (ROOT / service["build"]["dockerfile"]).read_text()
    stages = {name: (base, body) for base, name, body in re.findall(r"^FROM (\S+) AS (\S+)\n(.*?)(?=^FROM |\Z)", text, re.M | re.S)}
    lines, name = "", service["build"]["target"]
    while name in stages:
        name, body = stages[name]
        lines = body + lines
    return lines


def bind_mounts(service):
    for volume in service.get("volumes", []):
        source, target, mode = volume.split(":")
        if source.startswith("/"):
            yield pathlib.Path(source), target, mode


def test_all_parts_are_there():
    assert set(SERVICES) == {"redis", "gateway", "releaser", "proxy", "prometheus", "alertmanager", "grafana"}
    assert ["--appendonly", "yes"] == SERVICES["redis"]["command"][1:3]


def test_redis_refuses_when_it_is_full_and_throws_nothing_away():
    command = SERVICES["redis"]["command"]
    options = dict(zip(command[1::2], command[2::2]))
    assert options["--maxmemory-policy"] == "noeviction" and re.fullmatch(r"[1-9]\d*gb", options["--maxmemory"])


@each_service
def test_a_service_can_do_no_more_than_it_must(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service and "privileged" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    user = service.get("user") or re.search(r"^USER (\d+)$", stage(service), re.M).group(1)
    assert user.split(":")[0] != "0"


@each_service
def test_a_service_tells_whether_it_is_well(name):
    service = SERVICES[name]
    assert service.get("healthcheck", {}).get("test") or re.search(r"^HEALTHCHECK .*CMD curl", stage(service), re.M)


@each_service
def test_only_the_proxy_can_be_reached_from_elsewhere(name):
    for port in SERVICES[name].get("ports", []):
        assert name == "proxy" or port.startswith("127.0.0.1:"), port


@each_service
def test_files_that_are_mounted_exist_and_stay_as_they_are(name):
    for source, _, mode in bind_mounts(SERVICES[name]):
        assert source.exists() and mode == "ro", source


@pytest.mark.parametrize("name", ["gateway", "releaser"])
def test_there_may_be_several(name):
    assert not {"container_name", "hostname", "ports", "volumes"} & set(SERVICES[name])


@pytest.mark.parametrize("name", ["SECRET_KEY", "ADMIN_EMAIL", "ADMIN_PASSWORD", "GRAFANA_PASSWORD"])
def test_what_has_no_default_is_asked_for(name, tmp_path):
    lines = [line for line in EXAMPLE.read_text().splitlines() if not line.startswith(f"{name}=")]
    (tmp_path / "env").write_text("\n".join(lines))
    result = compose(tmp_path / "env")
    assert result.returncode != 0 and f"set {name} in .env" in result.stderr


def test_prometheus_asks_every_gateway_and_releaser_there_is():
    jobs = {job["job_name"]: job for job in yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]}
    for name in ["gateway", "releaser"]:
        [discovery] = jobs[name]["dns_sd_configs"]
        assert discovery["names"] == [name] and discovery["type"] == "A"
        assert str(discovery["port"]) == SERVICES[name]["environment"]["METRICS_PORT"]


def test_grafana_finds_what_is_provisioned():
    mounts = {target: source for source, target, _ in bind_mounts(SERVICES["grafana"])}
    assert mounts["/etc/grafana/provisioning"] == GRAFANA / "provisioning"
    [provider] = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "anteroom.yml").read_text())["providers"]
    assert mounts[provider["options"]["path"]] == GRAFANA / "dashboards"
    home = pathlib.Path(SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == provider["options"]["path"] and home.stem in DASHBOARDS
