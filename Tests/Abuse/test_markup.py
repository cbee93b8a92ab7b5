"""Markup in every field that is stored or shown, on every page, in a real Chromium whose content security policy is switched off: it must not be
needed."""

import urllib.parse

import pytest

import chromium
from counter import Page
from dashboard import Dashboard
from deadline import until
from wire import ask

# What tells of a page that ran something it was given, and by which field.
WATCH = "window.ran = []; window.hit = (field) => { window.ran.push(field) }; window.alert = hit; window.print = hit;"


def payload(field, length):
    """Ends whatever text, attribute, element or script it stands in, and then runs."""
    longest = f"</script></style></title></textarea>'\"><img src=x onerror=hit({field})><svg onload=hit({field})>{{{{{{x}}}}}}"
    short = f"'\"><img src=x onerror=hit({field})>"
    return longest if len(longest) <= length else short


def address(field):
    """An address that may be stored: it ends an attribute in single quotes only."""
    return f"https://shop.example/'/autofocus/onfocus='hit({field})'/onload='hit({field})"


def return_address(field):
    """One that visitors bring along."""
    return f"https://shop.example/\"'><img/src=x/onerror=hit({field})></script><svg/onload=hit({field})>"


@pytest.fixture
def driver():
    driver = chromium.start()
    try:
        driver.execute_cdp_cmd("Page.enable", {})
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": WATCH})
        yield driver
    finally:
        driver.quit()


class Stage:
    """A service with markup wherever it takes text."""

    def __init__(self, service):
        self.service = service
        self.application = service.make_application(name=payload(1, 100), domain="shop.example", redirect_url=address(2))
        self.queue = service.make_queue(
            self.application, name=payload(4, 100), message=payload(5, 500), redirect_url=address(6))
        self.other = service.make_application(name=payload(7, 100), domain=payload(8, 255), callback_url=address(9).replace("https://shop.example", "http://127.0.0.1:9"))
        failing = service.make_queue(self.other, name=payload(10, 100), max_users_per_minute=6000)
        failing.join(payload(11, 64))
        self.place = self.queue.join(payload(12, 64))
        service.call("POST", "/users/", {
            "email": f"\"'><img/src=x/onerror=hit(13)>@x<svg/onload=hit(13)>", "role": "viewer", "application_id": self.other["id"],
            "password": payload(14, 100)})
        self.key = service.call("POST", "/api/markup/queues", {"queue_id": "line", "name": payload(15, 200)})["admin_key"]
        kind = self.desk("service-types", {"name": payload(16, 100), "code": "A"})["id"]
        people = [
            service.call("POST", "/api/markup/line/join", {"name": payload(17, 200)} | extra)
            for extra in [{}, {"service_type_id": kind}, {}, {"service_type_id": kind}, {}]
        ]
        self.desk("call-next", {"desk": payload(18, 40)})
        self.desk("call-next", {"desk": "2"})
        self.desk("no-show", {"desk": "2"})
        self.person = people[-1]
        until(lambda: [each for each in service.call("GET", f"/callbacks?queue_id={failing.id}") if each["attempts"]], "a failed callback")

    def desk(self, path, body):
        return self.service.call("POST", f"/api/markup/line/{path}", body, {"X-Admin-Key": self.key})

    @property
    def pages(self):
        wait = f"/wait/{self.queue.id}?"
        query = urllib.parse.urlencode
        reflected = payload(20, 1000)
        return [
            wait + query({"return_to": return_address(21), "visitor_id": payload(22, 64)}), wait + query({"return_to": "javascript:hit(23)"}),
            wait + query({"lang": reflected, "theme": reflected, "visitor_id": reflected, "x": reflected}), "/wait/" + urllib.parse.quote(reflected, safe=""),
            wait + query({"return_to": "https://shop.example/"}) + "#" + reflected,
            "/queue/markup/line", "/queue/markup/line/kiosk", "/queue/markup/line?lang=ar&theme=" + urllib.parse.quote(reflected),
            "/queue/" + urllib.parse.quote(reflected, safe="") + "/x", "/docs", "/docs#" + reflected, "/" + urllib.parse.quote(reflected, safe=""),
            "/admin", f"/admin/queues/{self.queue.id}", f"/admin/queues/{self.queue.id}?" + query({"search": payload(24, 64), "over": reflected}),
            f"/admin/queues/{self.queue.id}?" + query({"visitors": "10", "arrivals": reflected, "duration_minutes": reflected}),
            f"/admin/people/{self.place['id']}", f"/admin/people/{self.person['entry']['id']}", "/admin/callbacks?state=pending", "/admin/callbacks?state=dead",
            "/admin/applications", "/admin/users", "/admin/audit", "/admin/audit?" + query({"before": reflected, "queue_id": reflected}),
            "/admin/queues/" + urllib.parse.quote(reflected, safe=""), "/admin?lang=" + urllib.parse.quote(reflected),
        ]


def check(driver, where):
    """Nothing ran, and nothing became an element that could have."""
    assert driver.execute_script("return window.ran") == [], where
    planted = "return document.querySelectorAll('img[src=x], svg[onload], [onerror], [onload]').length"
    assert driver.execute_script(planted) == 0, where


def shows(driver, field):
    until(lambda: f"onerror=hit({field})" in driver.find_element("tag name", "body").text, f"field {field} on {driver.current_url}")


def test_no_page_runs_what_somebody_wrote(service, driver):
    driver.get(f"{service.address}/info")
    driver.execute_script("document.body.innerHTML = arguments[0]", payload(0, 1000))
    until(lambda: 0 in driver.execute_script("return window.ran"), "a page that does it wrong: this test can fail")

    stage = Stage(service)
    Dashboard(driver, service).enter("/admin")
    shown = 0
    for path in stage.pages:
        driver.get(service.address + path)
        if path.startswith(f"/wait/{stage.queue.id}?return_to=https"):
            until(lambda: driver.execute_script("return document.querySelector('#queue-status')?.dataset.state") == "waiting", "a place")
        if path.startswith("/queue/markup"):
            shows(driver, 17 if "kiosk" in path else 15)
        check(driver, path)
        shown += "onerror=hit(" in driver.execute_script("return document.documentElement.textContent")
    assert shown > len(stage.pages) / 2, "most pages show as text what was written"

    page = Page(driver).open(f"{service.address}/queue/markup/line/desk")
    page.find("input[type=password]").send_keys(stage.key)
    driver.find_elements("css selector", "input")[1].send_keys(payload(25, 40))
    page.press("button.main").find(".desk-page")
    page.step("call-next")
    shows(driver, 17)
    check(driver, "the desk")
    page.open(f"{service.address}/queue/markup/line").join(payload(27, 200)).find(".place-number")
    check(driver, "one's place in line")

    # A place that is let in, with an address to go on to; on the way there nothing runs either.
    stage.queue.set(max_users_per_minute=6000)
    driver.get(f"{service.address}/wait/{stage.queue.id}?" + urllib.parse.urlencode({"return_to": return_address(26)}))
    until(lambda: not driver.current_url.startswith(service.address) or driver.execute_script("return window.ran.length"), "the way on", seconds=20)
    assert urllib.parse.urlsplit(driver.current_url).hostname in ("shop.example", None)


def test_answers_that_hold_markup_are_no_pages(service):
    """JSON, JavaScript, SVG and CSV say what they are, and no browser is to guess."""
    for path in ["/nothing/<script>", "/queue_status?token=<script>", "/scripts/queue.js?callback_url=https://shop.example/<script>", "/api/%3Cscript%3E/queues"]:
        reply = ask(service.address, "GET", path.replace("<", "%3C").replace(">", "%3E"))
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-type"].split(";")[0] in ("application/json", "text/javascript") and b"<script>" not in reply.body.lower() \
            or reply.headers["content-type"] == "application/json"
