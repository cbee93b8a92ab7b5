"""What a visitor sees of a waiting room in a browser."""

import json

from selenium.webdriver.common.by import By

from deadline import until


class Room:
    """The widget on the page that a browser shows now."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, address):
        self.driver.get(address)
        return self

    def find(self, name):
        return self.driver.find_element(By.CSS_SELECTOR, f"#queue-status .anteroom-{name}")

    def text(self, name):
        return self.driver.execute_script(
            "const found = document.querySelector(arguments[0]); return found && found.checkVisibility() ? found.textContent : ''",
            f"#queue-status .anteroom-{name}")

    @property
    def state(self):
        return self.driver.execute_script("return document.querySelector('#queue-status')?.dataset.state ?? null")

    @property
    def place(self):
        return int(self.text("place .anteroom-value") or 0)

    @property
    def time(self):
        return self.text("time .anteroom-value")

    @property
    def progress(self):
        return int(self.find("progress").get_attribute("aria-valuenow"))

    @property
    def kept(self):
        """What the browser keeps of the place, or None."""
        stored = self.driver.execute_script(
            "const key = Object.keys(localStorage).find(key => key.startsWith('anteroom:place:')); return key ? localStorage[key] : null")
        return json.loads(stored) if stored else None

    def wait_for_state(self, state):
        until(lambda: self.state == state, f"the state {state}")
        return self

    def wait_for_place(self, place):
        until(lambda: self.place == place, f"place {place}")
        return self

    def click(self, name):
        until(lambda: self.find(name).is_displayed(), f"the {name} button")
        self.find(name).click()

    def set_offline(self, offline):
        """Cuts the browser off from the network, or connects it again."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {"offline": offline, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)
