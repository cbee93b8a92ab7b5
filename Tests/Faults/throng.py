"""More visitors than there could be connections: they ask one after the other, over a few."""

import asyncio
import random

from crowd import Connection, Visitor


class Throng:
    """Made and driven from a test's thread; the visitors live in `loop`."""

    def __init__(self, loop, history, queue, ports, seed, size, connections=48):
        self.loop, self.history, self.queue, self.seed = loop, history, queue, seed
        self.ports = []
        self.visitors = [Visitor(self, f"v{number}") for number in range(size)]
        self.connections = [Connection(ports[number % len(ports)]) for number in range(connections)]
        self.chance = random.Random(f"{seed} throng")

    def join(self):
        """Everybody takes a place, in no order."""
        self.each(self.visitors, Visitor.join)

    def poll(self):
        """Everybody who was not let in asks once. Returns how many still were not."""
        self.each([visitor for visitor in self.visitors if visitor.state != "ready"], Visitor.poll)
        return sum(visitor.state != "ready" for visitor in self.visitors)

    def ask_again(self):
        """Everybody asks once more, those who were let in too."""
        self.each(self.visitors, Visitor.poll)

    def each(self, visitors, ask):
        order = self.chance.sample(visitors, len(visitors))
        self.loop.do(self.share_out(order, ask), seconds=600)

    async def share_out(self, visitors, ask):
        async def over(connection, some):
            for visitor in some:
                visitor.connections = [connection]
                while (await ask(visitor)).status != 200:
                    await asyncio.sleep(0.2)

        count = len(self.connections)
        await asyncio.gather(*(over(connection, visitors[number::count]) for number, connection in enumerate(self.connections)))

    def close(self):
        async def close():
            for connection in self.connections:
                connection.close()

        self.loop.do(close())
