"""Names and visitor ids: any Unicode but what controls or reverses, counted and compared as promised."""

import unicodedata

import pytest

from service import Answer

REFUSED = [chr(code) for code in [*range(0x20), 0x7F, *range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029]]
ALLOWED = ["\u200b", "\u200d", "\ufeff", "\u00ad", "\u200e", "\u2060", "\U000e0041", "\ufffd", "\uffff", "\U0010ffff", "\ue000", "\u0301", "漢", "🧑‍🚀",
           "\u3000", "\u00a0", "<", "&", '"', "'", "\\", "%00", "{{", "\u0627"]


def join(service, queue, visitor):
    return service.call("POST", "/join", {"queue_id": queue.id, "visitor_id": visitor}, {"X-API-Key": queue.application["api_key"]})


def refusal(call):
    with pytest.raises(Answer) as answer:
        call()
    return answer.value.status


def test_controls_and_overrides_are_refused_everywhere(service, application, queue):
    identifier = application["id"]
    service.call("POST", "/api/names/queues", {"queue_id": "q", "name": "Q"})
    for character in REFUSED:
        text = f"a{character}b"
        assert refusal(lambda: join(service, queue, text)) == 422, hex(ord(character))
        assert refusal(lambda: service.call("PUT", f"/queues/{queue.id}", {"name": text})) == 422
        assert refusal(lambda: service.call("PUT", f"/queues/{queue.id}", {"message": text})) == 422
        assert refusal(lambda: service.call("PUT", f"/applications/{identifier}", {"name": text})) == 422
        assert refusal(lambda: service.call("POST", "/api/names/q/join", {"name": text})) == 400
        assert refusal(lambda: service.call("POST", "/api/names/queues", {"queue_id": "x", "name": text})) == 400


def test_all_else_is_given_back_as_it_came(service, queue):
    for character in ALLOWED:
        text = f"a{character}b"
        place = join(service, queue, text)
        assert place["visitor_id"] == text
        assert service.call("GET", f"/queue_status?token={place['token']}")["visitor_id"] == text
    listed = service.call("GET", f"/queue_users?queue_id={queue.id}&limit=1000")
    assert {entry["visitor_id"] for entry in listed} == {f"a{character}b" for character in ALLOWED}


def test_lengths_are_counted_in_characters(service, queue):
    for character in ["a", "é", "e\u0301", "漢", "🧑", "\U0010ffff"]:
        longest = (character * 64)[:64]
        assert join(service, queue, longest)["visitor_id"] == longest
        assert refusal(lambda: join(service, queue, longest + character[0])) == 422
    assert refusal(lambda: join(service, queue, "")) == 422


def test_two_spellings_are_two_visitors(service, application):
    """Compared byte by byte: what looks the same, or is the same to Unicode, proves nothing."""
    queue = service.make_queue(application, unique_visitors=True)
    spellings = ["Jos\u00e9", unicodedata.normalize("NFD", "Jos\u00e9"), "jos\u00e9", "Jos\u00e9\u200b", "\ufeffJos\u00e9", "Jose\u0301\u200d", " Jos\u00e9", "Ｊosé",
                 "Jоsé"]
    places = {text: join(service, queue, text)["id"] for text in spellings}
    assert len(set(places.values())) == len(spellings)
    assert {text: join(service, queue, text)["id"] for text in spellings} == places


def test_slugs_and_keys_of_ours_have_no_second_spelling(service):
    service.call("POST", "/api/spelled/queues", {"queue_id": "line", "name": "Line"})
    for tenant, queue in [("Spelled", "line"), ("spelled", "LINE"), ("spelled\u200b", "line"), ("spelled", "ｌine"), ("spelled", "line%20")]:
        path = f"/api/{urlquote(tenant)}/queues/{urlquote(queue)}"
        assert refusal(lambda: service.call("GET", path)) == 404
    for slug in ["", " ", ".", "..", "queues", "a/b", "a b", "é", "a\u0301", "x" * 65, "a%", "ａ"]:
        assert refusal(lambda: service.call("POST", "/api/spelled/queues", {"queue_id": slug, "name": "x"})) == 400


def urlquote(text):
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02x}" for byte in text.encode())
