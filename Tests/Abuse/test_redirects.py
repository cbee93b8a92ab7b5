"""Addresses to return to: whatever tricks one is written with, a visitor is sent to the application's domain or nowhere."""

import itertools
import os
import urllib.parse

import pytest

import chromium
from service import Answer
from wire import Wire, ask, request

DOMAIN = "shop.example"
TRUE = [
    "https://shop.example", "https://shop.example/", "http://shop.example/a?b=c#d", "https://www.shop.example/", "https://shop.example:8443/x",
    "HTTPS://SHOP.EXAMPLE/x", "https://a.b.shop.example/?next=https://evil.example", "https://shop.example/@evil.example",
]
SCHEMES = [
    "https://", "http://", "HtTpS://", "https:", "https:/", "https:///", "https:\\\\", "https:\\/", "//", "///", "\\\\", "/\\", "/", "", "ftp://",
    "javascript:", "javascript://", "data:text/html,", "vbscript:", "file://", "blob:https://", "view-source:https://", "feed:https://", " https://",
    "\thttps://", "ht\ntps://", "https://\t", "\x01https://", "https&colon;//", "//https://",
]
AUTHORITIES = [
    "shop.example", "evil.example", "evil.example/shop.example", "evil.example?shop.example", "evil.example#shop.example",
    "evil.example\\shop.example", "evil.example\\@shop.example", "shop.example@evil.example", "shop.example:x@evil.example", "@evil.example",
    "evil.example@shop.example", "shop.example%40evil.example", "evil.example%2f.shop.example", "evil.example%23.shop.example",
    "evil.example%3f.shop.example", "evil.example%5c.shop.example", "evil.example%00.shop.example", "evil.example%20.shop.example",
    "shop%2eexample", "shop.example.evil.example", "evilshop.example", "evil-shop.example", "shop.example.", "shop.example..", ".shop.example",
    "shop。example", "shop.example。evil.example", "ѕhop.example", "shop.eⓧample", "shop.example\u00ad", "shop\u200b.example", "ｓhop.example", "shop.example:",
    "shop.example:443:evil.example", "shop.example:@evil.example", "evil.example:443#@shop.example", "evil.example:shop.example", "[::1]",
    "[::ffff:127.0.0.1]", "[shop.example]", "127.0.0.1", "2130706433", "0x7f.1", "localhost", "evil.example;shop.example", "evil.example,shop.example",
    "evil.example|.shop.example", "evil.example^.shop.example", "evil.example<.shop.example", "evil.example .shop.example", "evil.example\t.shop.example",
    "evil.example\n.shop.example", "evil.example&.shop.example", "evil.example'.shop.example", 'evil.example".shop.example', "evil.example*.shop.example",
    "xn--shop-9ka.example", "shop.example%E3%80%82evil.example", "shop.example%00evil.example", "shop.example\x00.evil.example",
]
TAILS = ["", "/", "/checkout", "//evil.example", "?x=1", "#x", "\\evil.example", "/%0d%0aLocation:%20https://evil.example"]


@pytest.fixture(scope="module")
def driver():
    driver = chromium.start()
    try:
        yield driver
    finally:
        driver.quit()


def is_ours(driver, address):
    """Where Chromium would go by this address; a relative one leads to the waiting room itself."""
    where = driver.execute_script(
        "try { const url = new URL(arguments[0], 'https://wait.invalid/wait/x'); return [url.protocol, url.hostname]; } catch { return null; }", address)
    return where is None or (where[0] in ("http:", "https:") and (where[1] == DOMAIN or where[1].endswith("." + DOMAIN) or where[1] == "wait.invalid"))


def test_a_browser_is_sent_to_the_domain_or_nowhere(service, application, queue, driver):
    """Chromium is the judge of what was let pass. Both ways that an address comes by: the hosted page and the script."""
    schemes, authorities = (SCHEMES, AUTHORITIES) if "SOAK" in os.environ else (SCHEMES[:1], AUTHORITIES[:12])
    candidates = TRUE + ["".join(parts) for parts in itertools.product(schemes, AUTHORITIES, TAILS)]
    candidates += ["".join(parts) for parts in itertools.product(SCHEMES, authorities)]
    passed = {}
    with Wire(service.address) as wire:
        for candidate in candidates:
            quoted = urllib.parse.quote(candidate, safe="", errors="surrogatepass")
            page = wire.send(request("GET", f"/wait/{queue.id}?return_to={quoted}")).reply()
            script = wire.send(request("GET", f"/scripts/queue.js?app_id={application['id']}&callback_url={quoted}")).reply()
            assert page.status in (200, 422) and script.status in (200, 422), candidate
            assert page.status == script.status, candidate
            passed[candidate] = page.status == 200
    assert all(passed[address] for address in TRUE)
    assert sum(passed.values()) < len(candidates) / 4
    assert [address for address, passes in passed.items() if passes and not is_ours(driver, address)] == []


def test_only_the_last_of_several_addresses_counts_for_both(service, queue):
    """What is checked is what the page gets."""
    good, evil = "https://shop.example/good", "https://evil.example/bad"
    for query in [f"return_to={good}&return_to={evil}", f"return_to={evil}&return_to={good}", f"return_to%20={evil}", f"return_to[]={evil}",
                  f"Return_To={evil}", f"return_to={good}%26return_to={evil}"]:
        reply = ask(service.address, "GET", f"/wait/{queue.id}?{query}")
        if reply.status == 200:
            assert b"evil.example/bad" not in reply.body.replace(b"return_to=https://evil.example/bad", b"")


@pytest.mark.parametrize("address", [
    "javascript:alert(1)", "JAVASCRIPT:alert(1)", "java\tscript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "//evil.example",
    "/relative", "relative", "", " ", "https://", "https:///x", "http:evil.example", "https://user@shop.example", "https://user:pass@shop.example",
    "https://shop.example\\x", "https://shop .example", "https://shop.example/\n", "https://ｓhop.example", "https://%73hop.example", "ftp://shop.example",
    "https://shop.example/" + "a" * 2048, "https://[::1", "https://shop.example:99999", "https://shop.example:-1", "https://shop.example:x",
    'https://shop.example/"', "https://shop.example/<script>", "https://shop.example/`", "https://shop.example/{x}", "https://shop.example/?a|b",
])
def test_addresses_that_no_application_may_have(service, application, queue, address):
    for path, field in [
        (f"/applications/{application['id']}", "callback_url"), (f"/applications/{application['id']}", "redirect_url"), (f"/queues/{queue.id}", "redirect_url"),
    ]:
        with pytest.raises(Answer) as answer:
            service.call("PUT", path, {field: address})
        assert answer.value.status == 422, (field, address)


def test_hosts_to_return_to_are_host_names(service, queue):
    for host in ["", " ", "*", "*.example", "https://shop.example", "shop.example/x", "shop.example:80", "shop.example?", "user@shop.example", "a b", "é.example",
                 "shop.example#", "%73hop.example", "shop.example\\x"]:
        with pytest.raises(Answer) as answer:
            service.call("PUT", f"/queues/{queue.id}", {"return_hosts": ["shop.example", host]})
        assert answer.value.status == 422, host
