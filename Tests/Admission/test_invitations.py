"""Invitations that a site mints with a JWT library that knows nothing of ours, and lots that anybody checks."""

import datetime
import hashlib
import subprocess
import sys
import time

import jwt
import pytest

from deadline import until
from service import ROOT, Answer

VERIFIER = ROOT / "docs" / "verify_shuffle.py"


def invite(application, queue, name, **claims):
    claims = {"queue": queue.id, "jti": name, "exp": int(time.time()) + 60} | claims
    return jwt.encode(claims, application["secret_key"], algorithm="HS256")


def join(queue, **body):
    body = {"queue_id": queue.id, "visitor_id": "v"} | body
    return queue.service.call("POST", "/join", body, {"X-API-Key": queue.application["api_key"]})


def refusal(queue, **body):
    with pytest.raises(Answer) as answer:
        join(queue, **body)
    assert answer.value.status == 403
    return answer.value.code


@pytest.mark.parametrize("queue", [{"invitations": "required"}], indirect=True)
def test_only_the_invited_join(service, application, queue):
    assert refusal(queue) == "invitation_required"
    once = invite(application, queue, "Ann")
    place = join(queue, invitation=once)["id"]
    assert join(queue, invitation=once)["id"] == place
    several = invite(application, queue, "press", uses=2)
    assert len({join(queue, invitation=several)["id"] for _ in range(2)}) == 2
    assert refusal(queue, invitation=several) == "invitation_used"
    assert refusal(queue, invitation=invite(application, queue, "late", exp=int(time.time()) - 1)) == "invitation_refused"
    assert refusal(queue, invitation=invite(service.make_application(), queue, "forged")) == "invitation_refused"


@pytest.mark.parametrize("queue", [{"challenge": "proof_of_work", "challenge_bits": 12}], indirect=True)
def test_a_join_costs_work(service, queue):
    assert refusal(queue) == "challenge_required"
    given = service.call("GET", f"/challenge?queue_id={queue.id}")
    assert given["bits"] == 12
    tries = (str(number) for number in range(10**7))
    solution = next(
        text for text in tries
        if int.from_bytes(hashlib.sha256(f"{given['challenge']}:{text}".encode()).digest(), "big") >> (256 - given["bits"]) == 0)
    assert join(queue, challenge=given["challenge"], solution=solution)["status"] == "waiting"
    assert refusal(queue, challenge=given["challenge"], solution=solution + " ") == "challenge_failed"


@pytest.mark.parametrize("queue", [{"max_users_per_minute": 0}], indirect=True)
def test_everybody_can_check_the_lots(service, queue, tmp_path):
    opens = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=4)
    queue.set(opens_at=opens.isoformat())
    early = [queue.join(f"visitor-{number}") for number in range(40)]
    assert {entry["position"] for entry in early} == {0}
    assert service.call("GET", f"/queues/{queue.id}/shuffle")["seed"] is None
    until(lambda: service.call("GET", f"/queues/{queue.id}/shuffle")["seed"], "the seed is published")
    late = [queue.join(f"late-{number}") for number in range(5)]
    places = {entry["id"]: service.call("GET", f"/queue_status?token={entry['token']}")["position"] for entry in early + late}
    assert [places[entry["id"]] for entry in late] == [41, 42, 43, 44, 45]

    listed = tmp_path / "entries.txt"
    listed.write_text("\n".join(sorted((entry["id"] for entry in early), key=places.get)))
    told = subprocess.run(
        [sys.executable, VERIFIER, f"{service.address}/queues/{queue.id}/shuffle", listed], capture_output=True, text=True, timeout=20)
    assert told.returncode == 0, told.stderr
    assert "all 40 places are as the seed says" in told.stdout
    assert f"1\t{listed.read_text().splitlines()[0]}" in told.stdout

    # Two who changed places are found out, and so is another seed.
    swapped = listed.read_text().splitlines()
    swapped[3], swapped[30] = swapped[30], swapped[3]
    listed.write_text("\n".join(swapped))
    told = subprocess.run(
        [sys.executable, VERIFIER, f"{service.address}/queues/{queue.id}/shuffle", listed], capture_output=True, text=True, timeout=20)
    assert told.returncode == 1 and "place 4" in told.stderr
