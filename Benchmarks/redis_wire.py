"""As much of Redis's protocol as looking on takes: replies may hold any bytes."""

import socket


class RedisWire:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.reader = self.socket.makefile("rb")

    def call(self, *words: str | bytes | int):
        parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        self.socket.sendall(encode(parts))
        return self.reply()

    def reply(self):
        line = self.reader.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self.reader.read(size + 2)[:-2]
        return [self.reply() for _ in range(size)]

    def close(self) -> None:
        self.reader.close()
        self.socket.close()


def encode(parts: list[bytes]) -> bytes:
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
