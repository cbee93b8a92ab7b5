import secrets

import pytest

from service import BINARIES, Service, free_port, running
from slow_senders import SlowSenders


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.get_closest_marker("after_all") is not None)


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    """Without limits, which would end most attacks too early, and with all that it could log."""
    service = Service(
        tmp_path_factory.mktemp("abuse"), RATE_LIMIT="off", LOG_LEVEL="debug", LOG_FORMAT="json", CALLBACK_MAX_ATTEMPTS="1",
        SMTP_HOST="127.0.0.1", SMTP_PORT="9", SMTP_USER="alerts@example.com", SMTP_PASS=secrets.token_hex(16),
        WEBHOOK_URL=f"http://127.0.0.1:9/{secrets.token_hex(16)}")
    with running(service):
        yield service
        for child in service.children:
            assert child.poll() is None, f"{child.args[0]} ended with {child.returncode}, see {service.folder}"


@pytest.fixture(scope="session", autouse=True)
def slow_senders(service):
    """They try it while the other tests run."""
    senders = SlowSenders(service.address)
    senders.start()
    return senders


@pytest.fixture(scope="session")
def gateway(service):
    """Starts one more gateway over the same Redis, with variables of its own, and returns its address."""
    def start(name, **variables):
        port = free_port()
        address = f"http://127.0.0.1:{port}"
        service.launch(
            name, [str(BINARIES / "Gateway")],
            service.variables | {"PORT": str(port), "PUBLIC_URL": address} | variables)
        service.wait_for(address)
        return address
    return start


@pytest.fixture(scope="session")
def application(service):
    return service.make_application(domain="shop.example")


@pytest.fixture
def queue(service, application):
    return service.make_queue(application)
