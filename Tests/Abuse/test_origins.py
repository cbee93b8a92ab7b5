"""Cross-origin requests (Fetch standard): no credentials for anybody, and the operator's list kept on every answer, errors too."""

import pytest

from wire import Wire, ask, request

LISTED = "https://shop.example"
FOREIGN = ["https://evil.example", "https://shop.example.evil.example", "https://evil-shop.example", "http://shop.example", "https://shop.example:444",
           "https://shop.example.", "https://SHOP.example", "null", "*", "", "https://shop.example/", "https://shop.example, https://evil.example"]


@pytest.fixture(scope="module")
def strict(gateway):
    return gateway(
        "gateway-origins", ALLOWED_ORIGINS=f"{LISTED},https://tickets.example", RATE_LIMIT="on", JOIN_LIMIT_PER_MINUTE="24",
        RATE_LIMIT_PER_MINUTE="24", POLL_LIMIT_PER_MINUTE="24")


def answers(address, application, queue, origin):
    """One of each kind of answer that a foreign page may get."""
    key, origin = f"X-API-Key: {application['api_key']}", f"Origin: {origin}"
    body = b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode()
    json = "Content-Type: application/json"
    return {
        "a join": ask(address, "POST", "/join", json, key, origin, body=body),
        "a poll": ask(address, "GET", f"/queue_status?token={queue.join('v')['token']}", origin),
        "no key": ask(address, "POST", "/join", json, origin, body=body),
        "a wrong key": ask(address, "POST", "/join", json, "X-API-Key: pk_x", origin, body=body),
        "a bad body": ask(address, "POST", "/join", json, key, origin, body=b"{"),
        "another type": ask(address, "POST", "/join", "Content-Type: text/plain", key, origin, body=body),
        "too much": ask(address, "POST", "/join", json, key, origin, body=b"x" * 70_000),
        "no ticket": ask(address, "GET", "/queue_status?token=x", origin),
        "nothing there": ask(address, "GET", "/nothing", origin),
        "a wrong method": ask(address, "PUT", "/join", origin),
        "no session": ask(address, "GET", "/applications/", origin),
        "a walk-in error": ask(address, "GET", "/api/acme/none/list", origin),
        "a preflight": ask(address, "OPTIONS", "/join", origin, "Access-Control-Request-Method: POST"),
    }


def test_any_page_may_ask_but_none_with_credentials(service, application, queue):
    for name, reply in answers(service.address, application, queue, "https://evil.example").items():
        assert reply.headers["access-control-allow-origin"] == "*", name
        assert "access-control-allow-credentials" not in reply.headers, name


def test_only_listed_pages_may_read_where_there_is_a_list(strict, application, queue):
    for name, reply in answers(strict, application, queue, LISTED).items():
        assert reply.headers["access-control-allow-origin"] == LISTED, name
        assert "Origin" in reply.headers["vary"], name
        assert "access-control-allow-credentials" not in reply.headers, name
    for origin in FOREIGN:
        for path in ["/nothing", "/info"]:
            reply = ask(strict, "GET", path, f"Origin: {origin}")
            assert "access-control-allow-origin" not in reply.headers and "Origin" in reply.headers["vary"], origin
        reply = ask(strict, "OPTIONS", "/join", f"Origin: {origin}", "Access-Control-Request-Method: POST")
        assert reply.status == 204 and not [name for name in reply.headers if name.startswith("access-control-allow")]


def test_an_answer_to_too_many_requests_can_be_read_by_the_page_that_sent_them(strict, queue):
    token = queue.join("v")["token"]
    with Wire(strict) as wire:
        replies = [wire.send(request("GET", f"/queue_status?token={token}", f"Origin: {LISTED}")).reply() for _ in range(60)]
        replies += [wire.send(request("GET", "/applications/", f"Origin: {LISTED}")).reply() for _ in range(60)]
    limited = [reply for reply in replies if reply.status == 429]
    assert {reply.code for reply in limited} == {"rate_limited"} and len(limited) >= 20
    for reply in limited:
        assert reply.headers["access-control-allow-origin"] == LISTED
        assert "Retry-After" in reply.headers["access-control-expose-headers"] and int(reply.headers["retry-after"]) > 0
