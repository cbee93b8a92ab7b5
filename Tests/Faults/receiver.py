"""A website's end of the callbacks: a real HTTP server that writes down what it was told, and behaves as the path asks."""

import asyncio
import contextlib
import json
import time

from history import Callback


class Receiver:
    def __init__(self, loop):
        self.histories = {}  # by queue id
        self.server = loop.do(asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=1024))
        self.address = f"http://127.0.0.1:{self.server.sockets[0].getsockname()[1]}"

    async def serve(self, reader, writer):
        # Ended with its loop is no error either.
        with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
            while await self.receive(reader, writer):
                pass
        writer.transport.abort()

    async def receive(self, reader, writer):
        """One request; returns whether another may follow on this connection."""
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        path = lines[0].split(" ")[1]
        told = json.loads(await reader.readexactly(int(headers["content-length"])))
        received = time.monotonic()
        status, answer = ANSWERS[path]
        if abs(int(headers["webhook-timestamp"]) - time.time()) > TOLERANCE_SECONDS:
            status, answer = UNTIMELY
        history = self.histories[told["queue_id"]]
        if answer is not lie:
            history.add(Callback(
                received, headers["webhook-id"], told["entry_id"], told["visitor_id"], history.moment(told["released_at"]), status))
        return await answer(writer)


async def plain(writer, status="200 OK", *headers):
    writer.write("\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]).encode())
    await writer.drain()
    return True


async def lie(writer):
    """Answers for a website that never hears of it."""
    return await plain(writer)


async def fail(writer):
    return await plain(writer, "500 Internal Server Error")


async def later(writer):
    return await plain(writer, "429 Too Many Requests", "Retry-After: 2")


async def elsewhere(writer):
    return await plain(writer, "302 Found", "Location: /")


async def gone(writer):
    return await plain(writer, "410 Gone")


async def hang(writer):
    await asyncio.sleep(3600)


async def drip(writer):
    """An answer whose head takes an hour."""
    for byte in b"HTTP/1.1 200 OK\r\n" + b"X-Slow: slow\r\n" * 1000:
        writer.write(bytes([byte]))
        await writer.drain()
        await asyncio.sleep(0.25)


async def endless(writer):
    """A success, and a body that never ends."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.01)


async def reset(writer):
    writer.transport.abort()


async def refuse(writer):
    return await plain(writer, "401 Unauthorized")


# How far a callback's time may be off before the libraries of Standard Webhooks refuse it.
TOLERANCE_SECONDS = 300
UNTIMELY = (401, refuse)
# What a path answers: the status that the sender sees, 0 for none, and how it is said.
ANSWERS = {
    "/": (200, plain),
    "/lie": (200, lie),
    "/500": (500, fail),
    "/429": (429, later),
    "/302": (302, elsewhere),
    "/410": (410, gone),
    "/hang": (0, hang),
    "/drip": (0, drip),
    "/endless": (200, endless),
    "/reset": (0, reset),
}
