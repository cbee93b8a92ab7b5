"""HTTP as somebody sends it who keeps to no rule, and as anybody reads the answers."""

import dataclasses
import json
import socket
import urllib.parse


@dataclasses.dataclass
class Reply:
    status: int
    headers: dict  # lower-case names
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def code(self):
        return self.json["code"]


class Wire:
    """One connection."""

    def __init__(self, address, timeout=5):
        parts = urllib.parse.urlsplit(address)
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout=timeout)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)
        return self

    def more(self):
        """Whether more came; not at the connection's end."""
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self.unread += data
        return bool(data)

    def reply(self, to="GET"):
        """The next answer, or None when the connection ended without one. Only a HEAD's has no body in spite of its length."""
        while b"\r\n\r\n" not in self.unread:
            if not self.more():
                assert self.unread == b"", f"an answer broke off: {self.unread[:200]!r}"
                return None
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}
        status = int(first.split(" ")[1])
        length = 0 if to == "HEAD" or status in (204, 304) else int(headers.get("content-length", 0))
        while len(self.unread) < length:
            assert self.more(), "an answer's body broke off"
        body, self.unread = self.unread[:length], self.unread[length:]
        return Reply(status, headers, body)

    def ends(self):
        """Reads on to the connection's end, and says whether it came before the time limit."""
        try:
            while self.more():
                pass
            return True
        except TimeoutError:
            return False


def request(method, target, *headers, body=b"", host=b"Host: gateway"):
    """A request as bytes; its length is announced where there is a body."""
    lines = [f"{method} {target} HTTP/1.1".encode(), host, *(header.encode("latin-1") for header in headers)]
    if body:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(line for line in lines if line) + b"\r\n\r\n" + body


def ask(address, method, target, *headers, body=b""):
    """The answer to one request, whose body is sent as it is."""
    with Wire(address) as wire:
        return wire.send(request(method, target, *headers, body=body)).reply(to=method)
