"""Walk-in lines: customers on their phones, the screen, the desk."""

import io
import re

import pytest
import zxingcpp
from axe_core_python.selenium import Axe
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from counter import Counter
from deadline import until


# Customers


def test_a_customer_joins_moves_up_is_called_and_served(counter, page):
    ahead = [counter.join("Priya"), counter.join("Sam")]
    page.open(counter.address())
    page.wait_for("form .advice", "2 in line now")
    page.join("Alex Rivera")
    page.wait_for(".place-number", "3").wait_for("h2", "2 people are before you")
    assert page.texts(".figures dd")[1] == "About 12 minutes"
    assert counter.waiting() == ["Priya", "Sam", "Alex Rivera"]
    assert counter.call_next("1")["id"] == ahead[0]
    page.wait_for(".place-number", "2").wait_for("h2", "1 person is before you")
    counter.call_next("1")
    page.wait_for("h2", "You are next")
    counter.call_next("7")
    page.wait_for("h2", "It is your turn").wait_for(".place-text", "Please come to Desk 7 now.")
    assert "It is your turn" in page.driver.title
    counter.call("POST", "serve", {"desk": "7"})
    page.wait_for("h2", "Thank you")
    page.press("button.main").find("form")


def test_the_place_is_kept_over_a_reload_and_given_up_only_when_confirmed(counter, page):
    page.open(counter.address()).join("Sam")
    page.wait_for(".place-number", "1")
    page.driver.refresh()
    page.wait_for(".place-number", "1")
    assert counter.waiting() == ["Sam"]
    page.press("button.quiet").press("[role=group] button.main").press("button.quiet")
    assert counter.waiting() == ["Sam"]
    page.press("[role=group] button.quiet")
    page.wait_for("h2", "You left the line")
    assert counter.waiting() == []
    page.driver.refresh()
    page.wait_for("h2", "You left the line")
    page.press("button.main").find("form")


def test_no_show_and_being_put_back_are_seen(counter, page):
    page.open(counter.address()).join("Sam")
    page.wait_for(".place-number", "1")
    person = counter.call_next()["id"]
    page.wait_for(".place-text", "Please come to the desk now.")
    counter.call("POST", "no-show")
    page.wait_for("h2", "You were called")
    counter.call("POST", "return", {"user_id": person})
    page.wait_for("h2", "You are next")


def test_a_transfer_is_followed(counter, page):
    counter.service.call("POST", f"/api/{counter.tenant}/queues", {"queue_id": "billing", "name": "Billing"})
    counter.call("POST", "join", {"name": "Ann"}, queue="billing")
    page.open(counter.address()).join("Sam")
    page.wait_for("h2", "You are next")
    counter.call_next()
    counter.call("POST", "transfer", {"queue_id": "billing"})
    page.wait_for("h2", "1 person is before you").wait_for(".place-text", "You were transferred to billing.")


def test_a_missing_name_is_said_and_pressing_twice_takes_one_place(counter, page):
    page.open(counter.address()).press("button.main")
    page.wait_for(".problem", "Please enter your name.")
    assert page.driver.switch_to.active_element == page.find("input")
    page.find("input").send_keys("Sam")
    page.driver.execute_script("const form = document.querySelector('form'); form.requestSubmit(); form.requestSubmit()")
    page.wait_for(".place-number", "1")
    assert counter.waiting() == ["Sam"]


def test_by_keyboard_alone(counter, page):
    counter.type("GEN", "General Inquiry")
    page.open(counter.address())
    page.find("select")
    page.driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focus = page.driver.switch_to.active_element
    focus.send_keys("Sam", Keys.TAB)
    page.driver.switch_to.active_element.send_keys(Keys.ARROW_DOWN, Keys.TAB)
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait_for("h2", "You are next")
    # What changed is where the reader is.
    assert page.driver.switch_to.active_element == page.find("h2")
    assert counter.call("GET", "list")["queue"][0]["service_type_code"] == "GEN"


@pytest.mark.failed_requests
def test_lost_contact_is_said_and_mended(counter, page):
    page.open(counter.address()).join("Sam")
    page.wait_for(".place-number", "1")
    page.set_offline(True)
    page.wait_for("#notice", "We lost contact and keep trying. Nobody loses their place.")
    assert page.text(".place-number") == "1"
    page.set_offline(False)
    until(lambda: not page.shown("#notice"), "the notice goes away", seconds=60)


def test_the_operators_line_is_on_both_screens_and_goes_again(service, page):
    counter = Counter(service, "The line with a message")
    queue = next(one for one in service.call("GET", "/queues/?limit=1000") if one["name"] == "The line with a message")

    def set_message(text):
        service.call("PUT", f"/queues/{queue['id']}", {"message": text})

    for address in [counter.address(), counter.address("/kiosk")]:
        page.open(address)
        set_message("We open <b>at ten</b> today")
        page.wait_for("#message", "We open <b>at ten</b> today")
        set_message(None)
        until(lambda: not page.shown("#message"), "the line is gone")
    page.open(counter.address())
    page.join("Ann")
    set_message("Desk 2 is closed")
    page.wait_for("#message", "Desk 2 is closed")


def test_a_private_line_sends_to_the_desk(service, page):
    counter = Counter(service, is_public=False)
    page.open(counter.address())
    page.wait_for("h2", "This line is joined at the desk")
    assert not page.shown("input")


@pytest.mark.failed_requests
def test_a_line_that_does_not_exist_is_a_page_that_says_so(service, page):
    page.open(f"{service.address}/queue/acme/no-such-line")
    page.wait_for("h1", "This line does not exist")


# The screen


def test_the_screen_shows_and_announces_who_is_called(counter, page):
    for number in range(7):
        counter.join(f"P{number}")
    page.open(counter.address("/kiosk"))
    page.wait_for(".calls-none", "Please wait to be called")
    assert page.texts(".waiting .name") == ["P0", "P1", "P2", "P3", "P4"]
    page.wait_for(".waiting-count", "7 people").wait_for(".waiting ~ .advice", "and 2 more")
    counter.call_next("3")
    counter.call_next("Front counter")
    until(lambda: page.texts(".calls .name") == ["P1", "P0"], "both calls, the latest first")
    assert page.texts(".calls .desk") == ["Front counter", "Desk 3"]
    spoken = page.driver.find_element(By.CSS_SELECTOR, "[role=alert]")
    until(lambda: "P1, please come to Front counter." in spoken.get_attribute("textContent"), "the call is announced")
    counter.call("POST", "recall", {"desk": "3"})
    until(lambda: spoken.get_attribute("textContent") == "P0, please come to Desk 3.", "the second call is announced")
    counter.call("POST", "no-show", {"desk": "3"})
    until(lambda: page.texts(".calls .name") == ["P1"], "who did not come is gone")


def test_the_code_leads_to_the_public_page(counter, page):
    page.open(counter.address("/kiosk"))
    code = page.find(".kiosk-code img")
    until(lambda: page.driver.execute_script("return arguments[0].complete && arguments[0].naturalWidth > 0", code), "the code is drawn")
    found = zxingcpp.read_barcodes(Image.open(io.BytesIO(code.screenshot_as_png)))
    assert [each.text for each in found] == [f"{counter.service.address}/queue/{counter.tenant}/support"]
    page.open(found[0].text).find("form")


def test_hidden_names_stay_hidden(service, page):
    counter = Counter(service, names="hidden")
    counter.join("Secret Person")
    counter.join("Other Person")
    counter.call_next("1")
    page.open(counter.address("/kiosk"))
    until(lambda: page.texts(".calls .name") == ["Guest 1"] and page.texts(".waiting .name") == ["Guest 2"], "numbers for names")
    assert "Person" not in page.driver.page_source


def test_a_private_screen_asks_for_the_key(service, page):
    counter = Counter(service, is_public=False)
    counter.join("Sam")
    page.open(counter.address("/kiosk"))
    page.find("input[type=password]").send_keys(counter.key)
    page.press("button.main")
    until(lambda: page.texts(".waiting .name") == ["Sam"], "the line")


# The desk


@pytest.mark.failed_requests
def test_the_key_is_asked_for_once_a_tab_and_never_in_an_address(counter, page):
    page.open(counter.address("/desk"))
    page.find("input[type=password]").send_keys("wrong", Keys.ENTER)
    until(lambda: "does not open" in page.text(".problem"), "the wrong key is refused")
    page.open_desk(counter)
    page.wait_for(".desk-current h2", "At this desk: Desk 3")
    page.driver.refresh()
    page.wait_for(".desk-current h2", "At this desk: Desk 3")
    entries = page.driver.execute_script("return performance.getEntriesByType('resource').map(each => each.name)")
    assert not any(counter.key in address for address in entries + [page.driver.current_url])
    assert page.driver.execute_script("return JSON.stringify(localStorage)").find(counter.key) == -1
    page.driver.switch_to.new_window("tab")
    page.open(counter.address("/desk")).find("input[type=password]")


@pytest.mark.failed_requests
def test_a_clerks_day(counter, page):
    people = [counter.join(name) for name in ("Ann", "Bob", "Cay")]
    page.open_desk(counter)
    page.step("call-next").wait_for(".current-name", "Ann").wait_for("#notice", "Ann is called.")
    page.step("recall").wait_for("#notice", "Ann is called again.")
    until(lambda: "called 2 times" in page.text(".current-name + .advice"), "the count of calls")
    page.step("no-show").wait_for("#notice", "Ann did not come.").wait_for(".current-name", "—")
    page.step("call-next").wait_for(".current-name", "Bob")
    # Ann comes after all: she goes back to where she was, the first.
    page.press(".recent button").wait_for("#notice", "Ann is back in line.")
    until(lambda: page.texts(".desk-page .waiting .name") == ["Ann", "Cay"], "Ann before Cay")
    page.step("serve").wait_for("#notice", "Bob is done.").wait_for(".current-name", "—")
    page.step("undo").wait_for(".current-name", "Bob")
    page.step("return").wait_for("#notice", "Bob is back in line.")
    until(lambda: page.texts(".desk-page .waiting .name") == ["Ann", "Bob", "Cay"], "everybody where they were")
    page.step("undo").wait_for(".current-name", "Bob")
    page.step("undo").wait_for("#notice", "That did not work: This desk has nobody to do that to: call the next customer first")
    page.step("call-next").wait_for(".current-name", "Ann")
    assert counter.status(people[1])["status"] == "served"
    page.step("call-next").wait_for(".current-name", "Cay")
    page.step("call-next").wait_for("#notice", "Nobody is waiting.")
    assert page.texts(".figures dd")[:2] == ["0", "3"]
    until(lambda: page.text(".recent .what") == "served · Desk 3", "the last event")


def test_next_for_a_service_type_and_transfers(counter, page):
    counter.service.call("POST", f"/api/{counter.tenant}/queues", {"queue_id": "billing", "name": "Billing"})
    page.open_desk(counter)
    page.press("summary")
    for code, name in (("GEN", "General Inquiry"), ("RET", "Returns")):
        fields = page.driver.find_elements(By.CSS_SELECTOR, ".desk-settings form input")
        fields[0].send_keys(code)
        fields[1].send_keys(name, Keys.ENTER)
        until(lambda: f"{code} · {name}" in page.texts(".types bdi"), f"{name} among the types")
    types = {one["code"]: one["id"] for one in counter.call("GET", "service-types")["service_types"]}
    counter.join("Ann", service_type_id=types["GEN"])
    counter.join("Bob", service_type_id=types["RET"])
    page.choose(".desk-next select", "Returns").step("call-next").wait_for(".current-name", "Bob")
    page.choose(".desk-current form select", "General Inquiry").press(".desk-current form button")
    page.wait_for("#notice", "Bob was transferred.")
    until(lambda: page.texts(".desk-page .waiting .type") == ["General Inquiry"] * 2, "both wait for the same")
    page.choose(".desk-next select", "Anything").step("call-next").wait_for(".current-name", "Ann")
    page.choose(".desk-current form select", "Billing").press(".desk-current form button").wait_for("#notice", "Ann was transferred.")
    assert [row["name"] for row in counter.call("GET", "list", queue="billing")["queue"]] == ["Ann"]
    page.step("undo").wait_for("#notice", "The last step was undone: Ann.")
    until(lambda: page.texts(".desk-page .waiting .name") == ["Ann", "Bob"], "Ann is back")
    page.press("[aria-label='Delete Returns']")
    until(lambda: page.texts(".types bdi") == ["GEN · General Inquiry"], "the type is gone")


def test_a_clerk_adds_customers_without_a_phone(service, page):
    counter = Counter(service, is_public=False)
    counter.type("GEN", "General Inquiry")
    page.open_desk(counter)
    page.find(".waiting ~ form input").send_keys("Grandma")
    page.choose(".waiting ~ form select", "General Inquiry").press(".waiting ~ form button")
    page.wait_for("#notice", "Grandma is in line, at place 1.")
    until(lambda: page.texts(".desk-page .waiting li *")[:3] == ["1", "Grandma", "General Inquiry"], "her in the list")


def test_two_desks_see_each_other(counter, page, other_page):
    counter.join("Ann")
    counter.join("Bob")
    page.open_desk(counter, desk="1")
    other_page.open_desk(counter, desk="Front counter")
    page.step("call-next").wait_for(".current-name", "Ann")
    other_page.step("call-next").wait_for(".current-name", "Bob")
    until(lambda: page.texts(".others li *") == ["Front counter", "Bob", "called"], "the other desk's customer")


def test_the_days_table_is_downloaded(counter, page, tmp_path):
    counter.join("Ann")
    page.open_desk(counter)
    page.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    page.press(".recent + button")
    table = tmp_path / "support.csv"
    until(lambda: table.exists() and "JOIN" in table.read_text(), "the table")


# All three


@pytest.fixture(params=["", "/kiosk", "/desk"])
def busy_page(request, counter, page):
    """Each page of a line with somebody waiting and somebody called, in the language asked for."""
    def show(**query):
        type = counter.type("QRY", query.pop("type", "General Inquiry"))
        for name in query.pop("names", ["Priya", "Alex Rivera", "Sam"]):
            counter.join(name, service_type_id=type)
        counter.call_next("3")
        if request.param == "/desk":
            page.open_desk(counter, **query)
            page.find(".recent li")
        else:
            page.open(counter.address(request.param, **query))
            page.find("form" if request.param == "" else ".calls li")
        return page
    return show


def test_names_are_text_everywhere(busy_page, counter, page):
    evil = "<img src=x onerror=\"document.title='taken'\"> &amp; {{name}}"
    busy_page(names=[evil, evil, evil], type="<b>bold</b>")
    if page.shown("form button.main"):
        page.join(evil)
        until(lambda: page.text(".place-number") == "3", "the place")
    else:
        assert evil in page.texts("bdi")
    assert page.driver.title != "taken"
    assert not page.driver.find_elements(By.CSS_SELECTOR, "main img[src=x], main b")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_assistive_technology_finds_nothing_wrong(busy_page, page, theme):
    busy_page(theme=theme)
    found = Axe().run(page.driver)["violations"]
    assert not found, [(each["id"], [node["html"] for node in each["nodes"]]) for each in found]


def test_arabic_is_right_to_left_and_leaves_no_english(busy_page, page):
    busy_page(lang="ar", names=["سارة", "علي", "نور"], type="استفسار")
    assert page.driver.find_element(By.TAG_NAME, "html").get_attribute("dir") == "rtl"
    shown = page.driver.execute_script("""
        for (const each of document.querySelectorAll('h1, .address, .types')) each.remove();
        return document.querySelector('main').innerText;
    """)
    assert not re.search("[A-Za-z]", shown.replace("(CSV)", "")), shown


def test_a_phone_needs_no_sideways_scrolling(busy_page, page):
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True})
    busy_page(names=["Wolfeschlegelsteinhausenbergerdorff" * 3, "Maximiliane-Alexandra von und zu Hohenzollern-Sigmaringen", "Sam"])
    assert page.driver.execute_script("return document.documentElement.scrollWidth") <= 320
    small = page.driver.execute_script("""
        return [...document.querySelectorAll('button, select, input, summary')].filter(each => each.checkVisibility())
            .filter(each => each.getBoundingClientRect().height < 24).map(each => each.outerHTML)
    """)
    assert not small
