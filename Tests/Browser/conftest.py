import pathlib

import pytest

import chromium
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
    driver = chromium.start()
    try:
        yield driver
        chromium.check_log(driver, request.node)
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
