import pytest

from endpoint import Endpoint
from service import Service, running


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """One that gives up early."""
    service = Service(
        tmp_path_factory.mktemp("service"), CALLBACK_TIMEOUT_SECONDS="3", CALLBACK_MAX_ATTEMPTS="2", DRAIN_SECONDS="0")
    with running(service):
        yield service


@pytest.fixture
def endpoint():
    """Makes endpoints."""
    made = []

    def make(*answers):
        made.append(Endpoint(*answers))
        return made[-1]

    yield make
    for one in made:
        one.stop()
