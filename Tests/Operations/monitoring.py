"""A real Prometheus and Alertmanager with the configuration that is shipped; only addresses, paths and intervals are the test's."""

import json
import math
import pathlib
import shutil
import subprocess
import time
import urllib.parse
import urllib.request

import yaml

from deadline import until
from service import ROOT, free_port

PROMETHEUS = ROOT / "deploy" / "prometheus"
ALERTMANAGER = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


class Monitoring:
    def __init__(self, folder, targets, slack):
        """`targets`: host:port by job. `slack`: where messages go."""
        self.folder = pathlib.Path(folder)
        self.started = time.time()
        self.children = []
        self.alertmanager = f"127.0.0.1:{free_port()}"
        self.address = f"http://127.0.0.1:{free_port()}"
        self.targets = targets | {"alertmanager": [self.alertmanager]}
        self.slack = slack

    def start(self):
        secret = self.folder / "slack_url"
        secret.write_text(self.slack)
        configuration = self.folder / "alertmanager.yml"
        configuration.write_text(ALERTMANAGER.read_text().replace("/etc/alertmanager/secrets/slack_url", str(secret)))
        self.launch("prometheus-alertmanager", [
            f"--config.file={configuration}", f"--storage.path={self.folder / 'alertmanager'}", f"--web.listen-address={self.alertmanager}",
            "--cluster.listen-address="])

        shutil.copytree(PROMETHEUS / "rules", self.folder / "rules")
        configuration = self.folder / "prometheus.yml"
        configuration.write_text(yaml.safe_dump(self.prometheus_configuration()))
        self.launch("prometheus", [
            f"--config.file={configuration}", f"--storage.tsdb.path={self.folder / 'prometheus'}",
            f"--web.listen-address={self.address.removeprefix('http://')}"])
        until(self.is_ready, f"Prometheus and Alertmanager (logs in {self.folder})")

    def prometheus_configuration(self):
        configuration = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
        configuration["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
        configuration["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": [self.alertmanager]}]}]
        assert {job["job_name"] for job in configuration["scrape_configs"]} == set(self.targets)
        for job in configuration["scrape_configs"]:
            for discovery in [key for key in job if key.endswith("_sd_configs") or key == "static_configs"]:
                del job[discovery]
            job["static_configs"] = [{"targets": self.targets[job["job_name"]]}]
        return configuration

    def launch(self, program, arguments):
        with open(self.folder / f"{program}.log", "wb") as log:
            self.children.append(subprocess.Popen([program, *arguments], cwd=self.folder, stdout=log, stderr=subprocess.STDOUT))

    def is_ready(self):
        for child in self.children:
            assert child.poll() is None, f"{child.args[0]} ended with {child.returncode}, see {self.folder}"
        try:
            fetch(f"{self.address}/-/ready")
            fetch(f"http://{self.alertmanager}/-/ready")
            return True
        except OSError:
            return False

    def stop(self):
        for child in self.children:
            child.terminate()
        for child in self.children:
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def api(self, path, **query):
        answer = json.loads(fetch(f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(query, doseq=True)}"))
        assert answer["status"] == "success", answer
        return answer["data"]

    def now(self, expression):
        """The labels and the number of each series."""
        return [(series["metric"], float(series["value"][1])) for series in self.api("query", query=expression)["result"]]

    def numbers(self, expression):
        """All numbers of all series since the start, as a graph would draw them."""
        result = self.api("query_range", query=expression, start=self.started, end=time.time(), step=1)["result"]
        return [number for series in result for _, text in series["values"] if not math.isnan(number := float(text))]

    def amtool(self, *arguments):
        command = ["amtool", f"--alertmanager.url=http://{self.alertmanager}", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout

    def raise_alert(self, name, **labels):
        """Tells Alertmanager of an alert, as Prometheus would."""
        self.amtool("alert", "add", name, *(f"{label}={value}" for label, value in labels.items()))
