"""Plain polls, joins and gate checks are answered before the HTTP codec sees them. Whatever comes over a connection, and however it is cut, the answers are
those of a gateway that reads everything with the codec."""

import random
import socket
import time

import pytest

from wire import Wire, request

SEEDS = range(150)


@pytest.fixture(scope="module")
def gateways(service, gateway):
    """The one that takes the shortcut, and one that is not free to, since its answers differ by origin."""
    return service.address, gateway("codec", ALLOWED_ORIGINS="https://shop.example", PUBLIC_URL=service.address)


@pytest.fixture(scope="module")
def gate(service, gateways):
    """A gate and the cookie that opens it; both gateways have seen it."""
    shop = service.make_application()
    queue = service.make_queue(shop, state="passthrough")
    path, cookie = f"/gate/{queue.id}", f"queue_pass={queue.join('plain')['pass']}"
    for address in gateways * 2:
        assert answers(address, [request("GET", path, f"Cookie: {cookie}")])[0][0] == "HTTP/1.1 204 No Content"
    return path, cookie


def gate_requests(path, cookie, chance):
    uri = "X-Original-URI: /buy?a=b"
    return [
        request("GET", path, f"Cookie: {cookie}"), request("GET", path, f"Cookie: a=b; {cookie}; c=d", uri),
        request("GET", path + "?clean=true", f"Cookie: {cookie}", uri), request("GET", path + "?mode=redirect", f"Cookie: {cookie}"),
        request("GET", path, f"Cookie: {cookie[:-1]}{chance.choice('AZaz09-_')}"), request("GET", path), request("HEAD", path, f"Cookie: {cookie}"),
        request("GET", path, f"Cookie: {cookie}", "X-Original-URI: /buy?queue_pass=forged"), request("GET", path + "x", f"Cookie: {cookie}"),
        request("GET", path, f"Cookie: {cookie}", f"Cookie: {cookie}"), request("GET", path, f"Cookie: x{cookie}"),
        request("GET", path, f"Cookie: queue_pass=other; {cookie}"), request("GET", path[:-1] + "0", f"Cookie: {cookie}"),
        request("GET", "/gate/", f"Cookie: {cookie}"), request("GET", path[:-9], f"Cookie: {cookie}"), request("GET", path, "Cookie: queue_pass="),
        request("GET", path, f"Cookie: {cookie}", "Authorization: Basic eDp5"), request("POST", path, f"Cookie: {cookie}", body=b"{}"),
    ]


def requests(queue, key, chance):
    place = queue.join("plain")
    body = b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode()
    poll = f"/queue_status?token={place['token']}"
    json, key = "Content-Type: application/json", f"X-API-Key: {key}"
    return [
        request("GET", poll), request("GET", poll, "Accept: */*", "X-Forwarded-For: 192.0.2.1", "Connection: keep-alive"),
        request("GET", poll[:-1] + chance.choice("AZaz09-_")), request("GET", poll + "&a=b"), request("HEAD", poll),
        request("GET", poll, body=b"{}"), request("GET", poll, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
        request("POST", "/join", json, key, body=body), request("POST", "/join", json, key, body=body + b" "),
        request("POST", "/join", json, key, body=b'{"visitor_id":"\\u0041"}'), request("POST", "/join", json, body=body),
        request("POST", "/join", json, key, "Idempotency-Key: short", body=body), request("POST", "/join?mode=simulation", json, key, body=body),
        request("POST", "/join", json, key, "Transfer-Encoding: chunked") + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body),
        request("POST", "/join", "Content-Type: text/plain", key, body=body), request("GET", "/info"), request("HEAD", "/nothing"),
        request("GET", poll, "Connection: close"), request("OPTIONS", "/join"), request("GET", poll).replace(b"HTTP/1.1", b"HTTP/1.0"),
    ]


def stream(queue, key, gate, chance):
    """Some requests behind each other, of which one may have a byte changed, more or less; and where they are cut."""
    data = bytearray(b"".join(chance.choices(requests(queue, key, chance) + gate_requests(*gate, chance), k=chance.randint(1, 6))))
    for _ in range(chance.choice([0, 0, 1, 2])):
        at = chance.randrange(len(data))
        change = chance.choice(["change", "insert", "remove"])
        byte = chance.choice([b"\r", b"\n", b" ", b"\t", b":", b"\0", b"\x80", b"0", b"{", bytes([chance.randrange(256)])])
        data[at:at + (change != "insert")] = b"" if change == "remove" else byte
    cuts = sorted(chance.sample(range(1, len(data)), min(len(data) - 1, chance.choice([0, 1, 3, 12]))))
    return [bytes(data[start:end]) for start, end in zip([0, *cuts], [*cuts, len(data)])]


def answers(address, parts):
    """What is told of each request, until the gateway closes."""
    told = []
    with Wire(address) as wire:
        try:
            for part in parts:
                wire.send(part)
                if len(parts) > 1:
                    time.sleep(0.002)
            wire.socket.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # It has refused what came before.
        while wire.more():
            pass
        text = wire.unread
    while text:
        head, _, rest = text.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        fields = dict(line.lower().split(":", 1) for line in lines[1:])
        length = int(fields.get("content-length", 0))
        # An answer to HEAD has a length and no body.
        body = b"" if rest.startswith(b"HTTP/1.") else rest[:length]
        # Places and times differ.
        names = ("content-type", "connection", "x-entry-id", "x-visitor-id", "location")
        told.append((lines[0], *map(fields.get, names), body[:12] if " 200 " in lines[0] else body))
        text = rest[len(body):]
    return told


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_comes_is_answered_as_by_the_codec(gateways, gate, application, queue, seed):
    chance = random.Random(seed)
    parts = stream(queue, application["api_key"], gate, chance)
    shortcut, codec = (answers(address, parts) for address in gateways)
    assert shortcut == codec, parts
