"""The real service, private to one test run: redis-server, Gateway, Releaser, and its API."""

import base64
import contextlib
import itertools
import json
import os
import pathlib
import secrets
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
import uuid

from deadline import until

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARIES = pathlib.Path(os.environ.get("ANTEROOM_BIN", ROOT / ".build" / "debug")).resolve()
EMAIL = "admin@localhost"


def compact(identifier):
    """An identifier as Redis has it: its bytes in base64url."""
    return base64.urlsafe_b64encode(uuid.UUID(identifier).bytes).decode().rstrip("=")


_given = itertools.count(os.getpid() * 37)


def free_port():
    """Another each time, and below those that the system gives to outgoing connections: nobody has taken it by the time that somebody listens."""
    while True:
        port = 10_000 + next(_given) % 10_000
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Answer(Exception):
    """An answer of the API that is not a success."""

    def __init__(self, status, body):
        super().__init__(f"HTTP {status}: {body}")
        self.status = status
        self.body = body

    @property
    def code(self):
        """The error's stable slug."""
        return json.loads(self.body)["code"]


class Service:
    def __init__(self, folder, **variables):
        """`variables` are for both programs, beside those that every run needs."""
        self.folder = pathlib.Path(folder)
        self.address = f"http://127.0.0.1:{free_port()}"
        self.password = secrets.token_urlsafe(18)
        self.children = []
        self.token = None
        self.variables = variables
        self.metrics = {"gateway": [], "releaser": []}  # host:port of each one's /metrics
        self.gateways = []  # addresses; the first is `address`

    def start(self):
        redis_socket = self.folder / "redis.sock"
        self.redis = self.launch(
            "redis", ["redis-server", "--port", "0", "--unixsocket", str(redis_socket), "--save", "", "--dir", str(self.folder)])
        until(redis_socket.exists, "redis-server's socket")
        self.variables = {
            "PATH": os.environ["PATH"],
            "APP_ENV": "development",
            "REDIS_URL": f"unix://{redis_socket}",
            "HOST": "127.0.0.1",
            "PORT": self.address.rsplit(":", 1)[1],
            "PUBLIC_URL": self.address,
            "SECRET_KEY": secrets.token_hex(32),
            "ADMIN_EMAIL": EMAIL,
            "ADMIN_PASSWORD": self.password,
            # All visitors of all tests come from one address.
            "JOIN_LIMIT_PER_MINUTE": "1000000",
        } | self.variables
        self.start_one("gateway")
        self.start_one("releaser")
        self.wait_for(self.address)
        form = urllib.parse.urlencode({"username": EMAIL, "password": self.password}).encode()
        self.token = self.call("POST", "/auth/login", form)["access_token"]

    def start_one(self, program):
        """Starts one more `gateway`, on a port of its own, or `releaser`."""
        port = free_port()
        number = len(self.metrics[program])
        self.metrics[program].append(f"127.0.0.1:{port}")
        variables = self.variables | {"METRICS_PORT": str(port)}
        if program == "gateway":
            if number:
                variables["PORT"] = str(free_port())
            self.gateways.append(f"http://127.0.0.1:{variables['PORT']}")
        name = f"{program}-{number + 1}" if number else program
        return self.launch(name, [str(BINARIES / program.title())], variables)

    def launch(self, name, command, environment=None):
        with open(self.folder / f"{name}.log", "wb") as log:
            child = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT)
        self.children.append(child)
        return child

    def wait_for(self, address):
        """Waits until the gateway at `address` is ready."""
        until(lambda: self.is_ready(address), f"the gateway at {address}, see {self.folder}", seconds=60)

    def is_ready(self, address):
        for child in self.children:
            assert child.poll() is None, f"{child.args[0]} ended with {child.returncode}, see {self.folder}"
        try:
            with urllib.request.urlopen(f"{address}/health/ready", timeout=10):
                return True
        except OSError:
            return False

    def stop(self):
        self.redis.send_signal(signal.SIGCONT)
        for child in reversed(self.children):
            child.terminate()
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def redis_cli(self, *words):
        """What Redis answers to a command."""
        command = ["redis-cli", "-s", str(self.folder / "redis.sock"), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def call(self, method, path, body=None, headers=None):
        """Sends a form when `body` is bytes, else JSON, and reads the JSON answer. Raises `Answer` for an error status."""
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        elif body is not None:
            body = json.dumps(body).encode()
            headers["Content-Type"] = "application/json"
        request = urllib.request.Request(self.address + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            raise Answer(error.code, error.read().decode(errors="replace")) from None

    def make_application(self, **fields):
        return self.call("POST", "/applications/", {"name": "Shop", "domain": "127.0.0.1", "callback_url": None} | fields)

    def make_queue(self, application, **fields):
        """A queue that releases nobody until its rate is raised."""
        settings = {"application_id": application["id"], "name": "Sneaker drop", "max_users_per_minute": 0}
        queue = self.call("POST", "/queues/", settings | fields)
        return Queue(self, application, queue["id"])


@contextlib.contextmanager
def running(service):
    """Starts a service and stops it in the end, also when it did not start as a whole."""
    try:
        service.start()
        yield service
    finally:
        service.stop()


class Queue:
    def __init__(self, service, application, identifier):
        self.service, self.application, self.id = service, application, identifier

    def join(self, visitor):
        headers = {"X-API-Key": self.application["api_key"]}
        return self.service.call("POST", "/join", {"queue_id": self.id, "visitor_id": visitor}, headers)

    def set(self, **fields):
        self.service.call("PUT", f"/queues/{self.id}", fields)

    def key(self, name):
        return f"{{q:{compact(self.id)}}}:{name}"

    def length(self):
        """How many wait."""
        return int(self.service.redis_cli("ZCARD", self.key("waiting")))

    def page(self, **query):
        return f"{self.service.address}/wait/{self.id}?{urllib.parse.urlencode(query)}"
