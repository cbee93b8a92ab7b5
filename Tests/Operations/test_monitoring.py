"""What is shipped for Prometheus, Alertmanager and Grafana, on a service at work: nothing is asked for that is not there."""

import itertools
import json
import re
import subprocess

import pytest

import dashboards
from deadline import until
from monitoring import Monitoring, fetch
from sale import Sale, SaleSite
from service import Answer, Service, running
from test_prometheus import ALERTS, each_alert


@pytest.fixture(scope="module")
def site():
    site = SaleSite()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory, site):
    service = Service(tmp_path_factory.mktemp("service"), QUEUE_THRESHOLD="3", CALLBACK_MAX_ATTEMPTS="1", WEBHOOK_URL=f"{site.address}/webhook")
    with running(service):
        service.start_one("releaser")
        yield service


@pytest.fixture(scope="module")
def sale(service, site):
    sale = Sale(service, site)
    yield sale
    sale.stop()


@pytest.fixture(scope="module")
def monitoring(tmp_path_factory, service, site, sale):
    monitoring = Monitoring(tmp_path_factory.mktemp("monitoring"), service.metrics, f"{site.address}/slack")
    try:
        monitoring.start()
        until(lambda: len(monitoring.now("queue_locks_held")) == 2, "both releasers have answered")
        # Seen from its beginning by those who look on.
        sale.add_queue()
        monitoring.raise_alert("NobodyReadsThis")
        yield monitoring
    finally:
        monitoring.stop()


def test_every_program_is_found_under_its_job(monitoring, service):
    def jobs():
        return {labels["instance"]: labels["job"] for labels, number in monitoring.now("up == 1")}

    expected = {address: job for job, addresses in monitoring.targets.items() for address in addresses}
    until(lambda: jobs() == expected, "every program answers Prometheus")


def test_two_releasers_share_the_queues_and_each_queue_is_told_of_once(monitoring, sale):
    def told():
        return sorted(labels["queue_id"] for labels, _ in monitoring.now("queue_size"))

    until(lambda: len([1 for _, held in monitoring.now("queue_locks_held") if held]) == 2, "both hold queues")
    until(lambda: told() == sorted(queue.id for queue in sale.queues), "one size a queue")


@pytest.mark.parametrize("name, expression", list(dashboards.queries()), ids=[name for name, _ in dashboards.queries()])
def test_a_panel_shows_what_went_on(monitoring, sale, name, expression):
    every = dashboards.filled_in(expression, queue_id=".+")
    until(lambda: any(monitoring.numbers(every)), f"a number other than 0 from {every}", seconds=45)
    one = dashboards.filled_in(expression, queue_id=f"({sale.fast.id})")
    until(lambda: any(monitoring.numbers(one)), f"a number other than 0 from {one}")


def test_the_variables_list_the_queues(monitoring, sale):
    for variable, metric, label in dashboards.variables():
        assert variable["allValue"] == ".+"
        until(lambda: set(monitoring.api(f"label/{label}/values", **{"match[]": metric})) == {queue.id for queue in sale.queues},
              f"the queues' ids by {variable['query']['query']}")


@each_alert
def test_an_alert_asks_for_metrics_that_there_are(monitoring, alert):
    for name in metric_names(alert["expr"]):
        until(lambda: monitoring.now(name), f"a series of {name}")


def metric_names(expression):
    """What is left of a PromQL expression without its labels, ranges, functions and operators."""
    for grammar in [r"\{[^}]*\}", r"\[[^\]]*\]", r"\bby \([^)]*\)", r"\w+\s*\(", r"\boffset \w+", r"\b(and|or|unless)\b"]:
        expression = re.sub(grammar, " ", expression)
    names = set(re.findall(r"\b[a-z]\w+", expression))
    assert names
    return names


def test_every_rule_can_be_computed(monitoring):
    def rules():
        return [rule for group in monitoring.api("rules")["groups"] for rule in group["rules"]]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()), "every rule was computed")
    assert {rule["name"]: rule.get("lastError") for rule in rules() if rule["health"] != "ok"} == {}
    assert len(rules()) == len(ALERTS)


def test_an_alert_reaches_those_who_are_to_know(monitoring, site):
    message = until(lambda: message_about("CallbacksGivenUp", site), "a message about callbacks", seconds=60)
    assert "Callbacks were given up" in message["text"]
    assert "See docs/operators-guide.md#callbacksgivenup" in message["text"]


def message_about(alert, site):
    messages = [json.loads(body)["attachments"][0] for body in site.posts.get("/slack", [])]
    return next((message for message in messages if alert in message["title"]), None)


def test_what_follows_from_something_greater_is_held_back(monitoring, site):
    monitoring.raise_alert("RedisAway", severity="critical")
    monitoring.raise_alert("GatewayErrors", severity="critical", route="/join")
    message = until(lambda: message_about("RedisAway", site), "a message about RedisAway", seconds=60)
    assert message["pretext"] == "<!channel>"
    assert "GatewayErrors" in monitoring.amtool("alert", "query", "--inhibited")


def test_metrics_are_as_prometheus_wants_them(service, sale, monitoring):
    for address in itertools.chain(*service.metrics.values()):
        text = fetch(f"http://{address}/metrics")
        result = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        assert (result.returncode, result.stdout + result.stderr) == (0, ""), address


def test_what_visitors_send_makes_no_series(service, sale):
    def visit(number):
        for path, headers in [(f"/nowhere/{number}", {}), (f"/wait/{number}", {}), (f"/queue_status?token={number}", {}),
                              ("/", {"X-Forwarded-For": f"2001:db8::{number:x}"}), (f"/queue/tenant-{number}/line-{number}", {})]:
            try:
                service.call("GET", path, headers=headers)
            except (Answer, json.JSONDecodeError):
                pass
        sale.desk.join(f"somebody-{number}")

    def series():
        address = service.metrics["gateway"][0]
        return {line.rsplit(" ", 1)[0] for line in fetch(f"http://{address}/metrics").splitlines() if not line.startswith("#")}

    visit(0)
    known = series()
    for number in range(1, 50):
        visit(number)
    assert series() - known == set()
