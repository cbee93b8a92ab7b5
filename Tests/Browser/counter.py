"""A walk-in line: its API, and its pages in browsers."""

import secrets
import urllib.parse

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from deadline import until


class Counter:
    """A walk-in queue of its own tenant, as its desk sees it."""

    def __init__(self, service, name="Support", **fields):
        self.service = service
        self.tenant = f"shop-{secrets.token_hex(4)}"
        self.queue = "support"
        draft = {"queue_id": self.queue, "name": name} | fields
        self.key = service.call("POST", f"/api/{self.tenant}/queues", draft)["admin_key"]

    def call(self, method, path, body=None, queue=None):
        headers = {"X-Admin-Key": self.key}
        return self.service.call(method, f"/api/{self.tenant}/{queue or self.queue}/{path}", body, headers)

    def join(self, name, **fields):
        return self.call("POST", "join", {"name": name} | fields)["entry"]["id"]

    def call_next(self, desk=None, **fields):
        return self.call("POST", "call-next", ({"desk": desk} if desk else {}) | fields)["called"]

    def status(self, identifier):
        return self.call("GET", f"status/{identifier}")["entry"]

    def waiting(self):
        return [row["name"] for row in self.call("GET", "list")["queue"]]

    def type(self, code, name):
        return self.call("POST", "service-types", {"code": code, "name": name})["id"]

    def address(self, page="", **query):
        return f"{self.service.address}/queue/{self.tenant}/{self.queue}{page}?{urllib.parse.urlencode(query)}"


class Page:
    """What a browser shows of a walk-in line."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address):
        self.driver.get(address)
        return self

    def find(self, selector):
        return until(lambda: self.shown(selector), f"{selector} on the page")

    def shown(self, selector):
        return next((each for each in self.driver.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()), None)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].filter(each => each.checkVisibility()).map(each => each.textContent)"
        return self.driver.execute_script(script, selector)

    def text(self, selector):
        return next(iter(self.texts(selector)), "")

    def wait_for(self, selector, text):
        until(lambda: self.text(selector) == text, f"{text!r} at {selector}, which shows {self.texts(selector)}")
        return self

    def press(self, selector):
        until(lambda: self.find(selector).is_enabled(), f"{selector} enabled")
        self.find(selector).click()
        return self

    def choose(self, selector, text):
        until(lambda: text in [each.text for each in Select(self.find(selector)).options], f"{text} on offer")
        Select(self.find(selector)).select_by_visible_text(text)
        return self

    def join(self, name, type=None):
        self.find("input").send_keys(name)
        if type:
            self.choose("select", type)
        return self.press("button.main")

    def open_desk(self, counter, desk="3", **query):
        self.open(counter.address("/desk", **query))
        self.find("input[type=password]").send_keys(counter.key)
        self.driver.find_elements(By.CSS_SELECTOR, "input")[1].send_keys(desk)
        self.press("button.main")
        self.find(".desk-page")
        return self

    def step(self, verb):
        return self.press(f"[data-verb={verb}]")

    def set_offline(self, offline):
        self.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
