"""Access tokens (JWT, RFC 7519 and 8725): nothing opens a door but what this service signed, for as long as it said."""

import base64
import hmac
import json
import time

from wire import Wire, ask, request


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def session_key(secret):
    extracted = hmac.digest(b"\0" * 32, secret.encode(), "sha256")
    return hmac.digest(extracted, b"anteroom/session\x01", "sha256")


class Forge:
    """Makes tokens out of a real one."""

    def __init__(self, service):
        self.header, self.claims = (json.loads(decode(part)) for part in service.token.split(".")[:2])
        self.key = session_key(service.variables["SECRET_KEY"])

    def token(self, header=None, claims=None, key=None, digest="sha256", raw_header=None, drop=()):
        header = raw_header or json.dumps(self.header | (header or {})).encode()
        claims = {name: value for name, value in (self.claims | (claims or {})).items() if name not in drop}
        signed = f"{encode(header)}.{encode(json.dumps(claims).encode())}"
        return f"{signed}.{encode(hmac.digest(self.key if key is None else key, signed.encode(), digest))}"


def test_only_what_this_service_signed_opens_a_door(service):
    forge = Forge(service)
    kid = forge.header["kid"]
    header, claims, signature = service.token.split(".")
    public = b"-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n"
    now = int(time.time())
    forged = {
        "alg none": forge.token({"alg": "none"}), "alg None": forge.token({"alg": "None"}), "alg NONE": forge.token({"alg": "NONE"}),
        "alg none, unsigned": forge.token({"alg": "none"}).rsplit(".", 1)[0] + ".",
        "alg none, two parts": forge.token({"alg": "none"}).rsplit(".", 1)[0],
        "unsigned": f"{header}.{claims}.", "two parts": f"{header}.{claims}", "four parts": service.token + ".x", "signature only": f"..{signature}",
        "alg absent": forge.token(raw_header=json.dumps({"typ": "JWT", "kid": kid}).encode()),
        "alg null": forge.token({"alg": None}), "alg a list": forge.token({"alg": ["HS256"]}), "alg lower": forge.token({"alg": "hs256"}),
        "HS384": forge.token({"alg": "HS384"}, digest="sha384"), "HS512": forge.token({"alg": "HS512"}, digest="sha512"),
        "HS512 as HS256": forge.token(digest="sha512"), "HS256 as HS512": forge.token({"alg": "HS512"}),
        "RS256": forge.token({"alg": "RS256"}), "ES256": forge.token({"alg": "ES256"}), "EdDSA": forge.token({"alg": "EdDSA"}),
        "a public key as secret": forge.token(key=public), "no key": forge.token(key=b""), "the kid as key": forge.token(key=kid.encode()),
        "the secret itself": forge.token(key=service.variables["SECRET_KEY"].encode()),
        "another secret": forge.token(key=session_key("another secret of thirty-two characters")),
        "the key of tickets": forge.token(key=hmac.digest(
            hmac.digest(b"\0" * 32, service.variables["SECRET_KEY"].encode(), "sha256"), b"anteroom/ticket\x01", "sha256")),
        "kid absent": forge.token(raw_header=json.dumps({"alg": "HS256", "typ": "JWT"}).encode()),
        "kid unknown": forge.token({"kid": "other"}), "kid empty": forge.token({"kid": ""}), "kid null": forge.token({"kid": None}),
        "kid a path": forge.token({"kid": "../../../../dev/null"}, key=b""), "kid a query": forge.token({"kid": "' OR 1=1 --"}),
        "kid a number": forge.token({"kid": 0}), "kid padded": forge.token({"kid": kid + "="}), "kid case": forge.token({"kid": kid.swapcase()}),
        "kid twice": forge.token(raw_header=f'{{"alg":"HS256","kid":"{kid}","kid":"{kid}"}}'.encode()),
        "alg twice": forge.token(raw_header=f'{{"alg":"HS256","alg":"none","kid":"{kid}"}}'.encode()),
        "crit": forge.token({"crit": ["exp"]}), "crit empty": forge.token({"crit": []}),
        "an embedded key": forge.token({"jwk": {"kty": "oct", "k": encode(b"mine")}, "kid": "mine"}, key=b"mine"),
        "a key elsewhere": forge.token({"jku": "https://evil.example/keys", "x5u": "https://evil.example", "kid": "mine"}, key=b"mine"),
        "header no object": forge.token(raw_header=b'["HS256"]'), "header no JSON": forge.token(raw_header=b"HS256"),
        "header deep": forge.token(raw_header=b'{"alg":"HS256","a":' + b"[" * 500 + b"]" * 500 + b"}"),
        "expired": forge.token(claims={"exp": now - 1}), "expired long ago": forge.token(claims={"exp": 0}),
        "expiry absent": forge.token(drop=["exp"]), "expiry a text": forge.token(claims={"exp": "never"}),
        "account absent": forge.token(drop=["sub"]), "account made up": forge.token(claims={"sub": "00000000-0000-4000-8000-000000000000"}),
        "account no id": forge.token(claims={"sub": "admin@localhost"}), "session absent": forge.token(drop=["sid"]),
        "session no id": forge.token(claims={"sid": "*"}), "beginning absent": forge.token(drop=["auth_time"]),
        "begun before there was time": forge.token(claims={"auth_time": -(10**9)}),
        "huge": forge.token(claims={"x": "a" * 4000}), "huge header": forge.token({"x": "a" * 12_000}), "dots": "." * 2000,
        "not base64": f"{header}.{claims}.{signature[:-1]}!", "padded": f"{header}=.{claims}.{signature}", "spaced": f"{header}. {claims}.{signature}",
    }
    forged |= {f"signature bit {bit}": f"{header}.{claims}.{encode(_flip(decode(signature), bit))}" for bit in range(256)}
    forged |= {f"cut at {length}": service.token[:length] for length in range(0, len(service.token), 7)}
    right = forge.token()
    with Wire(service.address) as wire:
        # What is forged differs from what is right in one thing each.
        assert wire.send(request("GET", "/auth/me", f"Authorization: Bearer {right}")).reply().status == 200
        for name, token in forged.items():
            for headers in [f"Authorization: Bearer {token}"], [f"Cookie: anteroom_session={token}", "X-Anteroom-Page: 1"]:
                reply = wire.send(request("GET", "/auth/me", *headers)).reply()
                assert reply.status == 401, f"{name}: {reply.body}"


def _flip(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def sign_in(service, *headers):
    form = f"username=admin@localhost&password={service.password}".encode()
    return ask(service.address, "POST", "/auth/login", "Content-Type: application/x-www-form-urlencoded", *headers, body=form)


def test_a_session_that_was_ended_stays_ended(service):
    token = sign_in(service).json["access_token"]
    bearer = f"Authorization: Bearer {token}"
    assert ask(service.address, "POST", "/auth/logout", bearer).status == 204
    assert ask(service.address, "GET", "/auth/me", bearer).status == 401
    assert ask(service.address, "POST", "/auth/refresh", bearer).status == 401


def test_a_session_of_before_a_password_was_changed_is_over(service):
    application = service.make_application()
    account = {"email": "old@example.com", "role": "viewer", "application_id": application["id"], "password": "the first of its passwords"}
    made = service.call("POST", "/users/", account)
    form = b"username=old@example.com&password=the+first+of+its+passwords"
    token = ask(service.address, "POST", "/auth/login", "Content-Type: application/x-www-form-urlencoded", body=form).json["access_token"]
    assert ask(service.address, "GET", "/auth/me", f"Authorization: Bearer {token}").status == 200
    service.call("PUT", f"/users/{made['id']}", {"password": "the second of its passwords"})
    assert ask(service.address, "GET", "/auth/me", f"Authorization: Bearer {token}").status == 401


def test_the_cookie_of_our_pages_is_theirs_alone(service):
    """Other sites' forms and links send it too: then it changes nothing."""
    reply = sign_in(service, "X-Anteroom-Page: 1")
    cookie = reply.headers["set-cookie"]
    assert reply.json["access_token"] == "" and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    session = "Cookie: " + cookie.split(";")[0]
    assert ask(service.address, "GET", "/auth/me", session).status == 200
    for origin in ["Origin: https://evil.example", "Origin: null", "Referer: https://evil.example/", "Sec-Fetch-Site: cross-site"]:
        for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json"]:
            for method, path in [("POST", "/applications/"), ("POST", "/auth/logout"), ("POST", "/auth/refresh"), ("DELETE", "/queues/x")]:
                reply = ask(service.address, method, path, session, origin, f"Content-Type: {kind}", body=b'{"name":"x","domain":"x"}')
                assert reply.status == 401, (origin, kind, path, reply.body)
    # The preflight of a foreign script does not get the header that our pages send.
    reply = ask(
        service.address, "OPTIONS", "/applications/", "Origin: https://evil.example", "Access-Control-Request-Method: POST",
        "Access-Control-Request-Headers: x-anteroom-page")
    assert "x-anteroom-page" not in reply.headers["access-control-allow-headers"].lower()
    assert "access-control-allow-credentials" not in reply.headers
