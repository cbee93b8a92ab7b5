"""queue.js on somebody else's page."""

import urllib.parse

import pytest
from selenium.webdriver.common.by import By

from deadline import until
from website import Page

RECORD = """
window.seen = [];
for (const type of ["position", "ready", "expired", "cancelled", "error"]) {
  QueueManager.current?.addEventListener(type, (event) => {
    window.seen.push([type, event.detail.position ?? null]);
    if (window.stay) event.preventDefault();
  });
}
"""


def script_tag(service, **query):
    address = f"{service.address}/scripts/queue.js?{urllib.parse.urlencode(query)}"
    return f'<script src="{address.replace("&", "&amp;")}"></script>'


def page(head, body="", **headers):
    return Page(f"<!doctype html><meta charset=utf-8><title>A shop</title>{head}<h1>Shop</h1>{body}", headers=headers)


def arrive(room, website, queue, visitor="visitor123", path="/"):
    return room.open(f"{website.address}{path}?queue_id={queue.id}&visitor_id={urllib.parse.quote(visitor)}")


@pytest.fixture
def shop(service, application, website):
    """A page with the script tag of the documentation, and one line that notes the events."""
    tag = script_tag(service, app_id=application["id"], callback_url=f"{website.address}/landing")
    website.pages["/"] = page(tag + f"<script>{RECORD}</script>")
    return website


def test_starts_by_itself_and_fires_events(shop, queue, room):
    arrive(room, shop, queue).wait_for_place(1)
    assert room.driver.find_element(By.CSS_SELECTOR, "body > #queue-status:last-child")
    assert ["position", 1] in room.driver.execute_script("return window.seen")
    room.driver.execute_script("window.stay = true")
    queue.set(max_users_per_minute=60)
    until(lambda: ["ready", None] in room.driver.execute_script("return window.seen"), "the ready event")
    assert room.driver.title == "A shop", "a prevented ready event keeps the page"


def test_ready_goes_to_the_callback_address(shop, queue, room):
    arrive(room, shop, queue).wait_for_place(1)
    queue.set(max_users_per_minute=60)
    until(lambda: room.driver.title == "Landing", "the callback address")


def test_leaving_fires_cancelled(shop, queue, room):
    arrive(room, shop, queue).wait_for_place(1)
    room.click("leave")
    room.click("leave-yes")
    room.wait_for_state("cancelled")
    assert ["cancelled", None] in room.driver.execute_script("return window.seen")


def test_without_the_address_nothing_starts(shop, room):
    room.open(f"{shop.address}/")
    assert room.driver.execute_script("return [typeof QueueManager, QueueManager.current, document.querySelector('#queue-status')]") == [
        "function", None, None]


def test_a_visitor_id_with_markup_stays_text(shop, queue, room, service):
    visitor = "\"><img src=x onerror=alert(1)>'"
    arrive(room, shop, queue, visitor).wait_for_place(1)
    assert [entry["visitor_id"] for entry in service.call("GET", f"/queue_users?queue_id={queue.id}")] == [visitor]
    assert not room.driver.find_elements(By.TAG_NAME, "img")


@pytest.mark.failed_requests
def test_an_unknown_queue_is_an_error_with_a_way_on(shop, queue, room):
    queue.id = "00000000-0000-0000-0000-000000000000"
    arrive(room, shop, queue).wait_for_state("refused")
    assert ["error", None] in room.driver.execute_script("return window.seen")
    assert room.find("again").is_displayed()


def test_driven_by_hand(service, application, website, queue, room):
    """The advanced integration: an own element, own options, every method."""
    website.pages["/"] = page(script_tag(service), '<div id="mine"></div>')
    room.open(f"{website.address}/")
    answer = room.driver.execute_async_script("""
        const [apiKey, queueId, done] = arguments;
        (async () => {
          const manager = new QueueManager({ apiKey, lang: "en", theme: "dark", pollInterval: 200, element: "#mine" });
          const joined = await manager.joinQueue(queueId, "by hand");
          manager.stopPolling();
          const asked = await manager.checkStatus();
          const shown = document.querySelector("#mine").dataset.theme + document.querySelector("#mine .anteroom-value").textContent;
          manager.startPolling();
          const cancelled = await manager.cancel();
          const state = document.querySelector("#mine").dataset.state;
          manager.destroy();
          done([joined.id === asked.id, asked.status, shown, cancelled, state, document.querySelector("#mine").childElementCount]);
        })();
    """, application["api_key"], queue.id)
    assert answer == [True, "waiting", "dark1", True, "cancelled", 0]
    assert queue.length() == 0


@pytest.mark.failed_requests
def test_leaving_too_late_is_being_let_in(service, shop, queue, room):
    """Between two polls it became the visitor's turn: what was meant to give the place up must not lose it."""
    arrive(room, shop, queue).wait_for_place(1)
    room.driver.execute_script("QueueManager.current.stopPolling()")
    queue.set(max_users_per_minute=60)
    until(lambda: service.call("GET", f"/queue_users?queue_id={queue.id}&status=ready"), "the release")
    room.click("leave")
    room.click("leave-yes")
    until(lambda: room.driver.title == "Landing", "the way in")


def test_options_choose_another_language_than_the_scripts(service, application, website, queue, room):
    website.pages["/"] = page(script_tag(service))
    room.open(f"{website.address}/")
    room.driver.execute_script(
        "new QueueManager({ apiKey: arguments[0], lang: 'ar' }).joinQueue(arguments[1], 'someone')", application["api_key"], queue.id)
    room.wait_for_state("waiting")
    host = room.driver.find_element(By.ID, "queue-status")
    assert (host.get_attribute("lang"), host.get_attribute("dir")) == ("ar", "rtl")
    assert room.text("heading") == "أنت التالي"


def test_works_under_a_strict_content_policy(service, application, website, queue, room):
    """A site that forbids inline styles and scripts still shows the widget as designed."""
    policy = f"default-src 'none'; script-src {service.address}; connect-src {service.address}; style-src 'self'"
    website.pages["/"] = page(script_tag(service, app_id=application["id"]), **{"Content-Security-Policy": policy})
    arrive(room, website, queue).wait_for_place(1)
    assert room.driver.find_element(By.ID, "queue-status").value_of_css_property("border-top-left-radius") == "16px"
    assert room.find("bar").size["width"] > 0


def test_only_web_addresses_are_followed(service, application, website, queue, room):
    website.pages["/"] = page(script_tag(service))
    room.open(f"{website.address}/")
    room.driver.execute_script(
        "new QueueManager({ apiKey: arguments[0], callbackUrl: 'javascript:document.title=\"owned\"' }).joinQueue(arguments[1], 'someone')",
        application["api_key"], queue.id)
    room.wait_for_state("waiting")
    queue.set(max_users_per_minute=60)
    room.wait_for_state("ready")
    assert room.driver.title == "A shop"
    assert not room.find("forward").is_displayed()
