"""What a queue may ask for before it gives a place: an invitation."""

import json

import pytest

from answers import WAITING, answer, refusal

# Notes what the page sends.
LISTEN = """
window.sent = [];
const send = window.fetch;
window.fetch = (address, options = {}) => {
  if (options.body) window.sent.push(JSON.parse(options.body));
  return send(address, options);
};
"""


@pytest.fixture
def sent(room):
    """What the pages that are opened now send."""
    room.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": LISTEN})
    return lambda: room.driver.execute_script("return window.sent")


# Invitations


def test_the_address_brings_the_invitation(queue, room, sent):
    room.open(queue.page(invitation="abc.DEF-1_2")).wait_for_place(1)
    assert [body.get("invitation") for body in sent()] == ["abc.DEF-1_2"]


def test_without_an_invitation_none_is_sent(queue, room, sent):
    room.open(queue.page()).wait_for_place(1)
    assert "invitation" not in sent()[0]


def test_an_option_brings_the_invitation(visit, website):
    visit(answer(WAITING), options="{ invitation: 'abc' }").wait_for_state("waiting")
    assert json.loads(website.bodies[0])["invitation"] == "abc"


@pytest.mark.failed_requests
@pytest.mark.parametrize("code, words", [
    ("invitation_required", "This line is by invitation"),
    ("invitation_refused", "This invitation is not valid here"),
    ("invitation_used", "This invitation has been used"),
])
def test_a_refused_invitation_is_said_and_not_tried_again(visit, website, code, words):
    room = visit(refusal(code)).wait_for_state("uninvited")
    assert room.text("heading") == words
    assert words in room.text("live")
    assert not room.find("again").is_displayed()
    assert len(website.posts) == 1
