"""Bodies that are no strict JSON, and JSON that is meant to hurt its reader."""

import json
import secrets

import pytest

from wire import ask, request, Wire

JSON = "Content-Type: application/json"
MALFORMED = {
    "nothing": b"",
    "white space": b" \r\n\t",
    "half of it": b'{"queue_id":',
    "a trailing comma": b'{"queue_id":"x",}',
    "a comma too many": b'{"a":[1,,2]}',
    "single quotes": b"{'queue_id':'x'}",
    "no quotes": b"{queue_id:1}",
    "a comment": b'{/* */"queue_id":"x"}',
    "two values": b"{}{}",
    "something behind": b"{} x",
    "a duplicate key": b'{"queue_id":"a","queue_id":"b"}',
    "a duplicate key, escaped": b'{"queue_id":"a","queue_\\u0069d":"b"}',
    "a duplicate key, deep": b'{"a":[{"b":1,"b":2}]}',
    "a NUL": b'{"visitor_id":"a\\u0000b"}',
    "a bare NUL": b'{"visitor_id":"a\0b"}',
    "a NUL behind": b"{}\0",
    "a line feed in a string": b'{"visitor_id":"a\nb"}',
    "a lone high surrogate": b'{"visitor_id":"\\ud83d"}',
    "a lone low surrogate": b'{"visitor_id":"\\ude00"}',
    "surrogates the wrong way round": b'{"visitor_id":"\\ude00\\ud83d"}',
    "a surrogate and a letter": b'{"visitor_id":"\\ud83d\\u0041"}',
    "a surrogate as UTF-8": b'{"visitor_id":"\xed\xa0\xbd"}',
    "an overlong encoding": b'{"visitor_id":"\xc0\xaf"}',
    "Latin-1": b'{"visitor_id":"\xe9"}',
    "beyond Unicode": b'{"visitor_id":"\xf4\x90\x80\x80"}',
    "an unknown escape": b'{"visitor_id":"\\x41"}',
    "an escape cut short": b'{"visitor_id":"\\u00"}',
    "full-width digits in an escape": '{"visitor_id":"\\u００４１"}'.encode(),
    "a leading zero": b'{"priority":01}',
    "a plus": b'{"priority":+1}',
    "a point without digits": b'{"priority":1.}',
    "a digit of another script": '{"priority":١}'.encode(),
    "NaN": b'{"priority":NaN}',
    "infinity": b'{"priority":Infinity}',
    "a number beyond range": b'{"priority":1e999}',
    "a number of many digits": b'{"priority":' + b"9" * 60_000 + b"}",
    "another word": b'{"is_active":True}',
    "33 levels": b'{"a":' + b"[" * 32 + b"]" * 32 + b"}",
    "30,000 levels": b"[" * 30_000 + b"]" * 30_000,
    "30,000 levels, open": b'{"a":' * 10_000,
    "a mark of byte order": b"\xef\xbb\xbf{}",
    "UTF-16": '{"visitor_id":"a"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"visitor_id":"a"}'.encode("utf-16-le"),
    "UTF-32": '{"visitor_id":"a"}'.encode("utf-32"),
    "a separator of lines between": '{"a":1,\u2028"b":2}'.encode(),
    "a no-break space between": '{\u00a0"a":1}'.encode(),
    "compressed": b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab\xae\x05\x00\x43\xbf\xa6\xa3\x02\x00\x00\x00",
}


def authorized(service):
    return f"Authorization: Bearer {service.token}"


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_strict_json_is_refused_in_both_dialects(service, body):
    for method, path in [("POST", "/join"), ("POST", "/queues/")]:
        reply = ask(service.address, method, path, JSON, authorized(service), body=body)
        assert (reply.status, reply.code) == (422, "malformed_json"), reply.body
        problem = reply.json["detail"][0]
        assert problem["type"] == "json_invalid" and problem["loc"][0] == "body" and problem["msg"].startswith("JSON decode error: ")
    reply = ask(service.address, "POST", "/api/acme/queues", JSON, body=body)
    assert (reply.status, reply.code) == (400, "malformed_json")
    assert reply.json["error"].startswith("Malformed JSON: ")


@pytest.mark.parametrize("body", [b"[]", b"null", b'"text"', b"1", b"true", b"[" * 32 + b"]" * 32])
def test_json_of_another_kind_is_refused(service, body):
    assert ask(service.address, "POST", "/join", JSON, body=body).status == 422
    assert ask(service.address, "POST", "/api/acme/queues", JSON, body=body).status == 400


@pytest.mark.parametrize("value", [
    None, True, 0, -1, 1.5, 10**400, -(10**18), 2**63, 2**64, 1e308, 5e-324, 1e-300, "", "x", "0", " ", "x" * 60_000, "\ufffe\uffff", "\U0010ffff", "𝟙", [], [[]],
    ["x"] * 1000, {}, {"a": 1},
])
def test_no_value_of_any_field_is_an_error_of_the_server(service, value):
    """Every field of every body of the API, with values of all kinds."""
    application = service.make_application()
    queue = service.make_queue(application)
    queue.join("v")
    text = json.dumps(value)
    if isinstance(value, int) and value > 2**64:
        text = "1" + "0" * 300
    document = service.call("GET", "/openapi.json")
    schemas = document["components"]["schemas"]
    with Wire(service.address) as wire:
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                content = operation.get("requestBody", {}).get("content", {}).get("application/json")
                if content is None or path.startswith("/auth/"):
                    continue
                schema = content["schema"]
                schema = schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema
                for field in schema.get("properties", {}):
                    target = path.replace("{id}", queue.id if path.startswith("/queues") else application["id"])
                    target = target.replace("{tenant}", "acme").replace("{queue}", "values").replace("{type}", "x")
                    reply = wire.send(request(
                        method.upper(), target, JSON, authorized(service), f"X-API-Key: {application['api_key']}",
                        body=f'{{"{field}":{text}}}'.encode())).reply()
                    assert reply.status < 500, f"{method} {path} {field}: {reply.body}"
                    if reply.body:
                        assert isinstance(reply.json, dict)


@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json5", "application/jsonp",
    "application/ json", "application/xml", "*/*", "application/json,text/plain",
])
def test_a_body_of_another_type_is_refused(service, kind):
    for path in ["/join", "/queues/", "/applications/", "/users/", "/api/acme/queues", "/api/acme/main/join"]:
        reply = ask(service.address, "POST", path, f"Content-Type: {kind}", authorized(service), body=b'{"queue_id":"x"}')
        assert (reply.status, reply.code) == (415, "unsupported_media_type"), path
    reply = ask(service.address, "POST", "/auth/login", "Content-Type: application/json", body=b'{"username":"a","password":"b"}')
    assert reply.status == 415


@pytest.mark.parametrize("form", [
    b"username=%zz&password=x", b"username=%", b"username=%c0%af&password=x", b"username=\xff&password=x", b"=&=&=", b"&" * 60_000,
    b"username=a%00b&password=x", b"username[]=a&password[]=b", b"username=a;password=b", b"username=" + b"a" * 400 + b"&password=x",
    b"username=a&password=" + b"b" * 2000, b"username=a&password=b&grant_type=client_credentials",
])
def test_forms_that_are_none(service, form):
    reply = ask(service.address, "POST", "/auth/login", "Content-Type: application/x-www-form-urlencoded", body=form)
    assert reply.status == 422 and reply.json["detail"]


@pytest.mark.parametrize("before", ["0-0", "00-000", "1-", "-1", "1", "1-1-1", "+", "-", "(1-1", "1-x", "%2b", "9" * 30 + "-1", "١-١"])
def test_lines_of_the_audit_log_that_are_none(service, before):
    assert ask(service.address, "GET", f"/audit?before={before}", authorized(service)).status in (400, 422)
    assert ask(service.address, "GET", f"/admin/audit?before={before}", authorized(service)).status in (200, 400)


@pytest.mark.parametrize("date", ["1834-06-22", "1969-12-31", "0000-00-00", "2026-02-30", "2026-3-1", "-2026-03-01", "99999-01-01", "today", "%00", "２０２６-03-01"])
def test_days_that_are_none(service, date):
    key = service.call("POST", "/api/days/queues", {"queue_id": "q" + secrets.token_hex(4), "name": "Q"})
    reply = ask(service.address, "GET", f"/api/days/{key['queue_id']}/events.csv?date={date}", f"X-Admin-Key: {key['admin_key']}")
    assert reply.status == 400, reply.body


@pytest.mark.parametrize("query", [
    "skip=-1", "skip=1e99", "skip=nan", "limit=0", "limit=inf", "limit=1001", "limit=0x10", "limit=١", "skip=1.5", "limit=%", "limit=%ff", "limit=%00",
    "limit=" + "9" * 4000,
])
def test_queries_that_are_none(service, query):
    reply = ask(service.address, "GET", "/applications/?" + query, authorized(service))
    assert reply.status in (400, 422) and reply.code in ("validation_failed", "malformed_request")
