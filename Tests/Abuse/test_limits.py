"""Limits of requests a minute: what somebody makes up makes no new client of them."""

import pytest

from wire import Wire, ask, request

JSON = "Content-Type: application/json"
MOST = 24
# Gateways count a client's first requests by themselves: at a minute's turn one such share is added.
SPARE = MOST // 12
LIMITS = {"RATE_LIMIT": "on", "JOIN_LIMIT_PER_MINUTE": str(MOST), "POLL_LIMIT_PER_MINUTE": str(MOST), "RATE_LIMIT_PER_MINUTE": str(MOST)}


@pytest.fixture
def limited(service, gateway, request):
    """Limits hold over all gateways: what other tests used up is forgotten."""
    service.redis_cli("EVAL", "for _, key in ipairs(redis.call('KEYS', '{limit:*')) do redis.call('DEL', key) end", "0")
    return lambda **variables: gateway(f"gateway-{request.node.name}", **LIMITS, **variables)


def headers(number):
    """What would make another client of somebody, were it believed."""
    other = f"198.51.100.{number % 250}"
    return [f"X-Forwarded-For: {other}", f"X-Real-IP: {other}", f"Forwarded: for={other}", f"X-Client-IP: {other}", f"CF-Connecting-IP: {other}",
            f"True-Client-IP: {other}", f"User-Agent: {number}", f"Cookie: id={number}"]


def statuses(address, messages):
    with Wire(address) as wire:
        return [wire.send(message).reply().status for message in messages]


def check(seen, usual, most=MOST):
    """The first of them are answered as usual, and all others refused."""
    usual_count = seen.count(usual)
    assert most <= usual_count <= most + SPARE and seen == [usual] * usual_count + [429] * (len(seen) - usual_count), seen


def test_made_up_credentials_are_one_client(service, limited, application, queue):
    address = limited()
    key = service.call("POST", "/api/limits/queues", {"queue_id": "q", "name": "Q"})["admin_key"]
    body = b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode()
    kinds = [
        lambda number: request("GET", "/applications/", f"Authorization: Bearer made-up-{number}", *headers(number)),
        lambda number: request("GET", "/queues/", *headers(number)),
        lambda number: request("POST", "/join", JSON, f"X-API-Key: pk_{number:046d}", *headers(number), body=body),
        lambda number: request("GET", "/api/limits/q/events", f"X-Admin-Key: {number}", *headers(number)),
    ]
    seen = statuses(address, [kinds[number % 4](number) for number in range(60)])
    wrong = [status for status in seen if status != 429]
    assert MOST <= len(wrong) <= MOST + SPARE and set(wrong) == {401, 403} and set(seen[len(wrong):]) == {429}
    # Who has a right one is not held up by that, from the same address.
    right = [
        request("GET", "/applications/", f"Authorization: Bearer {service.token}"), request("GET", "/api/limits/q/events", f"X-Admin-Key: {key}"),
        request("POST", "/join", JSON, f"X-API-Key: {application['api_key']}", body=body),
    ]
    assert statuses(address, right) == [200, 200, 200]


def test_made_up_headers_and_visitors_are_one_client(limited, application, queue):
    address = limited()
    body = '{"queue_id":"%s","visitor_id":"%d"}'
    joins = [
        request(
            "POST", "/join", JSON, f"X-API-Key: {application['api_key']}", f"Idempotency-Key: {number:020d}", *headers(number),
            body=(body % (queue.id, number)).encode())
        for number in range(40)
    ]
    check(statuses(address, joins), 200)
    walk_ins = [request("POST", f"/api/new-{number}/line/join", JSON, *headers(number), body=b'{"name":"A"}') for number in range(3)]
    queues = [request("POST", f"/api/new-{number}/queues", JSON, *headers(number), body=b'{"queue_id":"a","name":"A"}') for number in range(3)]
    assert statuses(address, walk_ins + queues) == [429] * 6


def test_a_ticket_has_one_limit_whoever_shows_it(limited, queue):
    token = queue.join("v")["token"]
    polls = [request("GET", f"/queue_status?token={token}", *headers(number)) for number in range(40)]
    check(statuses(limited(), polls), 200)


def commands(address):
    """How many commands the gateway has sent to Redis."""
    metrics = ask(address, "GET", "/metrics").body.decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines() if line.startswith("redis_command_duration_seconds_count"))


def test_made_up_tickets_cost_redis_nothing(limited):
    """There is nothing to guess and nothing to be saved, so no limit: they are answered from the signature alone."""
    address = limited()
    before = commands(address)
    assert before > 0
    seen = statuses(address, [request("GET", f"/queue_status?token={'AQ' + 'A' * 100}{number:04d}", *headers(number)) for number in range(200)])
    # What the gateway does by itself goes on.
    assert set(seen) == {404} and commands(address) < before + 20


@pytest.mark.parametrize("forwarded, clients", [
    (lambda number: f"198.51.100.{number}", 60),
    (lambda number: f"198.51.100.{number}, 192.0.2.1", 1),
    (lambda number: f"{number}.1.1.1, 2.2.2.{number}, 192.0.2.2:{1000 + number}", 1),
    (lambda number: f"2001:db8:1:2::{number:x}", 1),
    (lambda number: f"[2001:db8:2:3:{number:x}::1]:443", 1),
    (lambda number: f"2001:db8:3:{number:x}::1", 60),
    (lambda number: f"::ffff:192.0.2.{3 + number % 2}", 2),
    (lambda number: f"not-an-address-{number}, 192.0.2.12", 1),
    (lambda number: "192.0.2.10" + ", 127.0.0.1" * number, 1),
    (lambda number: ", " * number + "192.0.2.11", 1),
])
def test_behind_a_trusted_proxy_the_address_it_saw_counts(proxied, forwarded, clients):
    """What stands left of it the client wrote; an IPv6 customer has a whole /64."""
    messages = [request("GET", "/queues/", f"X-Forwarded-For: {forwarded(number)}") for number in range(60)]
    seen = statuses(proxied, messages)
    allowed = seen.count(401)
    assert min(60, clients * MOST) <= allowed <= min(60, clients * (MOST + SPARE)), seen


@pytest.fixture(scope="module")
def proxied(gateway):
    return gateway("gateway-proxied", **LIMITS, TRUSTED_PROXIES="127.0.0.0/8")
