"""TCP in front of Redis's socket, which passes on what is said: late, in pieces, or not at all."""

import asyncio
import contextlib
import random
import socket
import struct


class Proxy:
    def __init__(self, loop, upstream, seed):
        """`upstream` is the path of a unix socket."""
        self.loop, self.upstream, self.chance = loop, upstream, random.Random(seed)
        self.delay = 0.0  # seconds, each way
        self.is_split = False  # at every byte
        self.bytes_per_second = None  # each way of a connection
        self.hangs = False
        # How likely a piece of a reply is to get lost. As in TCP nothing can follow it: the connection stays open and silent.
        self.loss = 0.0
        self.lost = 0
        self.open = set()
        self.server = loop.do(asyncio.start_server(self.serve, "127.0.0.1", 0))
        self.port = self.server.sockets[0].getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"

    @contextlib.contextmanager
    def does(self, **what):
        """Lies for the time of the block. What it has kept back then is not passed on later."""
        before = {name: getattr(self, name) for name in what}
        for name, value in what.items():
            setattr(self, name, value)
        try:
            yield
        finally:
            for name, value in before.items():
                setattr(self, name, value)
            if before.keys() & {"hangs"}:
                self.reset()

    def reset(self):
        """Every connection ends with RST."""
        self.loop.loop.call_soon_threadsafe(lambda: [abort(writer) for writer in list(self.open)])

    async def serve(self, reader, writer):
        self.open.add(writer)
        server = None
        # Ended with its loop is no error either.
        with contextlib.suppress(OSError, asyncio.CancelledError):
            answers, server = await asyncio.open_unix_connection(self.upstream)
            ways = [asyncio.create_task(self.carry(reader, server, False)), asyncio.create_task(self.carry(answers, writer, True))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        self.open.discard(writer)
        for end in filter(None, (writer, server)):
            end.transport.abort()

    async def carry(self, reader, writer, are_replies):
        """One direction: what has come is late by the delay, however much of it there is."""
        loop = asyncio.get_running_loop()
        kept = asyncio.Queue()

        async def deliver():
            while True:
                due, piece = await kept.get()
                await asyncio.sleep(max(0, due - loop.time()))
                await self.write(writer, piece)

        delivery = asyncio.create_task(deliver())
        try:
            while piece := await reader.read(65536):
                if are_replies and self.chance.random() < self.loss:
                    self.lost += 1
                    await asyncio.sleep(3600)
                while self.hangs:
                    await asyncio.sleep(0.05)
                kept.put_nowait((loop.time() + self.delay, piece))
        finally:
            delivery.cancel()

    async def write(self, writer, piece):
        for part in self.split(piece) if self.is_split else [piece]:
            writer.write(part)
            await writer.drain()
            # Given to the socket by itself before the next one follows.
            await asyncio.sleep(len(part) / self.bytes_per_second if self.bytes_per_second else 0)

    def split(self, piece):
        """Single bytes, and where there are many, pieces of any length after them: every place is a cut sooner or later."""
        yield from (piece[index : index + 1] for index in range(min(len(piece), 256)))
        start = 256
        while start < len(piece):
            end = start + self.chance.randint(1, 100)
            yield piece[start:end]
            start = end


def abort(writer):
    # One that is closed already has no socket.
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
