"""Addresses that are meant to be read as another: each leads where it says, or nowhere, and never to an error of the server."""

import pytest

from wire import Wire, ask, request

NOWHERE = [
    "/../info", "/./info", "/queues/../info", "/%2e%2e/info", "/%2e/info", "/..;/info", "/info/..", "/info%2f", "/info%00", "/info%20", "/info;a=b",
    "/info#a", "/INFO", "/info.json", "/%69nfo%", "/%zz", "/%", "/%u0069nfo", "/%c0%ae%c0%ae/info", "/%c0%af", "/%e0%80%af", "/%ff", "/%ed%a0%80",
    "/%f4%90%80%80", "/info%0d%0aX-A:%20b", "/info%0a", "/etc/passwd", "/.env", "/.git/config", "/scripts/../../../../etc/passwd",
    "/scripts/..%2f..%2fetc%2fpasswd", "/scripts/queue.js%00.css", "/styles/%2e%2e/scripts/queue.js", "/admin/../metrics", "/queues%2fx",
    "/applications%2F", "/~root", "/" + "a/" * 4000, "/" + "%61" * 4000, "/wait/%00", "/wait/..%2f..", "/" + "é".encode().hex(),
]
NOBODY = ["%00", "%ff", "%c0%ae", "..", "%2e%2e", "%2e", "a%2fb", "a%5cb", "%20", "a b".replace(" ", "%20"), "%0d%0a", "é".encode().hex(), "%e2%80%ae",
          "queues", "*", "'", "%7Bt%7D", "$(id)", "%25%30%30", "x" * 65, "x" * 5000, "-1", "0", "null", "00000000-0000-0000-0000-000000000000"]


@pytest.mark.parametrize("path", NOWHERE)
def test_tricks_lead_nowhere(service, path):
    reply = ask(service.address, "GET", path)
    assert reply.status == 404, reply.body[:200]
    assert b"root:" not in reply.body and b"X-A" not in "".join(reply.headers).encode()


def test_names_in_paths_that_name_nobody(service):
    """In every place of every route that has one."""
    document = service.call("GET", "/openapi.json")
    with Wire(service.address, timeout=10) as wire:
        for path, operations in document["paths"].items():
            if "{" not in path:
                continue
            for name in NOBODY:
                target = path
                while "{" in target:
                    start, rest = target.split("{", 1)
                    target = start + name + rest.split("}", 1)[1]
                for method in operations:
                    reply = wire.send(request(method.upper(), target, f"Authorization: Bearer {service.token}")).reply()
                    # A list, or a queue, that anybody may make by its name where tenants are open.
                    assert reply.status < 500, f"{method} {target}: {reply.body}"
                    if reply.status >= 400 and reply.headers["content-type"] == "application/json":
                        assert "code" in reply.json


def test_an_address_in_absolute_form_is_the_same_address(service):
    """RFC 9112, section 3.2.2; who is asked for plays no part."""
    for scheme in ["http", "https", "HTTP"]:
        assert ask(service.address, "GET", f"{scheme}://elsewhere.example/info").json["name"] == "Anteroom"
    assert ask(service.address, "GET", "http://elsewhere.example/queue_status?token=x").code == "token_not_found"
    assert sorted(ask(service.address, "GET", "http://elsewhere.example/api/acme/nothing/at/all").json) == ["code", "error"]


def test_the_host_asked_for_is_written_nowhere(service, queue):
    """Pages and answers lead to PUBLIC_URL, whatever a client or a proxy says."""
    service.call("POST", "/api/hosts/queues", {"queue_id": "q", "name": "Q"})
    for path in [f"/wait/{queue.id}", "/queue/hosts/q", "/queue/hosts/q/kiosk", "/api/hosts/q/qr", "/docs", "/openapi.json", "/admin", "/scripts/queue.js"]:
        message = request(
            "GET", path, "X-Forwarded-Host: evil.example", "X-Forwarded-Proto: evil", "Forwarded: host=evil.example", "X-Original-URL: /evil",
            "X-Rewrite-URL: /evil", host=b"Host: evil.example")
        with Wire(service.address) as wire:
            reply = wire.send(message).reply()
        assert reply.status in (200, 401) and b"evil" not in reply.body and "evil" not in str(reply.headers)


def test_methods_are_not_overridden(service, queue):
    for header in ["X-HTTP-Method-Override: DELETE", "X-HTTP-Method: DELETE", "X-Method-Override: DELETE"]:
        assert ask(service.address, "GET", f"/queues/{queue.id}?_method=DELETE", header, f"Authorization: Bearer {service.token}").status == 200
    assert service.call("GET", f"/queues/{queue.id}")["is_active"] is True
