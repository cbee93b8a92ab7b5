"""A site's end of callbacks: a real server that may behave as badly as a test says, and what it was sent."""

import contextlib
import dataclasses
import socket
import threading
import time


def status(code, headers=""):
    return lambda connection: connection.sendall(f"HTTP/1.1 {code} Because\r\nContent-Length: 0\r\n{headers}\r\n".encode())


accept = status(200)


@dataclasses.dataclass
class Call:
    path: str
    headers: dict  # by lower-case name
    body: bytes
    at: float

    @property
    def id(self):
        return self.headers["webhook-id"]


class Endpoint:
    """`answers`: what to do with the connection of each call to come, a function of it; the last one stays. By default all is
    well. What is posted to `/hang` has no answer."""

    def __init__(self, *answers):
        self.calls = []
        self.answers = list(answers) or [accept]
        self.over = threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/"
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError, EOFError), connection:
            file = connection.makefile("rb")
            while not self.over.is_set():
                call = self.read(file)
                self.calls.append(call)
                if call.path == "/hang":
                    self.over.wait(120)
                    return
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                answer(connection)

    def read(self, file):
        request = file.readline().decode().split()
        if not request:
            raise EOFError
        headers = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        return Call(request[1], headers, file.read(int(headers["content-length"])), time.monotonic())

    def stop(self):
        self.over.set()
        self.listener.close()
