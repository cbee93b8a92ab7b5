"""Invitations that a site mints with a JWT library that knows nothing of ours, and lots that anybody checks."""

import datetime
import hashlib
import json
import random
import subprocess
import sys
import time
import uuid

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

    listed = sorted((entry["id"] for entry in early), key=places.get)
    address = f"{service.address}/queues/{queue.id}/shuffle"
    told = verify(address, listed, tmp_path)
    assert told.returncode == 0, told.stderr
    assert "all 40 places are as the seed says" in told.stdout
    assert f"1\t{listed[0]}" in told.stdout

    # Two who changed places are found out, and so is another seed.
    listed[3], listed[30] = listed[30], listed[3]
    told = verify(address, listed, tmp_path)
    assert told.returncode == 1 and "place 4" in told.stderr


def verify(address, listed, folder):
    file = folder / "entries.txt"
    file.write_text("\n".join(listed))
    return subprocess.run([sys.executable, VERIFIER, address, file], capture_output=True, text=True, timeout=20)


def test_neighbours_may_stand_in_the_order_of_joining_and_nobody_else(tmp_path):
    seed, slots = "a seed", 2000
    chance = random.Random(7)
    joined = [str(uuid.UUID(int=chance.getrandbits(128))) for _ in range(400)]
    drawn = {entry: int(hashlib.sha256(f"{seed}:{entry}".encode()).hexdigest()[:12], 16) * slots // 2**48 for entry in joined}
    taken = {}
    for entry in joined:
        number = drawn[entry]
        while number in taken:
            number += 1
        taken[number] = entry
    listed = [entry for _, entry in sorted(taken.items())]
    assert listed != sorted(listed, key=drawn.get), "somebody stands before one with a smaller number"
    draw = tmp_path / "shuffle"
    draw.write_text(json.dumps(
        {"seed": seed, "commitment": hashlib.sha256(seed.encode()).hexdigest(), "count": len(joined), "slots": slots}))
    told = verify(draw.as_uri(), listed, tmp_path)
    assert told.returncode == 0, told.stderr
    alone = [place for place, entry in enumerate(listed) if f"\n{place + 1}\t{entry}" in told.stdout]
    assert len(alone) > 200
    for place in alone[1:20]:
        swapped = [*listed]
        swapped[place - 1], swapped[place] = listed[place], listed[place - 1]
        assert verify(draw.as_uri(), swapped, tmp_path).returncode == 1
