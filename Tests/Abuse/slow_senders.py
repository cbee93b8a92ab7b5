"""Connections that hold a socket and give nothing (slowloris)."""

import threading
import time

from wire import Wire


class SlowSenders(threading.Thread):
    """600 of them, beside all other tests: some say nothing, some send a line of a head now and then, some a byte of a body."""

    def __init__(self, address):
        super().__init__(daemon=True)
        self.started = time.monotonic()
        self.all_end, self.replies, self.seconds = False, [], None
        self.silent = [Wire(address, timeout=30) for _ in range(200)]
        self.heads = [Wire(address, timeout=30).send(b"GET /info HTTP/1.1\r\nHost: gateway\r\n") for _ in range(200)]
        self.bodies = [
            Wire(address, timeout=30).send(
                b"POST %s HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{" % path)
            for path in [b"/join", b"/api/acme/queues"] for _ in range(100)
        ]

    def run(self):
        try:
            self.send_on()
            self.wait_for_the_end()
        except ConnectionError:
            """The gateway let one go too early, or the tests are over."""

    def send_on(self):
        while time.monotonic() - self.started < 12:
            for wire in self.heads:
                wire.send(b"X-A: a\r\n")
            for wire in self.bodies:
                wire.send(b" ")
            time.sleep(2)

    def wait_for_the_end(self):
        self.all_end = all([wire.ends() and wire.unread == b"" for wire in self.silent + self.heads])
        self.replies = [wire.reply() for wire in self.bodies]
        self.all_end &= all([wire.ends() for wire in self.bodies])
        self.seconds = time.monotonic() - self.started
