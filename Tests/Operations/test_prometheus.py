"""deploy/prometheus and deploy/alertmanager, judged by their own tools."""

import subprocess

import pytest
import yaml

from monitoring import ALERTMANAGER, PROMETHEUS

RULES = [rule for file in sorted((PROMETHEUS / "rules").glob("*.yml")) for group in yaml.safe_load(file.read_text())["groups"]
         for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
CASES = [case for file in sorted((PROMETHEUS / "tests").glob("*.yml")) for test in yaml.safe_load(file.read_text())["tests"]
         for case in test["alert_rule_test"]]

each_alert = pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_prometheus_takes_the_configuration_and_the_rules():
    files = list((PROMETHEUS / "rules").glob("*.yml"))
    assert f"{len(files)} rule files found" in run("promtool", "check", "config", PROMETHEUS / "prometheus.yml")


def test_the_rules_do_what_their_tests_say():
    run("promtool", "test", "rules", *sorted((PROMETHEUS / "tests").glob("*.yml")))


@each_alert
def test_an_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(alert):
    fires = {bool(case["exp_alerts"]) for case in CASES if case["alertname"] == alert["alert"]}
    assert fires == {True, False}


@each_alert
def test_an_alert_says_how_bad_it_is_and_what_to_do(alert):
    assert alert["labels"]["severity"] in ["critical", "warning"]
    assert alert["annotations"]["summary"] and alert["annotations"]["description"]
    assert alert["annotations"]["runbook_url"] == f"docs/operators-guide.md#{alert['alert'].lower()}"


def test_the_names_of_alerts_are_unique():
    names = [alert["alert"] for alert in ALERTS]
    assert len(set(names)) == len(names)


def test_alertmanager_takes_the_configuration():
    run("amtool", "check-config", ALERTMANAGER)


@pytest.mark.parametrize("severity, receiver", [("critical", "page"), ("warning", "chat")])
def test_who_is_told(severity, receiver):
    assert run("amtool", "config", "routes", "test", f"--config.file={ALERTMANAGER}", f"severity={severity}").strip() == receiver


def test_alerts_that_hold_back_others_exist():
    names = {alert["alert"] for alert in ALERTS}
    for rule in yaml.safe_load(ALERTMANAGER.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            name, values = matcher.split("=", 1)
            assert name == "alertname" and set(values.strip('~"').split("|")) <= names, matcher
