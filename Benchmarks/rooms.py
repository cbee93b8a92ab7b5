"""Waiting rooms that run for a measurement: each is a server with a Redis of its own, on loopback."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
BUILD = ROOT / ".build"
# Of the package in this folder: programs that put on load.
LOAD_BUILD = BUILD / "benchmarks"
TICKS = os.sysconf("SC_CLK_TCK")
EMAIL, PASSWORD = "bench@localhost", "benchmark-password"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def build_product(*products: str) -> None:
    """Builds programs of ours as they are shipped."""
    for product in products:
        run_build(ROOT, BUILD, product)


def build_load(*products: str) -> None:
    """Builds programs of the package in this folder."""
    for product in products:
        run_build(HERE, LOAD_BUILD, product)


def run_build(package: Path, folder: Path, product: str) -> None:
    command = [
        "swift", "build", "-c", "release", "--static-swift-stdlib", "-Xswiftc", "-enforce-exclusivity=unchecked", "--package-path", package,
        "--scratch-path", folder]
    subprocess.run([*map(str, command), "--product", product], check=True, stdout=sys.stderr)


def program(name: str) -> Path:
    """A program of ours that was built."""
    return BUILD / "release" / name


def load_program(name: str) -> Path:
    return LOAD_BUILD / "release" / name


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def family(pid: int) -> list[int]:
    """A process and all below it."""
    pids, todo = [], [pid]
    while todo:
        one = todo.pop()
        pids.append(one)
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                todo += [int(child) for child in path.read_text().split()]
            except OSError:
                pass
    return pids


def cpu_seconds(pid: int) -> float:
    """User and system time of a process and all below it."""
    total = 0
    for one in family(pid):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += sum(int(fields[index]) for index in (11, 12, 13, 14))
    return total / TICKS


def wait_port(port: int) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing listens on port {port}")


class Room:
    """One server and its Redis."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self.port, self.redis_port = free_port(), free_port()
        self.processes: list[subprocess.Popen] = []
        self.redis = self.spawn([
            "redis-server", "--bind", "127.0.0.1", "--port", self.redis_port, "--save", "", "--appendonly", "no"])
        wait_port(self.redis_port)
        self.header, self.queue = "", "q1"
        self.status_path = "/status?token={token}"

    def spawn(self, command: list, **environment: str) -> subprocess.Popen:
        log = open(self.folder / "log", "ab")
        process = subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=log, cwd=self.folder, env={**os.environ, **environment})
        self.processes.append(process)
        return process

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def redis_cli(self, *words: str) -> str:
        command = ["redis-cli", "-p", str(self.redis_port), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def redis_info(self, section: str) -> dict[str, str]:
        lines = self.redis_cli("info", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def memory(self) -> int:
        return int(self.redis_info("memory")["used_memory"])

    def redis_commands(self) -> int:
        """How many commands Redis has run, those inside of scripts too, save INFO."""
        statistics = self.redis_info("commandstats")
        calls = {name: int(figures.split(",")[0].split("=")[1]) for name, figures in statistics.items()}
        return sum(count for name, count in calls.items() if name != "cmdstat_info")


class Node(Room):
    def start(self) -> None:
        self.server = self.spawn(
            ["node", HERE / "yardsticks" / "node.js"], PORT=str(self.port), REDIS_PORT=str(self.redis_port), WORKERS="2")
        wait_port(self.port)


class Nginx(Room):
    def start(self) -> None:
        (self.folder / "tmp").mkdir()
        (self.folder / "logs").mkdir()
        modules = "/usr/lib/nginx/modules"
        temporary = " ".join(f"{name}_temp_path tmp/{name};" for name in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"])
        (self.folder / "nginx.conf").write_text(f"""
load_module {modules}/ndk_http_module.so;
load_module {modules}/ngx_http_lua_module.so;
worker_processes 2; daemon off; pid nginx.pid; error_log logs/error.log warn; worker_rlimit_nofile 8192; env REDIS_PORT;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 10000000; keepalive_timeout 300; {temporary}
  lua_package_path "{HERE}/yardsticks/?.lua;/usr/share/lua/5.1/?.lua;/usr/share/lua/5.1/?/init.lua;;";
  init_by_lua_block {{ require "yardstick_nginx" }}
  server {{
    listen 127.0.0.1:{self.port} backlog=1024 reuseport;
    location = /join {{ content_by_lua_block {{ require("yardstick_nginx").join() }} }}
    location = /status {{ content_by_lua_block {{ require("yardstick_nginx").status() }} }}
  }}
}}
""")
        self.server = self.spawn(
            ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf"], REDIS_PORT=str(self.redis_port))
        wait_port(self.port)


class Anteroom(Room):
    """`wrapper` is a command that the gateway runs under, `settings` variables beside those that every measurement needs."""

    def __init__(self, name: str, folder: Path, gateway: Path | None = None, wrapper: tuple = (), **settings: str) -> None:
        super().__init__(name, folder)
        self.gateway, self.wrapper = gateway or program("Gateway"), wrapper
        self.settings = {
            "REDIS_URL": f"redis://127.0.0.1:{self.redis_port}", "RATE_LIMIT": "off", "LOG_LEVEL": "warning", "SECRET_KEY": "benchmark-" * 4,
            "ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "DRAIN_SECONDS": "0"} | settings
        self.status_path = "/queue_status?token={token}"
        self.token: str | None = None

    def start(self) -> None:
        self.server = self.start_gateway(self.port)
        self.wait_ready()

    def start_gateway(self, port: int) -> subprocess.Popen:
        return self.spawn([*self.wrapper, self.gateway], PORT=str(port), **self.settings)

    def start_releaser(self) -> subprocess.Popen:
        return self.spawn([program("Releaser")], METRICS_PORT=str(free_port()), **self.settings)

    def wait_ready(self, seconds: int = 120) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.server.poll() is not None:
                raise SystemExit(f"the gateway has ended:\n{(self.folder / 'log').read_text()[-2000:]}")
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health/ready", timeout=5):
                    return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"the gateway does not become ready:\n{(self.folder / 'log').read_text()[-2000:]}")

    def make_application(self) -> dict:
        if not self.token:
            form = urllib.parse.urlencode({"username": EMAIL, "password": PASSWORD}).encode()
            self.token = self.call("/auth/login", form, "application/x-www-form-urlencoded")["access_token"]
        return self.call("/applications/", json.dumps({"name": "Bench", "domain": "127.0.0.1"}).encode())

    def make_queue(self, application: dict, **fields: int | str) -> str:
        """The id of a new queue that lets nobody in unless `fields` say so."""
        settings = {"application_id": application["id"], "name": "Bench", "max_users_per_minute": 0} | fields
        return self.call("/queues/", json.dumps(settings).encode())["id"]

    def join(self, application: dict, queue: str, visitor: str) -> dict:
        body = json.dumps({"queue_id": queue, "visitor_id": visitor}).encode()
        return self.call("/join", body, **{"X-API-Key": application["api_key"]})

    def call(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> dict:
        headers = {"Content-Type": kind, **headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=body, headers=headers)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)


class Hello(Room):
    """No room at all: a bare HTTP server on what ours is built on, to tell what HTTP alone costs."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder / name
        self.folder.mkdir()
        self.port, self.processes = free_port(), []
        self.redis = None

    def start(self) -> None:
        self.server = self.spawn([load_program("hello"), self.port])
        wait_port(self.port)
