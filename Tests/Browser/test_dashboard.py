"""The dashboard at /admin: everything that operators see and do there."""

import json
import re
import secrets
import urllib.parse

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import chromium
from dashboard import Dashboard
from deadline import until
from room import Room
from service import EMAIL, ROOT, Answer, Service, running
from website import Page, Website

WEB = ROOT / "Sources" / "Gateway" / "Web"
PASSWORD = "correct horse battery"
# Markup that would do something, and a word that no line has room for.
HOSTILE = "<img src=x onerror=\"document.title='taken'\">'&amp;{{name}}" + "W" * 37

# Pages look for news every half second instead of every three.
HASTE = """
const pause = window.setTimeout;
window.setTimeout = (action, wait, ...rest) => pause(action, wait === 3000 ? 500 : wait, ...rest);
"""


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """One of this file's own: callbacks are soon given up, two in line are too many, and every queue fits the overview."""
    with running(Service(tmp_path_factory.mktemp("dashboard"), CALLBACK_MAX_ATTEMPTS="2", QUEUE_THRESHOLD="1")) as service:
        yield service


@pytest.fixture(scope="session")
def application(service):
    return service.make_application()


@pytest.fixture(scope="module")
def browser():
    driver = chromium.start()
    yield driver
    driver.quit()


@pytest.fixture
def driver(browser, request):
    """A new tab, without cookies: starting a browser takes longer than most of these tests."""
    first = browser.current_window_handle
    browser.switch_to.new_window("tab")
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": HASTE})
    yield browser
    browser.close()
    browser.switch_to.window(first)
    chromium.check_log(browser, request.node)


@pytest.fixture
def page(driver, service):
    return Dashboard(driver, service)


@pytest.fixture
def other_page(other_driver, service):
    return Dashboard(other_driver, service)


class InTurn(dict):
    """The pages of a website whose `/callback` answers with one status after the other, and goes on with the last."""

    def __init__(self, *statuses):
        self.statuses = list(statuses)

    def get(self, path, default):
        return Page("", self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0])


def make_user(service, role, application=None):
    email = f"{role}-{secrets.token_hex(4)}@example.com"
    draft = {"email": email, "role": role, "application_id": application and application["id"], "password": PASSWORD}
    return service.call("POST", "/users/", draft)


def session(service, user):
    """A token of this user's."""
    form = urllib.parse.urlencode({"username": user["email"], "password": PASSWORD}).encode()
    return service.call("POST", "/auth/login", form)["access_token"]


def story(service, entry):
    return service.call("GET", f"/queue_users/{entry['id']}")


def release(service, entry):
    service.call("POST", f"/queue_users/{entry['id']}/release")


# Signing in


@pytest.mark.failed_requests
def test_signing_in_and_out(service, queue, page):
    page.open(f"/admin/audit?queue_id={queue.id}").sign_in("not the password").wait_for(".problem", "Incorrect email or password")
    assert page.cookie is None
    page.sign_in(service.password).wait_for("h1", "Changes")
    assert page.driver.current_url.endswith(f"/admin/audit?queue_id={queue.id}"), "the page that was wanted"
    assert EMAIL in page.text(".who")
    assert page.driver.execute_script("return document.cookie") == "", "no script reads the session"
    cookie = page.cookie
    headers = {"Authorization": f"Bearer {cookie}"}
    assert service.call("GET", "/auth/me", headers=headers)["email"] == EMAIL
    page.press(".who button").find("#username")
    assert page.cookie is None
    with pytest.raises(Answer, match="401"):
        service.call("GET", "/auth/me", headers=headers)
    page.enter("/admin", cookie).find("#username")
    assert page.fetch("PUT", f"/queues/{queue.id}", {"name": "taken over"})[0] == 401


@pytest.mark.failed_requests
def test_a_page_whose_session_is_ended_asks_to_sign_in(service, queue, page):
    user = make_user(service, "viewer", queue.application)
    page.enter(f"/admin/queues/{queue.id}", session(service, user)).find("#people")
    service.call("DELETE", f"/users/{user['id']}")
    page.find("#username")
    assert queue.id not in page.text("main")


# Every page


class Office:
    """An application with something of everything that pages show, in words that are hard to show."""

    def __init__(self, service, receiver):
        self.service = service
        self.application = service.make_application(name=HOSTILE, callback_url=f"{receiver.address}/callback")
        self.queue = service.make_queue(self.application, name=HOSTILE, message=HOSTILE)
        self.visitors = set()
        self.waiting = self.join("first")
        self.join("second")
        self.user = make_user(service, "viewer", self.application)
        receiver.pages["/callback"] = Page("", 503, headers={"Retry-After": "500"})
        self.let_in("owed", "callback_pending")
        receiver.pages["/callback"] = Page("", 500)
        given_up = self.let_in("given up", "callback_dead")
        queue = f"/admin/queues/{self.queue.id}"
        self.pages = {
            "overview": "/admin", "queue": f"{queue}?search=zz", "rehearsal": f"{queue}?rehearse=1&visitors=500",
            "person": f"/admin/people/{self.waiting['id']}", "let in": f"/admin/people/{given_up['id']}", "given up": "/admin/callbacks",
            "owed": "/admin/callbacks?state=pending", "applications": "/admin/applications", "users": "/admin/users",
            "log": f"/admin/audit?queue_id={self.queue.id}", "failure": "/admin/queues/00000000-0000-0000-0000-000000000000",
            "sign-in": "/admin",
        }

    def join(self, visitor):
        entry = self.queue.join(f"{visitor} {HOSTILE}"[:64])
        self.visitors.add(entry["visitor_id"])
        return entry

    def let_in(self, visitor, event):
        entry = self.join(visitor)
        release(self.service, entry)
        settled = lambda: any(each["type"] == event and "0 failed" not in each["detail"] for each in story(self.service, entry)["events"])
        until(settled, f"{event} of {visitor}")
        return entry

    def show(self, page, name):
        """Opens a page with all that it folds away."""
        if name == "sign-in":
            page.driver.delete_cookie(Dashboard.COOKIE)
            page.open(self.pages[name])
        else:
            page.enter(self.pages[name])
        if name in ("overview", "queue"):
            page.find("[data-kind=bad]")
        page.driver.execute_script("for (const each of document.querySelectorAll('details')) each.open = true")
        return page


@pytest.fixture(scope="session")
def office(service):
    receiver = Website()
    try:
        yield Office(service, receiver)
    finally:
        receiver.stop()


@pytest.mark.failed_requests
def test_without_a_session_every_page_is_the_sign_in_and_nothing_else(office, page):
    page.open("/admin").find("#username")
    for name, path in office.pages.items():
        status, html = page.fetch("GET", path)
        assert status == 401, name
        assert 'name="password"' in html, name
        secrets = (office.application["api_key"], office.application["slug"], office.user["email"], "onerror")
        assert not any(secret in html for secret in secrets), name


@pytest.mark.failed_requests
def test_text_from_outside_stays_text(office, page):
    for name in office.pages:
        office.show(page, name)
        assert ("onerror" in page.driver.page_source) == (name not in ("failure", "sign-in")), name
        assert page.driver.title.endswith(" · Anteroom"), name
        assert not page.driver.find_elements(By.CSS_SELECTOR, "img, main script, [onerror]"), name
    # What is fetched anew goes another way into the page.
    office.show(page, "rehearsal")
    joined = office.queue.join("<b onclick='document.title=1'>new</b>")
    until(lambda: joined["visitor_id"] in page.texts("table a"), "the newcomer as text")
    assert not page.driver.find_elements(By.CSS_SELECTOR, "main b, [onclick]")


@pytest.mark.failed_requests
@pytest.mark.parametrize("lang, scheme", [("en", "light"), ("ar", "light"), ("en", "dark")])
def test_assistive_technology_finds_nothing_wrong(office, page, lang, scheme):
    # Another scheme is other colours and nothing else.
    options = {"resultTypes": ["violations"]} | ({"runOnly": ["color-contrast"]} if scheme == "dark" else {})
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    page.open(f"/admin?lang={lang}").find("#username")
    problems = {}
    for name in office.pages:
        office.show(page, name)
        for each in Axe().run(page.driver, options=options)["violations"]:
            problems.setdefault(each["id"], []).append((name, [node["html"] for node in each["nodes"]]))
    assert not problems


@pytest.mark.failed_requests
def test_arabic_is_right_to_left_and_leaves_no_english(office, page):
    words = json.loads((WEB / "ar.json").read_text()).values()
    known = re.compile("|".join(re.sub(r"\\{\w+\\}", ".*", re.escape(text)) for text in words))
    names = {each["name"] for each in office.service.call("GET", "/applications/")} | office.visitors
    page.open("/admin?lang=ar").find("#username")
    foreign = {}
    for name in office.pages:
        office.show(page, name)
        html = page.driver.find_element(By.TAG_NAME, "html")
        assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ar", "rtl"), name
        texts, told = page.driver.execute_script("""
            // Names and addresses are as their owners wrote them.
            for (const each of document.querySelectorAll("bdi, code, [dir=ltr], .brand, [lang=en], script, style")) each.remove();
            const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
            const texts = [];
            while (walker.nextNode()) {
                const { data, parentElement } = walker.currentNode;
                texts.push([data.trim(), parentElement.closest("time, svg") !== null]);
            }
            const attributes = ["aria-label", "title", "alt", "placeholder"];
            return [texts, [...document.querySelectorAll("*")].flatMap(each => attributes.map(name => each.getAttribute(name) ?? ""))];
        """)
        for text, is_formatted in texts:
            letters = re.search("[A-Za-z]" if is_formatted else r"[^\W\d_]", text)
            if letters and text not in names and not all(map(known.fullmatch, text.split(" · "))):
                foreign.setdefault(name, []).append(text)
        for text in told:
            if not re.fullmatch("[a-z.]*example.com(/callback)?", text) and re.search("[A-Za-z]", text):
                foreign.setdefault(name, []).append(text)
    assert not foreign


@pytest.mark.failed_requests
def test_a_phone_needs_no_sideways_scrolling(office, page):
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True})
    for name in office.pages:
        office.show(page, name)
        assert page.driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [320, 320], name
        small = page.driver.execute_script("""
            return [...document.querySelectorAll('button, select, input, summary, nav a')].filter(each => each.checkVisibility())
                .filter(each => !each.matches('.unseen') && each.getBoundingClientRect().height < 24).map(each => each.outerHTML)
        """)
        assert not small, name


@pytest.mark.failed_requests
def test_by_keyboard_alone(service, queue, page):
    page.open(f"/admin/queues/{queue.id}").find("#username")
    assert page.focus == page.find("#username")
    page.focus.send_keys(EMAIL, Keys.TAB)
    page.focus.send_keys(service.password, Keys.ENTER)
    page.wait_for("h1", "Sneaker drop")
    page.tab_to(".skip").send_keys(Keys.ENTER)
    page.tab_to("[name=state][value=paused] ~ button").send_keys(Keys.ENTER)
    page.wait_for("[data-live=figures] .badge", "Paused")
    # The button is disabled now; the focus stays beside it.
    until(lambda: page.focus == page.find("[data-live=steps]"), "the focus")
    page.focus.send_keys(Keys.TAB)
    assert page.focus.text == "Open"
    page.tab_to("#rate").send_keys(Keys.CONTROL + "a" + Keys.NULL + "120", Keys.TAB)
    page.focus.send_keys(Keys.SPACE)
    until(lambda: service.call("GET", f"/queues/{queue.id}")["max_users_per_minute"] == 120, "the rate")
    until(lambda: page.focus.text == "Save", "the focus on the button again")
    assert page.focus.value_of_css_property("outline-style") != "none"


@pytest.mark.failed_requests
def test_every_button_is_a_call_of_the_api_document(service, office, page):
    """The calls, with the fields of their forms, against /openapi.json."""
    calls = {}
    for name in office.pages:
        office.show(page, name)
        for call, fields in page.driver.execute_script("""
            return [...document.querySelectorAll("[data-api]")]
                .map(each => [each.dataset.api, [...each.elements].map(control => control.name).filter(name => name)]);
        """):
            calls.setdefault(call, set()).update(fields)
    templates = "".join(path.read_text() for path in WEB.glob("admin*.mustache"))
    of_templates = {re.sub(r"{{\w+}}", "*", call) for call in re.findall('data-api="(.*?)"', templates)}
    assert {re.sub(r"[0-9a-f-]{36}|msg_[\w-]+", "*", call) for call in calls} == of_templates, "a page shows each"

    document = service.call("GET", "/openapi.json")
    patterns = {re.compile(re.sub(r"{\w+}", "[^/]+", path)): operations for path, operations in document["paths"].items()}
    for call, fields in calls.items():
        method, address = call.split(" ")
        path, _, query = address.partition("?")
        found = [operations[method.lower()] for pattern, operations in patterns.items()
                 if pattern.fullmatch(path) and method.lower() in operations]
        assert len(found) == 1, call
        parameters = {each["name"] for each in found[0].get("parameters", []) if each["in"] == "query"}
        assert urllib.parse.parse_qs(query).keys() <= parameters, call
        contents = found[0].get("requestBody", {}).get("content", {})
        schema = next((content["schema"] for content in contents.values()), {})
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        assert fields <= schema.get("properties", {}).keys(), call


# What queues do


def test_the_overview_is_live(service, application, queue, page):
    tile = f".tile:has(a[href$='{queue.id}'])"
    page.enter("/admin").wait_for_figure("Waiting", "0", tile)
    page.driver.execute_script("window.sameDocument = true")
    drawn = page.driver.execute_script("return document.querySelector(arguments[0]).innerHTML", f"{tile} .chart")
    for number in range(3):
        queue.join(f"visitor-{number}")
    page.wait_for_figure("Waiting", "3", tile)
    assert page.driver.execute_script("return document.querySelector(arguments[0]).innerHTML", f"{tile} .chart") != drawn
    queue.set(max_users_per_minute=60_000)
    page.wait_for_figure("Let in", "3", tile).wait_for_figure("Waiting", "0", tile)
    assert page.figure("Asked a minute", tile) == "60,000"
    assert page.figure("Let in, last minute", tile) == "3"
    assert re.fullmatch(r"\d+:\d\d", page.figure("Wait, 95th percentile", tile))
    assert page.driver.execute_script("return window.sameDocument"), "no reload"


def test_the_whole_way_of_an_operator(service, page):
    page.enter("/admin/applications").send("POST /applications/", name="Spring", domain="shop.example.com")
    api_key, secret_key = until(lambda: page.texts(".once code"), "the keys")
    assert [each["name"] for each in service.call("GET", "/applications/", headers={"Authorization": f"Bearer {secret_key}"})] == ["Spring"]
    page.press(".once button")
    until(lambda: api_key in page.texts(".facts code"), "the application")
    for path in ("/admin/applications", "/admin/audit"):
        assert secret_key not in page.open(path).driver.page_source, "shown this once"

    page.open("/admin").send("POST /queues/", application_id="Spring", name="Spring sale", max_users_per_minute="0")
    page.wait_for("h1", "Spring sale")
    queue = page.driver.current_url.rsplit("/", 1)[1]
    for number in range(3):
        service.call("POST", "/join", {"queue_id": queue, "visitor_id": f"visitor-{number}"}, {"X-API-Key": api_key})
    until(lambda: page.texts("[data-live=people] a") == ["visitor-0", "visitor-1", "visitor-2"], "them in line")
    page.send(f"PUT /queues/{queue}", max_users_per_minute="60000").wait_for("#notice", "Saved.")
    page.wait_for("[data-figure=released]", "3").wait_for("[data-live=people] .advice", "Nobody waits.")
    page.open("/admin").wait_for_figure("Let in", "3", f".tile:has(a[href$='{queue}'])")


@pytest.mark.failed_requests
def test_pausing_opening_and_closing(service, application, queue, page, other_driver):
    open_queue = service.make_queue(application, max_users_per_minute=60_000)
    queue.set(max_users_per_minute=60_000)
    page.enter(f"/admin/queues/{queue.id}").wait_for("[data-live=figures] .badge", "Open")
    page.set_state("paused").wait_for("[data-live=figures] .badge", "Paused")
    first = queue.join("first")
    beside = open_queue.join("beside")
    until(lambda: story(service, beside)["status"] == "ready", "a release elsewhere")
    assert story(service, first)["status"] == "waiting"
    page.wait_for("[data-figure=waiting]", "1")
    page.set_state("open").wait_for("[data-live=figures] .badge", "Open").wait_for("[data-figure=released]", "1")
    page.set_state("closed").wait_for("[data-live=figures] .badge", "Closed")
    with pytest.raises(Answer, match="queue_closed"):
        queue.join("late")
    visitor = Room(other_driver).open(queue.page()).wait_for_state("closed")
    assert visitor.text("heading") == "The line is closed"


def test_a_sale_is_scheduled_with_one_form(service, queue, page):
    call = f"PUT /queues/{queue.id}"
    settings = lambda: service.call("GET", f"/queues/{queue.id}")
    page.enter(f"/admin/queues/{queue.id}").find("#people")
    # In the reader's time, to the minute, as the control has it.
    moment = page.driver.execute_script("""
        const moment = new Date(Date.now() + 86_400_000);
        moment.setSeconds(0, 0);
        const control = document.getElementById("opens");
        control.closest("details").open = true;
        control.value = new Date(moment - moment.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
        return moment.toISOString();
    """)
    page.send(call, pre_queue_order="as they came")
    until(lambda: settings()["opens_at"] == moment, "the opening is set")
    assert (settings()["pre_queue_order"], settings()["closes_at"]) == ("fifo", None)
    until(lambda: page.figure("Opens at"), "the page says when")
    page.open(f"/admin/queues/{queue.id}")
    assert page.driver.execute_script("return new Date(document.getElementById('opens').value).toISOString()") == moment
    page.driver.execute_script("document.getElementById('opens').value = ''")
    page.send(call, pre_queue_order="by lot")
    until(lambda: settings()["opens_at"] is None, "there is none any more")

    page.send(call, max_active_users="250", session_seconds="900")
    until(lambda: settings()["max_active_users"] == 250, "the capacity is set")
    assert settings()["session_seconds"] == 900 and settings()["session_renewal"]
    page.wait_for_figure("Inside", "0 / 250")
    page.send(call, invitations="required", challenge_bits="20")
    until(lambda: settings()["invitations"] == "required", "invitations are asked for")
    page.set_state("passthrough")
    until(lambda: settings()["state"] == "passthrough", "everybody goes in")


def test_a_message_reaches_those_who_wait(queue, page, other_driver):
    visitor = Room(other_driver).open(queue.page()).wait_for_place(1)
    page.enter(f"/admin/queues/{queue.id}").send(f"PUT /queues/{queue.id}", message="Doors open at ten.")
    until(lambda: visitor.text("message") == "Doors open at ten.", "the message")
    assert visitor.place == 1
    page.send(f"PUT /queues/{queue.id}", message="")
    until(lambda: visitor.text("message") == "", "the message to go")


def test_a_rehearsal_draws_what_the_api_says(service, queue, page):
    queue.join("somebody")
    page.enter(f"/admin/queues/{queue.id}")
    page.fill("#visitors", "1200").fill("#arrivals", "all in the first minute").fill("#minutes", "30").fill("#rehearse-rate", "60")
    page.press("form[action$='#rehearsal'] button").find("[data-figure=finished]")
    draft = {"visitors": 1200, "arrivals": "burst", "duration_minutes": 30, "max_users_per_minute": 60}
    forecast = service.call("POST", f"/queues/{queue.id}/rehearsals", draft)
    assert float(page.text("[data-figure=finished]").removesuffix(" min")) == pytest.approx(forecast["finished_after_minutes"], abs=0.01)
    median = round(forecast["wait_p50_seconds"])
    rehearsal = "section[aria-labelledby=rehearsal]"
    assert page.figure("Wait, median", rehearsal) == f"{median // 60}:{median % 60:02}"
    assert page.figure("Give up", rehearsal) == "0"
    most = max(point["waiting"] for point in forecast["waiting"])
    chart = page.find(f"{rehearsal} .chart[role=img]")
    assert f"(≤ {most:,})" in chart.get_attribute("aria-label")
    curve = chart.find_element(By.CSS_SELECTOR, ".curve.wait").get_attribute("d")
    assert curve.count("L") + 1 == len(forecast["waiting"])
    assert queue.length() == 1, "nobody was put in line"


# People


def test_a_person_is_found_and_let_in_by_hand(service, queue, page):
    people = [queue.join(f"customer-{name}-2026") for name in ("anna", "ben", "carla")]
    page.enter(f"/admin/queues/{queue.id}")
    page.fill("#search", "BEN-20").press("form[role=search] button")
    until(lambda: page.texts("table a") == ["customer-ben-2026"], "the one found")
    page.press("table a").wait_for("h1", "customer-ben-2026")
    assert page.texts(".story span") == ["joined, place 2"]
    assert page.figure("Place") == "2"
    page.send(f"POST /queue_users/{people[1]['id']}/release?queue_id={queue.id}")
    until(lambda: page.texts(".story span") == ["joined, place 2", f"let in · by {EMAIL}"], "the story to go on")
    assert page.figure("State") == "let in"
    assert not page.shown(".steps form"), "nothing is left to do"
    assert [story(service, each)["status"] for each in people] == ["waiting", "ready", "waiting"]
    page.press(".back a").fill("#search", people[1]["id"]).press("form[role=search] button")
    until(lambda: page.texts("table a") == ["customer-ben-2026"], "who was let in, by the id")


def test_a_person_is_taken_out_only_when_confirmed(service, queue, page):
    person = queue.join("anna")
    page.enter(f"/admin/people/{person['id']}")
    call = f"POST /queue_users/{person['id']}/cancel?queue_id={queue.id}"
    page.send(call).answer(False)
    assert story(service, person)["status"] == "waiting"
    page.send(call).answer(True)
    until(lambda: page.texts(".story span") == ["joined, place 1", f"left the line · by {EMAIL}"], "the story to go on")
    assert story(service, person)["status"] == "rejected"


def test_a_callback_given_up_is_sent_again(service, website, page):
    website.pages = InTurn(500, 500, 500, 200)
    application = service.make_application(name="Bakery", callback_url=f"{website.address}/callback")
    queue = service.make_queue(application)
    person = queue.join("anna")
    release(service, person)
    page.enter("/admin").wait_for_figure("Callbacks given up", "1", f".tile:has(a[href$='{queue.id}'])")
    page.open(f"/admin/callbacks?queue_id={queue.id}").find("tbody td")
    _, state, _, who, attempts, problem, _ = page.texts("tbody td")
    assert (state, who, attempts, problem) == ("Given up", "anna", "2", "HTTP 500")
    page.press("td form button")
    page.wait_for("[data-live=callbacks] .advice", "There are none.")
    page.open(f"/admin/people/{person['id']}")
    until(lambda: page.texts(".story span")[-1] == "callback delivered at attempt 2", "the delivery")
    assert len(website.posts) == 4
    page.open(f"/admin/callbacks?queue_id={queue.id}&state=delivered").find("td a")
    assert page.texts("tbody td")[3:5] == ["anna", "2"]


def test_all_callbacks_of_an_application_are_sent_again(service, website, page):
    website.pages = InTurn(500)
    application = service.make_application(name="Butcher", callback_url=f"{website.address}/callback")
    queue = service.make_queue(application)
    for visitor in ("anna", "ben"):
        release(service, queue.join(visitor))
    page.enter(f"/admin/callbacks?queue_id={queue.id}")
    until(lambda: len(page.texts("td a")) == 2, "both given up")
    website.pages = InTurn(200)
    page.send(f"POST /callbacks/resend?application_id={application['id']}").answer(True)
    page.wait_for("[data-live=callbacks] .advice", "There are none.")
    until(lambda: not page.shown("form[data-confirm]"), "nothing to send again")


# Applications, users, the log


def test_rotated_keys_are_shown_once_and_the_old_ones_end(service, page):
    application = service.make_application(name="Florist")
    queue = service.make_queue(application)
    queue.join("with the first key")
    page.enter("/admin/applications").send(f"POST /applications/{application['id']}/rotate_keys", grace_seconds="0").answer(True)
    api_key, secret_key = until(lambda: page.texts(".once code"), "the keys")
    assert page.focus == page.find(".once")
    page.press(".once button")
    until(lambda: api_key in page.texts(".facts code"), "the new key")
    assert secret_key not in page.driver.page_source
    with pytest.raises(Answer, match="401"):
        queue.join("with the old key")
    queue.application["api_key"] = api_key
    queue.join("with the new key")


@pytest.mark.failed_requests
def test_roles_hold_on_every_page_and_change_at_once(service, application, queue, page, other_page):
    email = f"nora-{secrets.token_hex(4)}@example.com"
    other_queue = service.make_queue(service.make_application(name="Elsewhere"), name="Not theirs")
    page.enter("/admin/users").send(
        "POST /users/", email=email, role="Viewer of an application", application_id="Shop", password=PASSWORD)
    row = until(lambda: next((each for each in service.call("GET", "/users/") if each["email"] == email), None), "the account")
    assert (row["role"], row["application_id"]) == ("viewer", application["id"])

    own = f"PUT /users/{row['id']}"
    person = queue.join("anna")
    other_page.open("/admin").sign_in(PASSWORD, email).find(".tiles")
    for path in ("/admin", f"/admin/queues/{queue.id}", f"/admin/people/{person['id']}", "/admin/callbacks", "/admin/applications",
                 "/admin/users", "/admin/audit"):
        other_page.open(path)
        calls = other_page.driver.execute_script("return [...document.querySelectorAll('[data-api]')].map(each => each.dataset.api)")
        assert set(calls) <= {"POST /auth/logout", own}, path
        assert "Not theirs" not in other_page.driver.page_source, path
        assert application["api_key"] not in other_page.driver.page_source, path
    other_page.open(f"/admin/queues/{other_queue.id}").wait_for("h1", "That did not work")
    assert other_page.fetch("GET", f"/admin/queues/{other_queue.id}")[0] == 404
    for call, body, status in [
        (f"PUT /queues/{queue.id}", {"state": "closed"}, 403), (f"DELETE /queues/{queue.id}", None, 403),
        (f"POST /queue_users/{person['id']}/cancel", None, 403), (f"POST /applications/{application['id']}/rotate_keys", {}, 403),
        ("POST /applications/", {"name": "Mine", "domain": "x.example"}, 403), ("GET /users/", None, 403),
        (own, {"role": "super_admin"}, 422), (own, {"role": "app_admin"}, 403), (f"GET /queues/{other_queue.id}", None, 404),
    ]:
        assert other_page.fetch(*call.split(" "), body)[0] == status, call

    form = page.form(own, "role")
    page.press(f"details:has(form[data-api='{own}']) summary").fill(f"{form} [name=role]", "Admin of an application")
    page.press(f"{form} button").wait_for("#notice", "Saved.")
    other_page.open(f"/admin/queues/{queue.id}").set_state("paused").wait_for("[data-live=figures] .badge", "Paused")
    assert other_page.fetch("POST", "/applications/", {"name": "Mine", "domain": "x.example"})[0] == 403


def test_the_log_says_who_changed_what(service, queue, page):
    page.enter(f"/admin/queues/{queue.id}").send(f"PUT /queues/{queue.id}", max_users_per_minute="25.5").wait_for("#notice", "Saved.")
    page.press(f"a[href='/admin/audit?queue_id={queue.id}']").wait_for("h1", "Changes")
    newest = ".story li:first-child"
    assert page.texts(f"{newest} bdi") == [EMAIL, "Sneaker drop"]
    assert page.texts(f"{newest} code") == ["queue.update", "max_users_per_minute"]
    assert (page.text(f"{newest} del"), page.text(f"{newest} ins")) == ("0", "25.5")
    assert page.texts(".story li:last-child code")[0] == "queue.create"


@pytest.mark.failed_requests
def test_what_the_api_refuses_is_said_beside_the_button(service, queue, page):
    page.enter(f"/admin/queues/{queue.id}")
    page.driver.execute_script("for (const form of document.forms) form.noValidate = true")
    page.send(f"PUT /queues/{queue.id}", max_users_per_minute="2000000")
    form = page.form(f"PUT /queues/{queue.id}", "max_users_per_minute")
    until(lambda: page.text(f"{form} .problem").startswith("max_users_per_minute: "), "what is wrong")
    assert page.texts(".problem:not(:empty)") == page.texts(f"{form} .problem"), "nowhere else"
    assert page.find(f"{form} input").get_attribute("value") == "2000000", "what was typed stays"
    page.send(f"PUT /queues/{queue.id}", max_users_per_minute="20").wait_for("#notice", "Saved.")
    assert page.text(f"{form} .problem") == ""
    page.open("/admin/users").send("POST /users/", email=EMAIL.upper(), role="Super admin: everything", password=PASSWORD)
    page.wait_for(f"{page.form('POST /users/')} .problem", "This e-mail address has an account: change that one")


# Other websites


@pytest.mark.failed_requests
def test_other_websites_change_and_read_nothing(service, queue, website, page):
    person = queue.join("anna")
    before = service.call("GET", f"/queues/{queue.id}")
    token = session(service, make_user(service, "super_admin"))
    forms = [f"{service.address}{path}" for path in (
        "/auth/logout", f"/queues/{queue.id}", f"/queue_users/{person['id']}/cancel", f"/queue_users/{person['id']}/release")]
    calls = [["PUT", f"{service.address}/queues/{queue.id}", {"state": "closed"}], ["DELETE", f"{service.address}/queues/{queue.id}", None],
             ["GET", f"{service.address}/queues/", None], *(["POST", form, None] for form in forms)]
    website.pages["/"] = Page("<!doctype html><title>Elsewhere</title>" + "".join(
        f'<form method="post" action="{address}"><input name="state" value="closed"></form>' for address in ["/landing", *forms]))
    page.enter("/admin", token).find(".tiles")
    # Another port is the same site: there the browser sends the cookie along. Another host is not.
    for address, sends_cookie in [(website.address, True), (website.address.replace("127.0.0.1", "localhost"), False)]:
        for number in range(len(forms) + 1):
            page.driver.get(f"{address}/")
            page.driver.execute_script("document.forms[arguments[0]].submit()", number)
            until(lambda: page.driver.title != "Elsewhere", "the answer to the form")
        assert (f"{Dashboard.COOKIE}=" in website.posts.pop()[1].get("Cookie", "")) == sends_cookie
        page.driver.get(f"{address}/")
        answers = page.driver.execute_async_script("""
            const [calls, done] = arguments;
            const ask = (mode, headers) => ([method, address, body]) => fetch(address, {
                method, mode, headers, body: body && JSON.stringify(body), credentials: "include",
            }).then(answer => answer.type, () => "refused");
            const simple = calls.filter(([method]) => method === "POST");
            Promise.all([
                ...calls.map(ask("cors", { "X-Anteroom-Page": "1", "Content-Type": "application/json" })), ...calls.map(ask("cors", {})),
                ...simple.map(ask("no-cors", {})),
            ]).then(done);
        """, calls)
        assert set(answers) == {"refused", "opaque"}
        assert answers.count("opaque") == len(forms), "what they cannot read they may send"
    refusals = [line["message"] for line in page.driver.get_log("browser") if line["source"] == "javascript"]
    assert refusals and all("CORS policy" in message for message in refusals)
    assert service.call("GET", f"/queues/{queue.id}") == before
    assert story(service, person)["status"] == "waiting"
    page.open("/admin").find(".tiles")


