"""The dashboard, as an operator's browser shows it."""

from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from counter import Page
from deadline import until
from service import EMAIL


class Dashboard(Page):
    COOKIE = "anteroom_session"

    def __init__(self, driver, service):
        super().__init__(driver)
        self.service = service

    def open(self, path):
        return super().open(self.service.address + path)

    def enter(self, path="/admin", token=None):
        """Opens a page with a session that began elsewhere: the service's own, or the one of `token`."""
        cookie = {"url": self.service.address, "name": self.COOKIE, "value": token or self.service.token, "httpOnly": True,
                  "sameSite": "Strict"}
        self.driver.execute_cdp_cmd("Network.setCookie", cookie)
        return self.open(path)

    def sign_in(self, password, email=EMAIL):
        self.fill("#username", email).fill("#password", password)
        return self.press("main form button")

    @property
    def cookie(self):
        return (self.driver.get_cookie(self.COOKIE) or {}).get("value")

    def form(self, call, *fields):
        """Where the form is that makes this call and has these fields."""
        return f'form[data-api="{call}"]' + "".join(f':has([name="{field}"])' for field in fields)

    def fill(self, selector, value):
        control = self.find(selector)
        if control.tag_name == "select":
            Select(control).select_by_visible_text(value)
        else:
            control.clear()
            control.send_keys(value)
        return self

    def send(self, call, **fields):
        """Fills the fields of the form that makes this call, and presses its button."""
        form = self.form(call, *fields)
        for summary in self.driver.find_elements(By.CSS_SELECTOR, f'details:not([open]):has(form[data-api="{call}"]) > summary'):
            summary.click()
        for name, value in fields.items():
            self.fill(f'{form} [name="{name}"]', value)
        return self.press(f"{form} button")

    def set_state(self, state):
        """Opens, pauses or closes the queue that is shown."""
        return self.press(f"form:has([name=state][value={state}]) button")

    def answer(self, accept):
        """Answers the question that the page asks."""
        question = until(lambda: self.question(), "a question")
        question.accept() if accept else question.dismiss()
        return self

    def question(self):
        try:
            return self.driver.switch_to.alert
        except NoAlertPresentException:
            return None

    def figure(self, label, within="main"):
        """The figure beside its label."""
        return self.driver.execute_script("""
            const labels = [...document.querySelectorAll(`${arguments[1]} dt`)];
            return labels.find(each => each.textContent === arguments[0])?.nextElementSibling.textContent ?? null;
        """, label, within)

    def wait_for_figure(self, label, value, within="main"):
        until(lambda: self.figure(label, within) == value, f"{value} beside {label}")
        return self

    def fetch(self, method, path, body=None):
        """What the API answers to a script of this page: status and text."""
        return self.driver.execute_async_script("""
            const [method, path, body, done] = arguments;
            const headers = { "X-Anteroom-Page": "1", ...(body && { "Content-Type": "application/json" }) };
            fetch(path, { method, headers, body: body && JSON.stringify(body) })
                .then(async answer => done([answer.status, await answer.text()]));
        """, method, path, body)

    @property
    def focus(self):
        return self.driver.switch_to.active_element

    def tab_to(self, selector):
        """Presses Tab until the focus is there."""
        for _ in range(60):
            self.focus.send_keys(Keys.TAB)
            if self.driver.execute_script("return document.activeElement.matches(arguments[0])", selector):
                return self.focus
        raise AssertionError(f"{selector} is not reached by Tab")
