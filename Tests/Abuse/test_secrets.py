"""Secrets are where they are needed and nowhere else: not in Redis as they are, and in no log, metric or answer to somebody else."""

import re
import secrets

import pytest

from deadline import until
from service import BINARIES, free_port
from wire import Wire, ask, request

JSON = "Content-Type: application/json"
FORM = "Content-Type: application/x-www-form-urlencoded"

# Everything that Redis keeps, values of every type.
EVERYTHING = """
local all = {}
local function add(value)
  if type(value) == 'table' then for _, each in ipairs(value) do add(each) end else all[#all + 1] = tostring(value) end
end
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind = redis.call('TYPE', key).ok
  add(key)
  if kind == 'string' then add(redis.call('GET', key))
  elseif kind == 'hash' then add(redis.call('HGETALL', key))
  elseif kind == 'zset' then add(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'))
  elseif kind == 'list' then add(redis.call('LRANGE', key, 0, -1))
  elseif kind == 'set' then add(redis.call('SMEMBERS', key))
  elseif kind == 'stream' then add(redis.call('XRANGE', key, '-', '+')) end
end
return table.concat(all, '\\n')
"""


@pytest.fixture(scope="session")
def known(service):
    """Secrets of every kind, each by its name, and things that keep them busy."""
    application = service.make_application(name="Keeper", callback_url="http://127.0.0.1:9/callback")
    queue = service.make_queue(application, max_users_per_minute=6000)
    password = "a very secret " + secrets.token_hex(8)
    service.call(
        "POST", "/users/",
        {"email": "keeper@example.com", "role": "viewer", "application_id": application["id"], "password": password})
    form = f"username=keeper@example.com&password={password.replace(' ', '+')}".encode()
    session = ask(service.address, "POST", "/auth/login", FORM, body=form).json["access_token"]
    idempotency = secrets.token_hex(16)
    body = b'{"queue_id":"%s","visitor_id":"v"}' % queue.id.encode()
    place = ask(
        service.address, "POST", "/join", JSON, f"X-API-Key: {application['api_key']}", f"Idempotency-Key: {idempotency}", body=body).json
    admin_key = service.call("POST", "/api/keeper/queues", {"queue_id": "q", "name": "Q"})["admin_key"]
    walk_in = service.call("POST", "/api/keeper/q/join", {"name": "Alex"})["token"]
    rotated = service.call("POST", f"/applications/{application['id']}/rotate_keys", {"grace_seconds": 60})
    # A callback that fails is logged and kept.
    until(lambda: [each for each in service.call("GET", f"/callbacks?queue_id={queue.id}") if each["attempts"]], "a callback that failed")
    return {
        "SECRET_KEY": service.variables["SECRET_KEY"], "ADMIN_PASSWORD": service.password, "an access token": service.token,
        "SMTP_PASS": service.variables["SMTP_PASS"], "WEBHOOK_URL": service.variables["WEBHOOK_URL"].rsplit("/", 1)[1],
        "a password": password, "another access token": session, "an idempotency key": idempotency, "a ticket": place["token"],
        "a desk's key": admin_key, "a walk-in's ticket": walk_in, "a secret key": application["secret_key"],
        "a rotated secret key": rotated["secret_key"],
    }


def spellings(secret):
    """As it is, without its kind, and escaped as in an address."""
    bare = secret.removeprefix("whsec_")
    return {secret, bare, bare.replace("+", "%2B").replace("/", "%2F"), bare.replace("+", "-").replace("/", "_"), secret.replace(" ", "+")}


def check(text, known, where):
    found = [name for name, secret in known.items() if any(spelling in text for spelling in spellings(secret))]
    assert not found, f"{where} holds {found}"


def test_redis_keeps_no_secret_as_it_is(service, known):
    """Api keys are none: they are in every browser."""
    text = service.redis_cli("EVAL", EVERYTHING, "0")
    assert "keeper@example.com" in text and "scrypt$15$8$1$" in text and "Alex" in text, "all of it was read"
    check(text, known, "Redis")
    # Who reads Redis finds no key to try passwords or forge anything with either.
    assert not re.search(r"whsec_|eyJ[A-Za-z0-9_-]{20}", text)


def abuse(service, known):
    """Every secret where it does not belong; returns what is answered."""
    answers = {}
    for name, secret in known.items():
        quoted = secret.replace(" ", "%20").replace("+", "%2B").replace("/", "%2F")
        plain = secret.encode()
        for message in [
            request("GET", f"/{quoted}"), request("GET", f"/queues/{quoted}"), request("GET", f"/wait/{quoted}"), request("GET", f"/api/{quoted}/queues"),
            request("GET", f"/queue/{quoted}/{quoted}"), request("GET", f"/queues/?application_id={quoted}"), request("GET", f"/scripts/queue.js?app_id={quoted}"),
            request("GET", "/queues/", f"Authorization: Basic {secret}"), request("GET", "/queues/", f"Authorization: Bearer {secret}x"),
            request("POST", "/join", JSON, f"X-API-Key: {secret}", body=b"{}"), request("POST", "/join", JSON, body=b'{"queue_id":' + plain),
            request("POST", "/api/keeper/q/serve-next", f"X-Admin-Key: {secret}x"), request("POST", "/api/keeper/q/join", JSON, body=plain),
            request("DELETE", f"/callbacks/{quoted}/resend"), request("GET", f"/auth/me?x={quoted}", f"Cookie: anteroom_session={secret}x"),
            request("GET", "/info", f"X-Forwarded-For: {secret}", f"User-Agent: {secret}", f"Referer: https://shop.example/?token={quoted}"),
            b"GET /info HTTP/1.1\r\nHost: gateway\r\n" + plain + b"\r\n\r\n", b"GET /" + quoted.encode() + b" HTTP/9.9\r\n\r\n", plain + b"\r\n\r\n",
        ]:
            with Wire(service.address) as wire:
                reply = wire.send(message).reply()
            assert reply.status < 500, (name, message)
            answers[name, message[:60]] = reply
    return answers


@pytest.mark.after_all
def test_no_secret_is_in_any_log_metric_or_error(service, known):
    """All tests before left their marks in the logs, which tell everything that they ever do (LOG_LEVEL=debug)."""
    for (name, message), reply in abuse(service, known).items():
        # What somebody sent in a body or query is told back to them (`input`), and to nobody else.
        if not (reply.status == 422 and message.startswith((b"GET", b"POST"))):
            check(reply.body.decode(), {name: known[name]}, f"the answer to {message}")
        check(str(reply.headers), {name: known[name]}, f"the headers of the answer to {message}")

    # Callbacks that fail are an incident, of which alerts tell; these fail too.
    until(lambda: "could not be sent by mail" in (service.folder / "releaser.log").read_text(), "an alert that could not be sent")
    logs = {path.name: path.read_text(errors="replace") for path in service.folder.glob("*.log")}
    assert {"gateway.log", "releaser.log"} <= set(logs) and all('"level":"debug"' in logs[f"{name}.log"] for name in ["gateway", "releaser"])
    metrics = {
        f"metrics of {address}": ask(f"http://{address}", "GET", "/metrics").body.decode()
        for addresses in service.metrics.values() for address in addresses
    }
    for name, text in (logs | metrics).items():
        check(text, known, name)
        # Secrets of all the other tests, by their look: application secrets, access tokens, hashes of passwords, tickets.
        for pattern in [r"whsec_[A-Za-z0-9+/_-]{8}", r"eyJ[A-Za-z0-9_-]{20}", r"scrypt\$", r"\bA[Q-Za-f][A-Za-z0-9_-]{92}", r"Bearer [A-Za-z0-9]"]:
            assert not re.search(pattern, text), f"{name}: {pattern}"
    # Nor did anything end in what is nobody's fault but ours.
    for name, text in logs.items():
        if name.startswith("gateway"):
            assert '"level":"error"' not in text and "Fatal error" not in text, name


def test_the_password_of_redis_is_told_to_nobody(service, gateway):
    """Neither where it is right nor where it is wrong."""
    password, wrong = secrets.token_hex(12), secrets.token_hex(12)
    port = free_port()
    service.launch(
        "redis-locked", ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--requirepass", password, "--save", "", "--dir", str(service.folder)])
    right = gateway("gateway-redis", REDIS_URL=f"redis://:{password}@127.0.0.1:{port}/0", METRICS_PORT=str(metrics := free_port()))
    assert ask(right, "GET", "/health").status == 200
    refused = free_port()
    service.launch(
        "gateway-redis-wrong", [str(BINARIES / "Gateway")],
        service.variables | {"PORT": str(refused), "REDIS_URL": f"redis://user:{wrong}@127.0.0.1:{port}/0"})
    until(lambda: answers(refused), "the gateway without Redis")
    reply = ask(f"http://127.0.0.1:{refused}", "GET", "/health")
    assert reply.status == 503
    until(lambda: "WRONGPASS" in (service.folder / "gateway-redis-wrong.log").read_text(), "the reason in the log")
    texts = {path.name: path.read_text(errors="replace") for path in service.folder.glob("*.log")}
    texts |= {"health": reply.body.decode(), "metrics": ask(f"http://127.0.0.1:{metrics}", "GET", "/metrics").body.decode()}
    for name, text in texts.items():
        check(text, {"Redis's password": password, "a wrong one": wrong}, name)


def answers(port):
    try:
        return ask(f"http://127.0.0.1:{port}", "GET", "/health/live").status == 200
    except ConnectionRefusedError:
        return False
