"""Languages, themes, sizes, and what assistive technology is told."""

import re

import pytest
from selenium.webdriver.common.by import By

from deadline import until

COLOURS = """
    const rgb = (element, property) => getComputedStyle(element)[property].match(/[\\d.]+/g).map(Number);
    const luminance = ([r, g, b]) => [r, g, b].map(c => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
    const ground = element => {
        for (let each = element; each; each = each.parentElement) {
            const colour = rgb(each, 'backgroundColor');
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    return [...document.querySelectorAll('body *')]
        .filter(element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) && element.checkVisibility())
        .map(element => {
            const [light, dark] = [luminance(rgb(element, 'color')), luminance(ground(element))].sort((a, b) => b - a);
            return [element.textContent.trim(), (light + 0.05) / (dark + 0.05)];
        });
"""


def luminance_of_page(driver):
    return driver.execute_script("return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number).reduce((a, b) => a + b)")


def test_arabic_is_right_to_left_and_leaves_no_english(service, application, room):
    queue = service.make_queue(application, name="إصدار الأحذية", max_users_per_minute=2)
    for number in range(11):
        queue.join(f"ahead-{number}")
    room.open(queue.page(lang="ar")).wait_for_state("waiting")
    html = room.driver.find_element(By.TAG_NAME, "html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ar", "rtl")
    assert room.driver.find_element(By.ID, "queue-status").get_attribute("dir") == "rtl"
    room.click("leave")
    assert not re.search("[A-Za-z]", room.driver.find_element(By.TAG_NAME, "main").text)
    numbers_read_right = "return arguments[0].getBoundingClientRect().left > arguments[1].getBoundingClientRect().left"
    assert room.driver.execute_script(numbers_read_right, room.find("time"), room.find("length"))


def test_arabic_counts_minutes_in_its_own_forms(service, application, room):
    queue = service.make_queue(application, max_users_per_minute=0.5)
    # The first is let in at once.
    queue.join("somebody")
    room.open(queue.page(lang="ar")).wait_for_state("waiting")
    seen = room.driver.execute_script("""
        const wording = [...Array(12).keys()].map(minutes => minutes + 1);
        const rules = new Intl.PluralRules('ar');
        return wording.map(minutes => rules.select(minutes));
    """)
    assert seen[:3] == ["one", "two", "few"] and seen[10] == "many"
    until(lambda: re.search("دقيق|دقائق", room.time), "minutes in Arabic")


def test_language_links_keep_the_way_back(queue, room, website):
    room.open(queue.page(return_to=f"{website.address}/landing", visitor_id="someone")).wait_for_place(1)
    room.driver.find_element(By.CSS_SELECTOR, "a[data-lang=ar]").click()
    until(lambda: room.driver.find_element(By.TAG_NAME, "html").get_attribute("lang") == "ar", "the Arabic page")
    room.wait_for_state("waiting")
    assert "landing" in room.driver.current_url and "visitor_id=someone" in room.driver.current_url
    assert queue.length() == 1


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_theme_and_contrast(queue, room, theme):
    queue.set(message="A word from the operator")
    room.open(queue.page(theme=theme)).wait_for_state("waiting")
    assert (luminance_of_page(room.driver) > 380) == (theme == "light")
    for ask in (False, True):
        if ask:
            room.click("leave")
        weak = [line for line in room.driver.execute_script(COLOURS) if line[1] < 4.5]
        assert not weak, "less contrast than WCAG AA asks"


def test_automatic_theme_follows_the_system(queue, room):
    room.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})
    room.open(queue.page(theme="auto")).wait_for_state("waiting")
    assert luminance_of_page(room.driver) < 380


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_narrow_phone_has_no_sideways_scroll(service, application, room, lang):
    queue = service.make_queue(application, name="Averyveryveryveryverylongnamewithoutanyspaces", message="x" * 200)
    room.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {"width": 320, "height": 640, "deviceScaleFactor": 2, "mobile": True})
    room.open(queue.page(lang=lang)).wait_for_state("waiting")
    room.click("leave")
    assert room.driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [320, 320]


@pytest.fixture
def polling(room):
    """The page cannot listen, and polls."""
    source = {"source": "delete window.EventSource"}
    script = room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", source)
    yield
    room.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


def test_assistive_technology_is_told_without_chatter(queue, room, polling):
    for number in range(2):
        queue.join(f"ahead-{number}")
    room.open(queue.page()).wait_for_place(3)
    live = room.find("live")
    assert (live.get_attribute("role"), live.get_attribute("aria-live")) == ("status", "polite")
    assert live.get_attribute("textContent") == "Your place in line: 3. Estimated time: No estimate yet."
    progress = room.find("progress")
    assert progress.get_attribute("role") == "progressbar"
    assert progress.get_attribute("aria-label") == "Your way to the front"
    assert progress.get_attribute("aria-valuemin") == "0" and progress.get_attribute("aria-valuemax") == "100"
    room.driver.execute_script("""
        window.spoken = 0;
        window.polls = 0;
        new MutationObserver(() => window.spoken++).observe(arguments[0], { childList: true, characterData: true, subtree: true });
        const ask = window.fetch;
        window.fetch = (...call) => ask(...call).then(answer => (window.polls++, answer));
    """, live)
    until(lambda: room.driver.execute_script("return window.polls") >= 3, "three polls")
    assert room.driver.execute_script("return window.spoken") == 0, "the same place again is not news"


def test_documentation_page_lists_the_operations(service, driver):
    driver.get(f"{service.address}/docs")
    until(lambda: driver.find_elements(By.CSS_SELECTOR, "#post-join, #post-join-"), "the operation POST /join")
    driver.find_element(By.CSS_SELECTOR, ".docs-nav a[href^='#post-join']").click()
    join = driver.find_element(By.CSS_SELECTOR, "[id^=post-join]")
    until(lambda: join.get_attribute("open"), "the operation to open")
    assert "visitor_id" in join.text and "curl -X POST" in join.text
