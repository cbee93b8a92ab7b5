"""Two gateways behind a real nginx with the configuration that is shipped, restarted one after the other. nginx is told nothing."""

import json
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

from service import BINARIES, ROOT, Service, free_port, running

ROUNDS = 2
DRAIN_SECONDS = 5  # as in production, when nothing else is said
VISITORS = pathlib.Path(__file__).with_name("visitors.py")


class Site(Service):
    """The service with two gateways, and nginx in front."""

    def __init__(self, folder):
        super().__init__(folder, DRAIN_SECONDS=str(DRAIN_SECONDS))
        self.programs = {}  # the gateways by port
        self.port = free_port()

    def start(self):
        super().start()
        self.programs[int(self.variables["PORT"])] = self.children[1]
        self.start_gateway(free_port())
        configuration = self.folder / "nginx.conf"
        configuration.write_text(self.configuration())
        self.launch("nginx", ["nginx", "-g", "daemon off;", "-c", str(configuration)])
        self.address = f"http://127.0.0.1:{self.port}"
        self.wait_for(self.address)

    def configuration(self):
        """That of deploy/ with addresses of this machine. The nginx of Debian cannot look up a name again, so each gateway is named."""
        text = (ROOT / "deploy" / "nginx.conf").read_text()
        servers = "".join(rf"server 127.0.0.1:{port} \1;" for port in self.programs)
        for pattern, replacement in [
            (r"server gateway:8080 resolve (.*);", servers), (r"listen 8080", f"listen 127.0.0.1:{self.port}"), (r"/tmp/", f"{self.folder}/"),
        ]:
            text, count = re.subn(pattern, replacement, text)
            assert count, pattern
        return text

    def start_gateway(self, port):
        variables = self.variables | {"PORT": str(port)}
        self.programs[port] = self.launch(f"gateway-{port}", [str(BINARIES / "Gateway")], variables)
        self.wait_for(f"http://127.0.0.1:{port}")

    def stop(self):
        """At once: each gateway takes its time."""
        for gateway in self.programs.values():
            gateway.terminate()
        super().stop()

    def restart(self, port):
        gateway = self.programs[port]
        gateway.terminate()
        # It is stopped for the moment of its end, so that connections are waiting there when it goes on.
        time.sleep(DRAIN_SECONDS - 0.3)
        gateway.send_signal(signal.SIGSTOP)
        time.sleep(0.8)
        gateway.send_signal(signal.SIGCONT)
        assert gateway.wait(20) == 0
        self.children.remove(gateway)
        self.start_gateway(port)


@pytest.fixture
def site(tmp_path):
    with running(Site(tmp_path)) as site:
        yield site


def entries(queue):
    found = []
    while True:
        page = queue.service.call("GET", f"/queue_users?queue_id={queue.id}&limit=1000&skip={len(found)}")
        found += [entry["id"] for entry in page]
        if len(page) < 1000:
            return found


def test_a_rolling_restart_fails_no_request(site):
    queue = site.make_queue(site.make_application())
    command = [sys.executable, VISITORS, str(site.port), queue.application["api_key"], queue.id]
    visitors = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        for _ in range(ROUNDS):
            for port in site.programs:
                site.restart(port)
        told = json.loads(visitors.communicate(timeout=30)[0])
    finally:
        visitors.kill()
        visitors.wait()
    assert told["failures"] == {} and told["requests"] > 1000
    assert set(told["entries"]) == set(entries(queue))
