import pytest

import clock
from installation import Installation
from rig import SEED, Rig, begin, judged


def pytest_terminal_summary(terminalreporter):
    counts = ", ".join(f"{count} {what}" for what, count in judged.items())
    terminalreporter.line(f"Judged: {counts or 'nothing'}. Faults came by chance; FAULT_SEED={SEED} repeats their choices")


@pytest.fixture(scope="session")
def running(tmp_path_factory):
    yield from begin(Rig(Installation(tmp_path_factory.mktemp("installation")), SEED))


@pytest.fixture
def rig(running):
    """One installation for all tests, whole again before each."""
    running.installation.settle()
    return running


@pytest.fixture(scope="session")
def wrong_clock(tmp_path_factory):
    return clock.build(tmp_path_factory.mktemp("clock"))
