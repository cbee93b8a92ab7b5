import pathlib
import shutil

import pytest
from selenium import webdriver

from counter import Counter, Page
from room import Room
from service import Service
from website import Website


def pytest_addoption(parser):
    parser.addoption("--screenshots", metavar="DIR", type=pathlib.Path, help="also take the documentation's pictures, into DIR")


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    service = Service(tmp_path_factory.mktemp("service"))
    try:
        service.start()
        yield service
    finally:
        service.stop()


@pytest.fixture(scope="session")
def application(service):
    return service.make_application()


@pytest.fixture
def queue(service, application):
    return service.make_queue(application)


@pytest.fixture
def website():
    website = Website()
    yield website
    website.stop()


@pytest.fixture
def driver(request):
    yield from browser(request)


@pytest.fixture
def other_driver(request):
    """A second browser, of somebody else."""
    yield from browser(request)


def browser(request):
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--lang=en", "--window-size=1000,900",
                     "--no-proxy-server", "--disable-background-networking", "--disable-component-update", "--no-first-run"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    driver.set_page_load_timeout(30)
    try:
        yield driver
        tolerated = {"network"} if request.node.get_closest_marker("failed_requests") else set()
        complaints = [line for line in driver.get_log("browser") if line["level"] == "SEVERE" and line["source"] not in tolerated]
        assert not complaints, "the browser complained"
    finally:
        driver.quit()


@pytest.fixture
def room(driver):
    return Room(driver)


@pytest.fixture
def counter(service):
    return Counter(service)


@pytest.fixture
def page(driver):
    return Page(driver)


@pytest.fixture
def other_page(other_driver):
    return Page(other_driver)
