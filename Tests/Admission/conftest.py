import pytest

from service import Service, running


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    with running(Service(tmp_path_factory.mktemp("admission"))) as service:
        yield service


@pytest.fixture
def application(service):
    return service.make_application(domain="shop.example")


@pytest.fixture
def queue(request, service, application):
    """With the settings that a test gives by `parametrize`, indirectly."""
    return service.make_queue(application, **getattr(request, "param", {}))
