"""docs/operators-guide.md, held against what it speaks of: alerts, variables, routes, metrics, the words on pages and panels."""

import json
import re
import shutil
import subprocess

import pytest

from dashboards import DASHBOARDS
from monitoring import fetch
from service import BINARIES, ROOT, Service, running
from test_prometheus import ALERTS

GUIDE = ROOT / "docs" / "operators-guide.md"
TEXT = GUIDE.read_text()
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.M | re.S)
SHELL = [body for language, body in FENCE.findall(TEXT) if language == "sh"]
SETTINGS = [body for language, body in FENCE.findall(TEXT) if language == "ini"]
PROSE = FENCE.sub("", TEXT)
CODE = re.findall(r"`([^`\n]+)`", PROSE)
HEADINGS = re.findall(r"^#+ (.+)$", PROSE, re.M)
# What docker-compose alone knows.
COMPOSE = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
# Those that decide how much a service bears, and those that decide who is told.
NEEDED = re.compile(r"_LIMIT|^RATE_LIMIT|^CALLBACK_|^RETENTION_|^LOCK_|^RELEASE_|^SMTP_|^WEBHOOK_|^QUEUE_THRESHOLD")


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with running(Service(tmp_path_factory.mktemp("service"))) as service:
        yield service


@pytest.fixture(scope="module")
def metrics(service):
    """What both programs tell, as Prometheus reads it."""
    return "".join(fetch(f"http://{address}/metrics") for addresses in service.metrics.values() for address in addresses)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def runbook():
    return re.findall(r"^### (.+)$", re.search(r"^## Runbook$(.*?)^## ", PROSE, re.M | re.S).group(1), re.M)


def variables(program):
    result = subprocess.run([BINARIES / program, "--help"], capture_output=True, text=True, timeout=60, check=True)
    return set(re.findall(r"^  ([A-Z][A-Z_]+)$", result.stdout, re.M))


def calls():
    """Method and path of each call of the API: `api METHOD PATH`, or curl on $ANTEROOM."""
    code = "\n".join(SHELL + CODE).replace("\\\n", " ")
    yield from re.findall(r"\bapi ([A-Z]+) \"?(/[^\s\"?]*)", code)
    for command in re.findall(r"\bcurl [^\n|;]*", code):
        for path in re.findall(r"\$ANTEROOM(/[^\s\"?]*)", command):
            yield "POST" if re.search(r" (-d|--data\S*) ", command) else "GET", path


def test_the_runbook_has_a_section_for_each_alert_and_no_other(metrics):
    own = re.findall(r'^alerts_raised_total\{kind="(\w+)"\}', metrics, re.M)
    assert own
    assert sorted(runbook()) == sorted([alert["alert"] for alert in ALERTS] + own)


def test_a_runbook_url_leads_to_its_section():
    anchors = {anchor(section) for section in runbook()}
    for alert in ALERTS:
        path, _, target = alert["annotations"]["runbook_url"].partition("#")
        assert ROOT / path == GUIDE and target in anchors, alert["alert"]


def test_links_lead_somewhere():
    anchors = {anchor(heading) for heading in HEADINGS}
    for target in re.findall(r"\]\(([^)]+)\)", PROSE):
        path, _, section = target.partition("#")
        if path:
            file = GUIDE.parent / path
            assert file.exists(), target
            assert not section or section in map(anchor, re.findall(r"^#+ (.+)$", file.read_text(), re.M)), target
        else:
            assert section in anchors, target


def test_variables_named_exist():
    known = variables("Gateway") | variables("Releaser") | COMPOSE
    named = {name for code in CODE for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", code)}
    named |= {name for body in SETTINGS for name in re.findall(r"^([A-Z_]+)=", body, re.M)}
    environment = re.search(r"tee /etc/anteroom/environment .*?\n(.*?)^END$", "\n".join(SHELL), re.M | re.S).group(1)
    named |= set(re.findall(r"^([A-Z_]+)=", environment, re.M))
    assert named and named <= known


@pytest.mark.parametrize("name", sorted(name for name in variables("Gateway") if NEEDED.search(name)))
def test_a_variable_of_size_or_alerts_is_named(name):
    assert re.search(rf"\b{name}\b", TEXT)


def test_calls_are_those_of_the_api(service):
    routes = [(re.sub(r"\{\w+\}", "[^/]+", path), methods) for path, methods in service.call("GET", "/openapi.json")["paths"].items()]
    found = set(calls())
    assert len(found) > 10
    for method, path in found:
        assert any(re.fullmatch(pattern, path) and method.lower() in methods for pattern, methods in routes), (method, path)


def test_metrics_in_expressions_exist(metrics):
    names = {name for code in CODE for name in re.findall(r"\b([a-z_]+)(?=[{\[])", code)} - {"up"}
    assert names
    for name in names:
        assert re.search(rf"^{name}[ {{]", metrics, re.M), name


def test_words_in_italics_are_on_a_page_or_a_panel():
    words = json.loads((ROOT / "Sources" / "Gateway" / "Web" / "en.json").read_text()).values()
    shown = {re.sub(r"\{\w+\}", "…", word) for word in words}
    for dashboard in DASHBOARDS.values():
        shown |= {dashboard["title"]} | {panel["title"] for panel in dashboard["panels"]}
    found = set(re.findall(r"(?<![*\w])\*([^*\n]+)\*(?![*\w])", re.sub(r"`[^`\n]*`", "", PROSE)))
    assert found and found <= shown


def test_commands_are_shell():
    for body in SHELL:
        result = subprocess.run(["bash", "-n"], input=body, capture_output=True, text=True, timeout=10)
        assert result.returncode == 0, result.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit", ["anteroom-gateway@8081.service", "anteroom-releaser@9091.service"])
def test_systemd_takes_the_units(unit, tmp_path):
    text = (ROOT / "deploy" / "systemd" / re.sub(r"@\d+", "@", unit)).read_text()
    (tmp_path / unit).write_text(text.replace("/usr/local/lib/anteroom/", f"{BINARIES}/"))
    result = subprocess.run(["systemd-analyze", "verify", tmp_path / unit], capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stderr) == (0, "")
