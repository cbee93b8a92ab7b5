"""An unmodified website behind a real proxy: whoever was not let in waits, and comes back with a pass."""

import pytest
from selenium.webdriver.common.by import By

import chromium
from deadline import until
from protected import Browser, Caddy, Envoy, HAProxy, Nginx, Traefik, Website
from test_passes import let_in


@pytest.fixture
def website():
    website = Website()
    yield website
    website.stop()


@pytest.fixture
def application(service):
    return service.make_application(domain="127.0.0.1")


@pytest.fixture(params=[Nginx, HAProxy, Caddy, Traefik, Envoy])
def proxy(request, service, queue, website, tmp_path):
    proxy = request.param(tmp_path, service.address, queue.id, website)
    yield proxy
    proxy.stop()


def returning(entry, target):
    return f"{target}{'&' if '?' in target else '?'}queue_pass={entry['pass']}"


def test_who_has_no_pass_is_sent_to_the_waiting_page(service, queue, website, proxy):
    browser = Browser(proxy)
    status, location = browser.get("/buy?size=9")
    back = f"{proxy.address}/buy?size=9".replace(":", "%3A").replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    assert (status, location) == (302, f"{service.address}/wait/{queue.id}?return_to={back}")
    assert website.seen == []


def test_a_pass_in_the_address_becomes_a_cookie_and_the_address_is_clean(queue, website, proxy):
    entry = let_in(queue)
    browser = Browser(proxy)
    assert browser.get(returning(entry, "/buy?size=9")) == (302, "/buy?size=9")
    assert website.seen == []
    assert browser.get("/buy?size=9") == (200, None)
    assert website.seen == [("/buy?size=9", "v", entry["id"])]


def test_who_it_is_only_the_pass_says(queue, website, proxy):
    entry = let_in(queue)
    browser = Browser(proxy)
    browser.cookies["queue_pass"] = entry["pass"]
    assert browser.get("/buy", {"X-Visitor-Id": "somebody else", "X-Entry-Id": "another"})[0] == 200
    assert website.seen == [("/buy", "v", entry["id"])]


@pytest.mark.parametrize("text", ["x", "", "e30.e30.c2ln"])
def test_a_forged_pass_opens_nothing(website, proxy, text):
    browser = Browser(proxy)
    assert browser.get(f"/buy?queue_pass={text}")[0] == 302
    browser.cookies["queue_pass"] = text
    assert browser.get("/buy")[0] == 302
    assert website.seen == [] and browser.cookies == {"queue_pass": text}


def test_another_queues_pass_opens_nothing(service, application, website, proxy):
    entry = let_in(service.make_queue(application))
    browser = Browser(proxy)
    assert "/wait/" in browser.get(returning(entry, "/buy"))[1]
    browser.cookies["queue_pass"] = entry["pass"]
    assert "/wait/" in browser.get("/buy")[1]
    assert website.seen == []


def test_a_revoked_pass_opens_nothing_a_second_later(service, queue, proxy):
    browser = Browser(proxy)
    browser.cookies["queue_pass"] = let_in(queue)["pass"]
    assert browser.get("/buy")[0] == 200
    service.call("POST", "/passes/revoke", {"pass": browser.cookies["queue_pass"]})
    until(lambda: browser.get("/buy")[0] == 302, "the revocation", seconds=1.5)


@pytest.mark.parametrize("queue", [{"session_seconds": 4}], indirect=True)
def test_who_is_still_there_stays_beyond_the_first_pass(queue, proxy):
    first = let_in(queue)["pass"]
    browser = Browser(proxy)
    browser.cookies["queue_pass"] = first

    def is_over():
        assert browser.get("/buy")[0] == 200
        other = Browser(proxy)
        other.cookies["queue_pass"] = first
        return other.get("/buy")[0] == 302

    until(is_over, "the first pass's end")
    assert browser.get("/buy")[0] == 200 and browser.cookies["queue_pass"] != first


def test_a_visitor_in_a_browser_waits_and_lands_where_they_wanted_to(queue, website, proxy):
    driver = chromium.start()
    try:
        driver.get(f"{proxy.address}/buy?size=9")
        assert f"/wait/{queue.id}" in driver.current_url and website.seen == []
        queue.set(max_users_per_minute=60)
        until(lambda: driver.title == "The shop", "the shop")
        assert driver.current_url == f"{proxy.address}/buy?size=9"
        assert driver.find_element(By.TAG_NAME, "h1").text == "Buy now"
        driver.get(f"{proxy.address}/pay")
        assert driver.title == "The shop"
    finally:
        driver.quit()
