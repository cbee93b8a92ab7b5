"""Callbacks go to the public internet and nowhere else: in a network where every address answers, with a resolver that changes its mind."""

import datetime
import ipaddress
import subprocess

import pytest
import trustme

import internet
from internet import Internet
from owed import Owed
from service import Answer, Service, running

pytestmark = pytest.mark.skipif(not internet.is_possible(), reason="a network namespace needs root")

PUBLIC, OTHER, INTERNAL = "8.8.4.4", "9.9.9.9", "127.0.0.1"
PRIVATE = "the address is not a public one (CALLBACK_ALLOW_PRIVATE)"
REFUSALS = {PRIVATE, "the host is not known", "the address is not an http or https URL"}
REDIRECTS = [301, 302, 303, 307, 308]

# Names of internal addresses: by what the resolver answers.
INTERNAL_NAMES = {
    "internal.test": [INTERNAL], "metadata.test": ["169.254.169.254"], "mixed.test": [PUBLIC, "10.0.0.1"], "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"], "compatible.test": ["::127.0.0.1"], "nat64.test": ["64:ff9b::7f00:1"],
    "local-nat64.test": ["64:ff9b:1::7f00:1"], "6to4.test": ["2002:a9fe:a9fe::"], "teredo.test": ["2001:0:7f00:1::"],
    "unique-local.test": ["fd00:ec2::254"], "link-local.test": ["fe80::1"], "mixed-six.test": [PUBLIC, "::1"],
    "xn--mnchen-3ya.test": ["192.168.1.1"], "nobody.test": [],
}
# Other ways to write them.
INTERNAL_SPELLINGS = [
    "127.1", "2130706433", "0x7f.1", "0177.1", "0", "127.0.0.1.", "LOCALHOST.", "169.254.169.254", "2852039166", "0xa9fea9fe",
    "0251.0376.0251.0376", "[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:169.254.169.254]", "[::127.0.0.1]", "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001:0:7f00:1::]", "[fd00:ec2::254]",
    "[fe80::1%25lo]", "[3fff::1]", "internal.test.", "%31%32%37.0.0.1", "１２７.0.0.1", "127。0。0。1", "ⓛocalhost",
]
# Whom they name is a matter of how they are read.
AMBIGUOUS_SPELLINGS = [
    "public.test@127.0.0.1", "public.test:80@127.0.0.1", "127.0.0.1:80@public.test", "public.test\\@127.0.0.1", "127.0.0.1\\@public.test",
    "127.0.0.1#@public.test", "127.0.0.1?@public.test", "public.test#@127.0.0.1/", "127.0.0.1%00.public.test", "127.0.0.1\t.public.test",
    "[::1]public.test",
]
PUBLIC_NAMES = {
    "public.test": PUBLIC, "PUBLIC.test": PUBLIC, "public.test.": PUBLIC, "xn--bcher-kva.test": OTHER, "9.9.9.9": OTHER,
    "151587081": OTHER, "[2606:4700::1111]": "2606:4700::1111", "six-public.test": "2606:4700::2222", "nat64-public.test": "64:ff9b::909:909",
}
CERTIFIED = ["right.test", "of-another.test", "of-nobody.test", "of-yesterday.test"]

ZONE = {name: {"addresses": [addresses]} for name, addresses in INTERNAL_NAMES.items()} | {
    "public.test": {"addresses": [[PUBLIC]]},
    "xn--bcher-kva.test": {"addresses": [[OTHER]]},
    "six-public.test": {"addresses": [["2606:4700::2222"]]},
    "nat64-public.test": {"addresses": [["64:ff9b::909:909"]]},
    "rebound.test": {"addresses": [[PUBLIC], [INTERNAL]], "answers": [500]},
    "moved.test": {"addresses": [[PUBLIC], [OTHER]], "answers": [500]},
    "mended.test": {"addresses": [[INTERNAL], [PUBLIC]]},
    "kept.test": {"addresses": [[PUBLIC], [INTERNAL]]},
    "silent.test": {"addresses": [None]},
} | {name: {"addresses": [[PUBLIC]]} for name in CERTIFIED} | {
    f"redirect-{status}.test": {"addresses": [[PUBLIC]], "answers": [[status, "http://127.0.0.1/stolen"]] * 9} for status in REDIRECTS
}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    authority = trustme.CA()
    yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
    certificates = {
        "right.test": authority.issue_cert("right.test"), "of-another.test": authority.issue_cert("right.test"),
        "of-nobody.test": trustme.CA().issue_cert("of-nobody.test"),
        "of-yesterday.test": authority.issue_cert("of-yesterday.test", not_after=yesterday),
    }
    network = Internet(tmp_path_factory.mktemp("internet"), ZONE, authority, certificates)
    yield network
    network.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory, network):
    """Its releaser is in that network."""

    class There(Service):
        def launch(self, name, command, environment=None):
            return super().launch(name, network.entering(command) if name == "releaser" else command, environment)

    service = There(
        tmp_path_factory.mktemp("service"), CALLBACK_ALLOW_PRIVATE="false", CALLBACK_MAX_ATTEMPTS="2", CALLBACK_TIMEOUT_SECONDS="3",
        RATE_LIMIT_PER_MINUTE="100000")
    with running(service):
        yield service


@pytest.fixture(scope="module")
def owed(service):
    """One for each host, or `None` where the address was not taken. All are under way at once."""

    def owe(host):
        try:
            return Owed(service, f"http://{host}/callback")
        except Answer as refusal:
            assert refusal.status == 422, (host, refusal)
            return None

    hosts = {*INTERNAL_SPELLINGS, *AMBIGUOUS_SPELLINGS, *PUBLIC_NAMES, *ZONE} - set(CERTIFIED)
    return {host: owe(host) for host in hosts}


def is_public(address):
    """By somebody else's table."""
    address = ipaddress.ip_address(address)
    if address in ipaddress.ip_network("64:ff9b::/96"):
        return ipaddress.ip_address(address.packed[12:]).is_global
    return address.is_global


@pytest.mark.parametrize("host", [*INTERNAL_NAMES, *INTERNAL_SPELLINGS])
def test_an_internal_address_is_refused(owed, host):
    if owed[host]:
        callback = owed[host].settled()
        assert (callback["state"], callback["attempts"]) == ("dead", 2)
        assert callback["last_error"] in REFUSALS


@pytest.mark.parametrize("host", PUBLIC_NAMES)
def test_a_public_address_is_called(owed, network, host):
    assert owed[host].settled()["state"] == "delivered"
    assert set(network.calls(host)) == {PUBLIC_NAMES[host]}


def test_a_name_that_moves_between_two_attempts_is_asked_again_and_pinned_for_each(owed, network):
    rebound = owed["rebound.test"].settled()
    assert (rebound["state"], rebound["last_error"]) == ("dead", PRIVATE)
    assert network.calls("rebound.test") == [PUBLIC] and network.lookups("rebound.test") == 2

    assert owed["moved.test"].settled()["state"] == "delivered"
    assert network.calls("moved.test") == [PUBLIC, OTHER] and network.lookups("moved.test") == 2

    assert owed["mended.test"].settled()["state"] == "delivered"
    assert network.calls("mended.test") == [PUBLIC] and network.lookups("mended.test") == 2


def test_a_connection_that_was_kept_is_no_way_around(owed, network):
    kept = owed["kept.test"]
    assert kept.settled()["state"] == "delivered"
    kept.let_in()
    second, first = kept.all_settled()
    assert (first["state"], second["state"], second["last_error"]) == ("delivered", "dead", PRIVATE)
    assert network.calls("kept.test") == [PUBLIC]


@pytest.mark.parametrize("status", REDIRECTS)
def test_redirects_are_not_followed(owed, network, status):
    callback = owed[f"redirect-{status}.test"].settled()
    assert (callback["state"], callback["last_error"]) == ("dead", f"HTTP {status}")
    assert network.calls(f"redirect-{status}.test") == [PUBLIC] * 2


def test_a_name_server_that_keeps_silent_ends_the_attempt(owed):
    callback = owed["silent.test"].settled()
    assert (callback["state"], callback["last_error"]) == ("dead", "timed out after 3 s")


def test_only_a_certificate_of_the_name_that_was_asked_for_will_do(service, network):
    owed = {name: Owed(service, f"https://{name}/callback") for name in CERTIFIED}
    ends = {name: each.settled() for name, each in owed.items()}
    assert ends.pop("right.test")["state"] == "delivered" and network.calls("right.test")[-1:] == [PUBLIC]
    for name, end in ends.items():
        assert (end["state"], end["last_error"]) == ("dead", "no TLS: the certificate is not valid, not trusted, or of another name"), name
        assert network.calls(name) == [], name


def test_nothing_internal_was_touched(owed, network):
    for one in filter(None, owed.values()):
        one.all_settled()
    touched = {event["address"] for event in network.seen("connection")}
    assert {PUBLIC, OTHER} <= touched and all(map(is_public, touched))


def test_it_would_have_been_seen(network):
    for host in [INTERNAL, "169.254.169.254", "[::1]", "[64:ff9b::7f00:1]", "internal.test"]:
        command = ["curl", "-s", "-o", "/dev/null", "-X", "POST", f"http://{host}/control"]
        subprocess.run(network.entering(command), timeout=10, check=True)
    seen = [event["address"] for event in network.seen("call") if event["path"] == "/control"]
    assert seen == [INTERNAL, "169.254.169.254", "::1", "64:ff9b::7f00:1", INTERNAL]
    assert not any(map(is_public, seen))
