"""Connections that hold a socket and give nothing are let go within the gateway's limits, and others do not notice."""

import pytest

from wire import Wire, ask, request


@pytest.mark.after_all
def test_slow_heads_and_slow_bodies_are_let_go_and_others_are_served(service, slow_senders):
    assert ask(service.address, "GET", "/info").status == 200
    slow_senders.join(60)
    assert slow_senders.all_end and slow_senders.seconds < 30 and len(slow_senders.replies) == 200
    for number, reply in enumerate(slow_senders.replies):
        assert (reply.status, reply.code) == (408, "request_timeout")
        assert ("detail" if number < 100 else "error") in reply.json


def test_a_connection_that_reads_nothing_holds_up_nobody(service):
    """Its answers fill its socket, and reading from it pauses."""
    with Wire(service.address, timeout=2) as greedy:
        try:
            for _ in range(10_000):
                greedy.send(request("GET", "/openapi.json") * 20)
        except TimeoutError:
            pass
        else:
            raise AssertionError("the gateway went on reading requests whose answers nobody takes")
        assert ask(service.address, "GET", "/info").status == 200
