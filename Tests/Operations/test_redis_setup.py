"""The programs and the Redis that they are told to use: over TLS, and what they say of one that is not as it must be."""

import json
import subprocess

import pytest
import trustme

from deadline import until
from service import BINARIES, Service, free_port, running


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory, authority):
    """A service whose Redis takes TLS alone, and wants certificates of its clients."""
    folder = tmp_path_factory.mktemp("encrypted")
    host = authority.issue_cert("localhost")
    authority.cert_pem.write_to_path(folder / "ca.pem")
    host.private_key_pem.write_to_path(folder / "host.key")
    host.cert_chain_pems[0].write_to_path(folder / "host.pem")
    port = free_port()
    service = Service(
        folder, REDIS_URL=f"rediss://localhost:{port}", REDIS_CA_FILE=str(folder / "ca.pem"), REDIS_CERT_FILE=str(folder / "host.pem"),
        REDIS_KEY_FILE=str(folder / "host.key"), LOG_FORMAT="json")
    service.launch("encrypted", [
        "redis-server", "--port", "0", "--tls-port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
        "--tls-cert-file", str(folder / "host.pem"), "--tls-key-file", str(folder / "host.key"),
        "--tls-ca-cert-file", str(folder / "ca.pem"), "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"])
    with running(service):
        yield service


def test_a_visitor_is_let_in_over_tls(encrypted):
    queue = encrypted.make_queue(encrypted.make_application(), max_users_per_minute=6000)
    token = queue.join("v")["token"]
    until(lambda: encrypted.call("GET", f"/queue_status?token={token}")["status"] == "ready", "the visitor is let in")
    # Nothing went to the other Redis.
    assert encrypted.redis_cli("DBSIZE").strip() == "0"


def test_both_programs_say_what_is_wrong_with_redis(encrypted):
    for program in ("gateway", "releaser"):
        lines = [json.loads(line) for line in (encrypted.folder / f"{program}.log").read_text().splitlines() if line.startswith("{")]
        complaints = [line for line in lines if "Redis is not set up as it must be" in str(line)]
        assert len(complaints) == 1 and "maxmemory-policy is allkeys-lru: set it to noeviction" in str(complaints), lines


def test_a_server_that_another_authority_vouches_for_is_refused_in_one_line(encrypted, tmp_path):
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    log = tmp_path / "gateway.log"
    variables = encrypted.variables | {"REDIS_CA_FILE": str(tmp_path / "other.pem"), "PORT": str(free_port())}
    with open(log, "wb") as output:
        gateway = subprocess.Popen([str(BINARIES / "Gateway")], env=variables, cwd=tmp_path, stdout=output, stderr=subprocess.STDOUT)
        try:
            until(lambda: "see REDIS_CA_FILE" in log.read_text(), "it is said what to see to")
            assert gateway.poll() is None
        finally:
            gateway.terminate()
            gateway.wait(20)
    warnings = [line for line in log.read_text().splitlines() if '"warning"' in line.lower()]
    assert len(warnings) == 1, warnings


@pytest.mark.parametrize("variable", ["REDIS_CA_FILE", "REDIS_CERT_FILE", "REDIS_KEY_FILE"])
def test_a_file_that_is_not_there_is_named(encrypted, tmp_path, variable):
    for program in ("Gateway", "Releaser"):
        ended = subprocess.run(
            [str(BINARIES / program)], env=encrypted.variables | {variable: "/nowhere.pem"}, cwd=tmp_path, capture_output=True, text=True,
            timeout=20)
        assert ended.returncode == 78
        assert ended.stderr.count("\n") == 1 and variable in ended.stderr and "/nowhere.pem" in ended.stderr
