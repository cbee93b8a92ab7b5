"""Messages that break HTTP's rules: nobody can smuggle a request behind another, and where HTTP can be answered the answer has the shape of
all errors."""

import pytest

from wire import Wire, ask, request

JSON = "Content-Type: application/json"
CHUNKED = "Transfer-Encoding: chunked"
EMPTY = b"2\r\n{}\r\n0\r\n\r\n"
SECOND = request("GET", "/info")


def post(*headers, body=b""):
    """A join as bytes, with nothing added about its length."""
    lines = ["POST /join HTTP/1.1", "Host: gateway", JSON, *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def get(*headers, line="GET / HTTP/1.1"):
    return "\r\n".join([line, *headers]).encode("latin-1") + b"\r\n\r\n"


REFUSED = {
    "both lengths": post("Content-Length: 4", CHUNKED, body=b"0\r\n\r\n"),
    "both lengths, the other way round": post(CHUNKED, "Content-Length: 4", body=b"0\r\n\r\n"),
    "two lengths": post("Content-Length: 2", "Content-Length: 3", body=b"{}"),
    "two equal lengths": post("Content-Length: 2", "Content-Length: 2", body=b"{}"),
    "a list of lengths": post("Content-Length: 2, 2", body=b"{}"),
    "a negative length": post("Content-Length: -2", body=b"{}"),
    "a signed length": post("Content-Length: +2", body=b"{}"),
    "a hexadecimal length": post("Content-Length: 0x2", body=b"{}"),
    "a length with a fraction": post("Content-Length: 2.0", body=b"{}"),
    "a length beyond 64 bits": post("Content-Length: 36893488147419103234", body=b"{}"),
    "no length": post("Content-Length:", body=b"{}"),
    "a space before the colon": post("Content-Length : 2", body=b"{}"),
    "an unknown encoding": post("Transfer-Encoding: xchunked", body=EMPTY),
    "no encoding": post("Transfer-Encoding: identity", body=EMPTY),
    "an encoding twice": post(CHUNKED, CHUNKED, body=EMPTY),
    "an encoding after chunks": post("Transfer-Encoding: chunked, identity", body=EMPTY),
    "an encoding folded": post("Transfer-Encoding:\r\n chunked", body=EMPTY),
    "an encoding after a control character": post("Transfer-Encoding: \x0bchunked", body=EMPTY),
    "an encoding of HTTP/1.0": get("Host: gateway", CHUNKED, line="POST /join HTTP/1.0") + EMPTY,
    "a negative chunk": post(CHUNKED, body=b"-2\r\n{}\r\n0\r\n\r\n"),
    "a chunk beyond 64 bits": post(CHUNKED, body=b"fffffffffffffffff\r\n{}\r\n0\r\n\r\n"),
    "a chunk with a prefix": post(CHUNKED, body=b"0x2\r\n{}\r\n0\r\n\r\n"),
    "a chunk with a space": post(CHUNKED, body=b"2 \r\n{}\r\n0\r\n\r\n"),
    "chunks with bare line feeds": post(CHUNKED, body=b"2\n{}\n0\n\n"),
    "a chunk longer than told": post(CHUNKED, body=b"2\r\n{}XX\r\n0\r\n\r\n"),
    "bare line feeds": b"GET / HTTP/1.1\nHost: gateway\n\n",
    "bare carriage returns": b"GET / HTTP/1.1\rHost: gateway\r\r",
    "a folded field": get("Host: gateway", "X-A: b\r\n c"),
    "a field before its time": get(" Host: gateway"),
    "a field without a colon": get("Host: gateway", "field"),
    "a field without a name": get("Host: gateway", ": value"),
    "a NUL in a field": get("Host: gateway", "X-A: b\0c"),
    "a carriage return in a field": get("Host: gateway", "X-A: b\rX-B: c"),
    "no host": get(),
    "two hosts": get("Host: gateway", "HOST: elsewhere"),
    "a space before the host's colon": get("Host : gateway"),
    "no version": get(line="GET /"),
    "version 2": get("Host: gateway", line="GET / HTTP/2.0"),
    "the preface of version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method of no kind": get("Host: gateway", line="get / HTTP/1.1"),
    "a space in the address": get("Host: gateway", line="GET /a b HTTP/1.1"),
    "a control character in the address": get("Host: gateway", line="GET /a\x01b HTTP/1.1"),
    "bytes of no character in the address": get("Host: gateway", line="GET /api/\xff/queues HTTP/1.1"),
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
}

TOO_LARGE = {
    "too many headers": get("Host: gateway", *(f"X-{number}: b" for number in range(200))),
    "too long a header": get("Host: gateway", "X-A: " + "b" * 20_000),
    "too long a name": get("Host: gateway", "X" * 20_000 + ": b"),
    "headers too large together": get("Host: gateway", *(f"X-{number}: {'b' * 4000}" for number in range(20))),
    "trailers without end": post(CHUNKED, body=b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 5000 + b"\r\n"),
    "too long an address": get("Host: gateway", line=f"GET /{'a' * 20_000} HTTP/1.1"),
}


@pytest.mark.parametrize("message", REFUSED.values(), ids=REFUSED)
def test_what_two_programs_may_read_differently_is_refused_and_nothing_behind_it_is_read(service, message):
    with Wire(service.address) as wire:
        reply = wire.send(message + SECOND).reply()
        assert (reply.status, reply.code) == (400, "malformed_request")
        assert reply.json["detail"].startswith("The request cannot be read: ")
        assert reply.headers["connection"] == "close" and len(reply.headers["x-request-id"]) == 16
        assert reply.headers["access-control-allow-origin"] == "*"
        assert wire.ends() and wire.unread == b""


@pytest.mark.parametrize("message", TOO_LARGE.values(), ids=TOO_LARGE)
def test_header_bombs_are_refused(service, message):
    with Wire(service.address) as wire:
        reply = wire.send(message).reply()
        assert (reply.status, reply.code) == (431, "headers_too_large")
        assert wire.ends()


def test_a_message_broken_half_way_has_the_dialect_of_its_path(service):
    with Wire(service.address) as wire:
        reply = wire.send(get("Host: gateway", JSON, CHUNKED, line="POST /api/acme/queues?x=1 HTTP/1.1") + b"zz\r\n").reply()
        assert (reply.status, sorted(reply.json)) == (400, ["code", "error"])


def test_what_is_unusual_but_right_is_read(service):
    """A chunk's extension, a tab, a trailer, an empty list element are all allowed."""
    for message in [
        post(CHUNKED, body=b"2;name=value\r\n{}\r\n0\r\n\r\n"), post("Transfer-Encoding:\tchunked", body=EMPTY),
        post(CHUNKED, body=b"2\r\n{}\r\n0\r\nX-A: b\r\n\r\n"), post(CHUNKED, body=b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"),
    ]:
        with Wire(service.address) as wire:
            wire.send(message + SECOND)
            assert wire.reply().status == 422
            assert wire.reply().json["name"] == "Anteroom"


def test_pipelined_requests_are_answered_in_their_order(service, application, queue):
    """Hot routes and all others, bodies and none, mixed."""
    place = queue.join("pipeline")
    join = request(
        "POST", "/join", JSON, f"X-API-Key: {application['api_key']}", body=b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode())
    poll, head, missing = (request(*line) for line in [
        ("GET", f"/queue_status?token={place['token']}"), ("HEAD", "/info"), ("HEAD", "/nothing")])
    with Wire(service.address) as wire:
        wire.send((poll + SECOND + join + head + poll + missing + SECOND) * 10)
        for _ in range(10):
            assert wire.reply().json["id"] == place["id"]
            assert wire.reply().json["name"] == "Anteroom"
            assert wire.reply().json["visitor_id"] == "v"
            assert wire.reply(to="HEAD").status == 200
            assert wire.reply().json["id"] == place["id"]
            assert wire.reply(to="HEAD").status == 404
            assert wire.reply().json["name"] == "Anteroom"


@pytest.mark.parametrize("path", ["/nothing", "/join", "/api/acme/nothing/here", "/queue/acme/none", "/queue_status", "/applications/"])
def test_an_answer_to_head_has_no_body(service, path):
    """One would be read as the answer to the next request."""
    with Wire(service.address) as wire:
        wire.send(request("HEAD", path) + SECOND)
        assert 400 <= wire.reply(to="HEAD").status < 500
        assert wire.reply().json["name"] == "Anteroom"


def test_old_clients_are_answered_and_let_go(service):
    """HTTP/1.0 has no connections that stay, unless it asks for one."""
    for message in [b"GET /info HTTP/1.0\r\n\r\n", request("GET", "/info", "Connection: Close"), request("GET", "/info", "Connection: TE, close")]:
        with Wire(service.address) as wire:
            assert wire.send(message).reply().status == 200
            assert wire.ends()


@pytest.mark.parametrize("method, path", [
    ("TRACE", "/"), ("CONNECT", "/"), ("PATCH", "/queues/"), ("PUT", "/join"), ("DELETE", "/queue_status"), ("HEAD", "/join"),
    ("PROPFIND", "/applications/"), ("GET", "/cancel"), ("POST", "/metrics"), ("POST", "/admin"), ("DELETE", "/api/acme/main/join"),
])
def test_a_wrong_method_is_told_the_right_ones(service, method, path):
    if path == "/metrics":
        path = "/info"
    reply = ask(service.address, method, path)
    assert reply.status == 405 and "OPTIONS" in reply.headers["allow"] and method not in reply.headers["allow"].split(", ")


def test_options_is_answered_wherever_there_is_a_route(service):
    paths = service.call("GET", "/openapi.json")["paths"]
    for path, operations in paths.items():
        reply = ask(service.address, "OPTIONS", path.replace("{", "").replace("}", ""))
        assert reply.status == 204 and reply.body == b"", path
        assert {method.upper() for method in operations} <= set(reply.headers["allow"].split(", ")), path


def test_a_body_of_more_than_64_kib_is_refused_however_it_is_sent(service):
    large = b"a" * 65_537
    for message in [
        request("POST", "/join", JSON, body=large), post("Content-Length: 65537"), post("Content-Length: 9223372036854775808"),
        post(CHUNKED, body=b"10001\r\n" + large + b"\r\n0\r\n\r\n"),
        request("POST", "/auth/login", "Content-Type: application/x-www-form-urlencoded", body=large),
        request("POST", "/cancel", JSON, body=large),
    ]:
        with Wire(service.address) as wire:
            reply = wire.send(message).reply()
            assert (reply.status, reply.code) == (413, "body_too_large"), message[:120]
    assert ask(service.address, "POST", "/api/acme/queues", JSON, body=large).json["error"].startswith("The body is larger than 64 KiB")
    just = b'{"queue_id":"' + b"a" * (65_536 - 15) + b'"}'
    assert ask(service.address, "POST", "/join", JSON, body=just).status == 422


def test_a_body_that_no_route_asked_for_leaves_the_connection_sound(service):
    for method, path in [("GET", "/info"), ("POST", "/nothing"), ("GET", "/queue_status?token=x")]:
        with Wire(service.address) as wire:
            wire.send(request(method, path, body=b"GET /health HTTP/1.1\r\n" * 20_000) + SECOND)
            wire.reply()
            assert wire.reply().json["name"] == "Anteroom"
