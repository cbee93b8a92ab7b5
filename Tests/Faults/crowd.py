"""Visitors who join a queue, ask again and again where they stand, and write down what they saw."""

import asyncio
import json
import random
import secrets
import time

from deadline import until
from history import Answer, Left, Stall

# Longer than an answer may take, so that a late one is seen as late.
PATIENCE_SECONDS = 4.0
# So that a large crowd is no test of speed.
POLLS_PER_SECOND = 250
JOINS_PER_SECOND = 150


class Connection:
    """HTTP/1.1 to one gateway, kept open from request to request."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def exchange(self, request):
        """Returns status, headers (lower case) and body. Raises OSError, EOFError or TimeoutError when there is no whole answer."""
        try:
            return await asyncio.wait_for(self.attempt(request), PATIENCE_SECONDS)
        except BaseException:
            self.close()
            raise

    async def attempt(self, request):
        if self.reader and self.reader.at_eof():
            self.close()
        if not self.writer:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.writer.write(request)
        await self.writer.drain()
        lines = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
        body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return int(lines[0].split(" ")[1]), headers, body

    def close(self):
        if self.writer:
            self.writer.transport.abort()
        self.reader = self.writer = None


class Visitor:
    def __init__(self, crowd, name):
        self.crowd, self.name = crowd, name
        self.chance = random.Random(f"{crowd.seed} {name}")
        self.key = secrets.token_hex(16)
        self.connections = [Connection(port) for port in crowd.ports]
        self.token = self.entry = self.state = None
        self.place = 0

    async def visit(self):
        try:
            while not (await self.join()).status == 200:
                await asyncio.sleep(self.chance.uniform(0.05, 0.2))
            while not self.crowd.closing.is_set():
                await asyncio.sleep(self.crowd.pause_now() * self.chance.uniform(0.7, 1.3))
                await self.poll()
            while (await self.poll()).status not in (200, 404):
                await asyncio.sleep(self.chance.uniform(0.05, 0.2))
        finally:
            for connection in self.connections:
                connection.close()

    async def join(self):
        body = json.dumps({"queue_id": self.crowd.queue.id, "visitor_id": self.name})
        headers = {"Content-Type": "application/json", "Idempotency-Key": self.key, "X-API-Key": self.crowd.queue.application["api_key"]}
        return await self.ask("join", "POST /join", headers, body)

    async def poll(self):
        return await self.ask("poll", f"GET /queue_status?token={self.token}")

    async def cancel(self):
        self.crowd.history.add(Left(self.name, time.monotonic()))
        return await self.ask("cancel", f"POST /cancel?token={self.token}")

    async def ask(self, request, line, headers=(), body=""):
        """Asks a gateway of the moment's choice, and writes down what came of it."""
        head = [f"{line} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body.encode())}"]
        head += [f"{name}: {value}" for name, value in dict(headers).items()]
        connection = self.chance.choice(self.connections)
        sent = time.monotonic()
        try:
            status, received, answer = await connection.exchange("\r\n".join([*head, "", body]).encode())
        except (OSError, EOFError, asyncio.TimeoutError) as problem:
            trouble = f"port {connection.port}: {type(problem).__name__} {problem}"
            result = Answer(self.name, request, sent, time.monotonic(), 0, trouble=trouble)
        else:
            fields = json.loads(answer) if status == 200 else {}
            result = Answer(
                self.name, request, sent, time.monotonic(), status, fields.get("id", ""), fields.get("status", ""),
                fields.get("position", 0), received.get("retry-after", ""), "" if fields else answer.decode()[:200])
            if fields:
                self.token, self.entry, self.state, self.place = fields["token"], fields["id"], fields["status"], fields["position"]
        self.crowd.history.add(result)
        return result


class Crowd:
    """Made and driven from a test's thread; the visitors live in `loop`."""

    def __init__(self, loop, history, queue, ports, seed, pause=0.35):
        """`ports` are the gateways', `pause` the seconds between two polls of a visitor, about."""
        self.loop, self.history, self.queue, self.ports, self.seed, self.pause = loop, history, queue, ports, seed, pause
        self.closing = asyncio.Event()
        self.visitors = []
        self.visits = []
        loop.begin(self.note_stalls())

    async def note_stalls(self):
        while not self.closing.is_set():
            due = time.monotonic() + 0.05
            await asyncio.sleep(0.05)
            if (now := time.monotonic()) > due + 0.1:
                self.history.add(Stall(due, now))

    def pause_now(self):
        return max(self.pause, len(self.visitors) / POLLS_PER_SECOND)

    def come(self, count, seconds=0.0):
        """`count` more visitors, spread over some time."""
        seconds = max(seconds, count / JOINS_PER_SECOND)
        for number in range(count):
            visitor = Visitor(self, f"v{len(self.visitors)}")
            self.visitors.append(visitor)
            self.visits.append(self.loop.begin(self.after(seconds * number / count, visitor.visit())))

    async def after(self, seconds, visit):
        await asyncio.sleep(seconds)
        await visit

    def all_have(self, state, seconds=30):
        """Waits until all were told that they are `waiting`, or `ready`."""

        def lacking():
            for visit in self.visits:
                if visit.done():
                    visit.result()
            return [visitor.name for visitor in self.visitors if visitor.state not in (state, "ready")]

        until(lambda: not lacking(), f"all of {len(self.visitors)} visitors are told {state}", seconds)

    def asked(self, request, since):
        """The answers so far to what was asked since then."""
        return [answer for answer in self.history.of(Answer) if answer.request == request and answer.sent >= since]

    def close(self, seconds=20):
        """Everybody asks once more, until answered, and goes."""
        self.loop.loop.call_soon_threadsafe(self.closing.set)
        until(lambda: all(visit.done() for visit in self.visits), "all visitors have their last answer", seconds)
        for visit in self.visits:
            visit.result()
