"""A thousand clients that keep a gateway's sockets without asking anything, or ask without ever ending."""

import asyncio
import contextlib

from soak import sized

RATE = 1200


async def idle(port, seconds):
    """Connects and says nothing."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(seconds)
        writer.transport.abort()


async def slow(port, seconds):
    """Sends a request, a byte every half second."""
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        for byte in b"POST /join HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: slow\r\n"[: int(seconds * 2)]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0.5)
        writer.transport.abort()


def test_a_thousand_idle_and_slow_clients(rig):
    seconds = sized(3, 40)
    strangers = [
        rig.loop.begin(kind(port, seconds))
        for port in rig.installation.ports
        for kind in (idle, slow)
        for _ in range(sized(250, 1000))
    ]  # fmt: skip
    with rig.crowd(RATE) as crowd:
        crowd.come(sized(40, 300), seconds=sized(1, 20))
        crowd.all_have("ready", seconds=120)
        assert not any(stranger.done() and stranger.exception() for stranger in strangers)
    for stranger in strangers:
        stranger.result(60)
