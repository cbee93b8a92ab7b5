import pathlib

import pytest

import chromium
from answers import HASTE
from counter import Counter, Page
from room import Room
from service import Service, running
from website import Page as WebPage
from website import Website


def pytest_addoption(parser):
    parser.addoption("--screenshots", metavar="DIR", type=pathlib.Path, help="also take the documentation's pictures, into DIR")


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with running(Service(tmp_path_factory.mktemp("service"))) as service:
        yield service


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
def visit(service, website, room):
    """Lets a visitor join a service whose answers are the website's pages."""
    def visit(join, status=None, options="{}", policy=None):
        website.pages["/join"] = join
        website.pages["/queue_status"] = status or join
        website.pages["/haste.js"] = WebPage(HASTE, kind="text/javascript")
        website.pages["/"] = WebPage(
            f'<!doctype html><title>A shop</title><body><script src="/haste.js"></script><script src="{service.address}/scripts/queue.js"></script>',
            headers={"Content-Security-Policy": policy} if policy else {})
        room.open(f"{website.address}/").driver.execute_script(f"""
            window.manager = new QueueManager({{
              apiKey: "key", apiBaseUrl: location.origin, callbackUrl: location.origin + "/landing", ...{options},
            }});
            manager.addEventListener("ready", (event) => {{ event.preventDefault(); window.target = event.detail.redirectUrl; }});
            manager.joinQueue("queue", "visitor");
        """)
        return room
    return visit


@pytest.fixture
def counter(service):
    return Counter(service)


@pytest.fixture
def page(driver):
    return Page(driver)


@pytest.fixture
def other_page(other_driver):
    return Page(other_driver)
