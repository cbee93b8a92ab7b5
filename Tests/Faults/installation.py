"""The real service with several gateways and workers over one Redis that keeps an append-only file; each can be killed, stopped and
started again."""

import contextlib
import os
import secrets
import signal
import subprocess
import urllib.parse

import redis

from deadline import until
from service import BINARIES, EMAIL, Service, free_port
from soak import sized

LOCK_SECONDS = 1.0
# All visitors of a large crowd poll within this.
REBUILD_SECONDS = sized(2, 5)


class Program:
    """One process, under the same name, ports and log however often it is started."""

    def __init__(self, folder, name, command, environment=None, port=None):
        self.folder, self.name, self.command, self.environment, self.port = folder, name, command, environment, port
        self.child = None

    def start(self):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.child = subprocess.Popen(self.command, env=self.environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT)
        return self

    def kill(self):
        self.child.kill()
        self.child.wait()
        self.child = None

    def pause(self):
        self.child.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.child.send_signal(signal.SIGCONT)

    @contextlib.contextmanager
    def paused(self):
        self.pause()
        try:
            yield
        finally:
            self.go_on()

    @property
    def lives(self):
        """Whether it runs; fails when it ended without having been killed."""
        if self.child is None:
            return False
        assert self.child.poll() is None, f"{self.name} ended by itself with {self.child.returncode}, see {self.folder}"
        return True

    def end(self):
        if self.child is None:
            return
        self.go_on()
        self.child.terminate()
        try:
            self.child.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


class Installation(Service):
    def __init__(self, folder, gateways=2, workers=3, disk="64m", **variables):
        super().__init__(folder, **variables)
        self.socket = self.folder / "redis.sock"
        command = ["redis-server", "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "yes"]
        self.data = self.folder / "data"
        self.data.mkdir()
        # A small disk of Redis's own, where this user may mount one.
        self.disk = self.data if mounts(self.data, disk) else None
        self.server = Program(self.folder, "redis", [*command, "--dir", str(self.data)])
        self.servers = [self.server]
        self.store = redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=None)
        self.redis_url = f"unix://{self.socket}"
        self.counts = gateways, workers
        self.gateways, self.workers = [], []

    def start_redis(self):
        self.server.start()
        self.answers()

    def start(self):
        self.start_redis()
        ports = [free_port() for _ in range(self.counts[0])]
        self.address = f"http://127.0.0.1:{ports[0]}"
        self.variables = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "development",
            "REDIS_URL": self.redis_url,
            "HOST": "127.0.0.1",
            "PUBLIC_URL": self.address,
            "SECRET_KEY": secrets.token_hex(32),
            "ADMIN_EMAIL": EMAIL,
            "ADMIN_PASSWORD": self.password,
            # All visitors come from one address, and ask more often than a page does.
            "JOIN_LIMIT_PER_MINUTE": "1000000",
            "POLL_LIMIT_PER_MINUTE": "1000000",
            "LOCK_TTL_MS": str(int(LOCK_SECONDS * 1000)),
            "REBUILD_SECONDS": str(REBUILD_SECONDS),
            # So that what fails is given up within a few seconds.
            "CALLBACK_TIMEOUT_SECONDS": "1",
            "CALLBACK_MAX_ATTEMPTS": "2",
        } | self.variables
        self.gateways = [self.gateway(port) for port in ports]
        self.workers = [self.worker() for _ in range(self.counts[1])]
        self.settle()
        form = urllib.parse.urlencode({"username": EMAIL, "password": self.password}).encode()
        self.token = self.call("POST", "/auth/login", form)["access_token"]

    def gateway(self, port, **variables):
        """Starts one more."""
        environment = self.variables | {"PORT": str(port)} | variables
        return Program(self.folder, f"gateway-{port}", [str(BINARIES / "Gateway")], environment, port).start()

    def worker(self, **variables):
        """Starts one more."""
        port = free_port()
        environment = self.variables | {"METRICS_PORT": str(port)} | variables
        return Program(self.folder, f"releaser-{port}", [str(BINARIES / "Releaser")], environment, port).start()

    @property
    def ports(self):
        return [gateway.port for gateway in self.gateways]

    def answers(self):
        """Waits until Redis does."""

        def is_up():
            try:
                return self.store.ping()
            except redis.RedisError:
                return False

        until(is_up, "Redis answers")

    def settle(self):
        """Starts what was killed, lets go on what was stopped, and waits until all gateways are ready."""
        for program in [*self.servers, *self.gateways, *self.workers]:
            if program.lives:
                program.go_on()
            else:
                program.start()
        self.answers()
        self.await_ready(self.gateways)

    def await_ready(self, gateways):
        for gateway in gateways:
            address = f"http://127.0.0.1:{gateway.port}"
            until(lambda: gateway.lives and self.is_ready(address), f"{gateway.name} is ready ({self.folder})", seconds=60)

    def stop(self):
        for program in [*self.gateways, *self.workers, *self.servers]:
            program.end()
        self.store.close()
        if self.disk:
            subprocess.run(["umount", str(self.disk)], check=True)

    def append_only_file(self):
        """The one that Redis writes to now."""
        return max(self.data.glob("appendonlydir/*.incr.aof"), key=lambda file: file.stat().st_mtime)


def mounts(folder, size):
    """Mounts a disk; whether that was possible."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return os.geteuid() == 0 and subprocess.run(command, stderr=subprocess.DEVNULL).returncode == 0
