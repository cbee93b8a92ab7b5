"""Chromium, driven by a test."""

import atexit
import os
import shutil
import tempfile

from selenium import webdriver


def start():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en", "--window-size=1000,900",
                     "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--no-first-run"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Chromium leaves folders behind where temporary files go.
    folder = tempfile.mkdtemp(prefix="chromium-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"), env=os.environ | {"TMPDIR": folder}))
    driver.set_page_load_timeout(30)
    return driver


def check_log(driver, test):
    """Fails when the browser complained, but for requests that `test` says are meant to fail."""
    tolerated = {"network"} if test.get_closest_marker("failed_requests") else set()
    complaints = [line for line in driver.get_log("browser") if line["level"] == "SEVERE" and line["source"] not in tolerated]
    assert not complaints, "the browser complained"
