"""Visitors who join and poll through a proxy: `visitors.py <port> <api key> <queue id>`. When its standard input ends, it writes as JSON how
many requests it made, how often each failure was seen, and the entries of all joins that were acknowledged."""

import asyncio
import collections
import json
import sys

VISITORS_AT_ONCE = 24
POLLS_FOR_EACH_JOIN = 1
PAUSE = 0.01


class Visitors:
    def __init__(self, port, key, queue):
        self.port, self.key, self.queue = port, key, queue
        self.requests = 0
        self.failures = collections.Counter()
        self.entries = []
        self.are_over = False

    async def run(self):
        visits = [asyncio.create_task(self.visit(number)) for number in range(VISITORS_AT_ONCE)]
        await asyncio.to_thread(sys.stdin.read)
        self.are_over = True
        await asyncio.gather(*visits)
        print(json.dumps({"requests": self.requests, "failures": self.failures, "entries": self.entries}))

    async def visit(self, number):
        connection = Connection(self.port)
        joins = 0
        while not self.are_over:
            joins += 1
            body = json.dumps({"queue_id": self.queue, "visitor_id": f"{number}-{joins}"})
            entry = await self.ask(connection, "POST", "/join", f"X-API-Key: {self.key}\r\nContent-Type: application/json\r\n", body)
            if entry is None:
                continue
            self.entries.append(entry["id"])
            for _ in range(POLLS_FOR_EACH_JOIN):
                await asyncio.sleep(PAUSE)
                await self.ask(connection, "GET", f"/queue_status?token={entry['token']}")

    async def ask(self, connection, method, path, headers="", body=""):
        """The answer's JSON; `None` when the request failed."""
        self.requests += 1
        request = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}"
        try:
            status, answer = await asyncio.wait_for(connection.exchange(request.encode()), 20)
        except (OSError, EOFError, asyncio.TimeoutError) as error:
            self.failures[f"{method}: {error!r}"] += 1
            return None
        if status == 200:
            return json.loads(answer)
        self.failures[f"{method}: {status}"] += 1
        return None


class Connection:
    """Kept for as long as the proxy wants."""

    def __init__(self, port):
        self.port = port
        self.writer = None

    async def exchange(self, request):
        if self.writer is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        is_kept = False
        try:
            self.writer.write(request)
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            status = int(head.split()[1])
            body = await self.reader.readexactly(int(head.partition("\r\ncontent-length: ")[2].partition("\r\n")[0]))
            is_kept = "\r\nconnection: close\r\n" not in head
            return status, body
        finally:
            if not is_kept:
                self.writer.close()
                self.writer = None


asyncio.run(Visitors(*sys.argv[1:]).run())
