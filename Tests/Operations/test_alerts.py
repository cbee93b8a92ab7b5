"""Alerts of ten workers, by mail and webhook, with a real SMTP server and a real receiver."""

import contextlib
import signal
import subprocess

import pytest
import trustme

from deadline import until
from mail_server import PASSWORD, USER, MailServer
from service import EMAIL, Service, free_port
from webhook import Webhook

THRESHOLD = 3
NAME = 'Größe ✓ "日本" <b>'
ACCOUNT = {"SMTP_HOST": "127.0.0.1", "SMTP_USER": USER, "SMTP_PASS": PASSWORD}


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return trustme.CA()


@pytest.fixture(scope="module")
def trusted(tmp_path_factory, authority):
    """The file that makes a program trust `authority`."""
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    return {"SSL_CERT_FILE": str(file)}


@pytest.fixture(scope="module")
def stack():
    with contextlib.ExitStack() as stack:
        yield stack


@pytest.fixture(scope="module")
def begin(stack, tmp_path_factory):
    """Starts an installation of its own whose line is too long from the start."""

    def begin(mail, webhook=None, **variables):
        stack.callback(mail.stop)
        if webhook:
            stack.callback(webhook.stop)
            variables["WEBHOOK_URL"] = webhook.url
        service = Service(
            tmp_path_factory.mktemp("service"), QUEUE_THRESHOLD=str(THRESHOLD), SMTP_PORT=str(mail.port), **ACCOUNT, **variables)
        stack.callback(service.stop)
        service.start()
        service.application = service.make_application()
        service.mail, service.webhook = mail, webhook
        crowd(service, NAME)
        return service

    return begin


@pytest.fixture(scope="module", autouse=True)
def others(begin, authority, trusted):
    """Installations of one worker each, begun first: by the time that they are asked about, they have long tried to send."""
    stranger = trustme.CA()
    others = {
        "clear": begin(MailServer(free_port()), Webhook(500), **trusted),
        "unknown": begin(MailServer(free_port(), stranger.issue_cert("127.0.0.1")), **trusted),
        "other name": begin(MailServer(free_port(), authority.issue_cert("mail.example.com")), **trusted),
    }
    with contextlib.suppress(PermissionError):
        others["465"] = begin(MailServer(465, authority.issue_cert("127.0.0.1"), tls_from_the_start=True), **trusted)
    return others


@pytest.fixture(scope="module")
def service(begin, authority, trusted):
    service = begin(MailServer(free_port(), authority.issue_cert("127.0.0.1")), Webhook(), CALLBACK_MAX_ATTEMPTS="1", **trusted)
    for _ in range(9):
        service.start_one("releaser")
    return service


def crowd(service, name):
    """A queue with more people than the threshold."""
    queue = service.make_queue(service.application, name=name)
    queue.people = [queue.join(f"v{number}")["token"] for number in range(THRESHOLD + 1)]
    return queue


def disperse(service, queue):
    for token in queue.people:
        service.call("POST", "/cancel", {"token": token})


def log(service):
    return "".join(file.read_text() for file in service.folder.glob("*.log"))


def told(service, text, seconds=30):
    """Waits until mail and webhook have told something, and returns the mail."""
    until(lambda: any(text in title for title in service.webhook.titles()), f"the webhook tells: {text}", seconds)
    return until(lambda: next((mail for mail in service.mail.mails if text in mail["Subject"]), None), f"a mail tells: {text}", seconds)


def test_a_line_that_is_too_long_is_told_once_by_ten_workers(service):
    title = f'{THRESHOLD + 1} people wait in "{NAME}"'
    mail = told(service, title)
    assert mail["Subject"] == f"[Anteroom] {title}"
    assert mail["From"] == f"Anteroom <{USER}>" and mail["To"] == EMAIL
    assert service.mail.senders[0] == (USER, [EMAIL])
    assert mail["Date"].datetime.tzinfo and mail["Message-ID"] and mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content_type() == "text/plain" and not mail.defects
    assert mail.get_content().startswith(f"{title}\r\n\r\nThe line is longer than the threshold of {THRESHOLD} (QUEUE_THRESHOLD)")
    # What is left as it is Slack reads as a link or a mention.
    assert "&lt;b&gt;" in service.webhook.posts[0] and "<" not in service.webhook.posts[0]


def test_its_end_is_told_in_the_same_thread(service):
    queue = crowd(service, "Ended")
    beginning = told(service, 'wait in "Ended"')
    disperse(service, queue)
    end = told(service, 'Resolved: the line of "Ended"')
    assert end["In-Reply-To"] == beginning["Message-ID"] != end["Message-ID"]


def test_callbacks_that_fail_are_told_with_the_reason(service):
    application = service.make_application(name="Away", domain="away.example", callback_url="http://127.0.0.1:1/")
    queue = service.make_queue(application, name="Unheard", max_users_per_minute=6000)
    queue.join("v")
    mail = told(service, 'Callbacks of "Unheard" fail')
    assert "The last error: connection refused." in mail.get_content()


def test_what_a_killed_worker_was_sending_is_sent_by_another(service):
    service.webhook.may_answer.clear()
    crowd(service, "Held")
    told(service, 'wait in "Held"')
    socket = str(service.folder / "redis.sock")
    workers = subprocess.run(
        ["redis-cli", "-s", socket, "ZRANGE", "{catalogue}:workers", "0", "-1"], capture_output=True, text=True, check=True).stdout.split()
    assert len(workers) == 10
    names = ["releaser"] + [f"releaser-{number}" for number in range(2, 11)]
    releasers = service.children[2:]
    sending = next(index for index, name in enumerate(names) if min(workers) in (service.folder / f"{name}.log").read_text())
    releasers[sending].kill()
    service.webhook.may_answer.set()
    until(lambda: service.webhook.titles().count(f'{THRESHOLD + 1} people wait in "Held"') == 2, "another worker posts it", seconds=40)
    assert len([subject for subject in service.mail.subjects() if '"Held"' in subject]) == 1


def test_a_redis_that_hangs_is_told_once_and_so_is_its_return(service):
    service.redis.send_signal(signal.SIGSTOP)
    try:
        mail = told(service, "Redis is unwell", seconds=40)
    finally:
        service.redis.send_signal(signal.SIGCONT)
    assert "Redis cannot be used" in mail.get_content()
    end = told(service, "Resolved: Redis is well again")
    assert end["In-Reply-To"] == mail["Message-ID"]


def test_nothing_was_told_twice_and_no_secret_was_logged(service):
    ids = [mail["Message-ID"] for mail in service.mail.mails]
    assert len(ids) == len(set(ids)) == 7
    titles = [title for title in service.webhook.titles() if '"Held"' not in title]
    assert len(titles) == len(set(titles)) == 6
    assert {sign_in for sign_in in service.mail.sign_ins} == {(True, USER, PASSWORD)}
    assert PASSWORD not in log(service) and service.webhook.url not in log(service)


def test_the_password_is_never_sent_in_the_clear(others):
    service = others["clear"]
    until(lambda: "could not be sent by mail" in log(service), "the worker has tried")
    assert not service.mail.sign_ins and not service.mail.mails
    assert PASSWORD not in log(service)


def test_a_webhook_that_fails_is_tried_again_though_mail_fails(others):
    title = f'{THRESHOLD + 1} people wait in "{NAME}"'
    until(lambda: others["clear"].webhook.titles() == [title, title], "the second attempt")


@pytest.mark.parametrize("which", ["unknown", "other name"])
def test_a_certificate_that_is_not_the_servers_is_refused(others, which):
    service = others[which]
    until(lambda: "could not be sent by mail" in log(service), "the worker has tried")
    assert "SSL" in log(service)
    assert not service.mail.sign_ins and not service.mail.mails


def test_port_465_is_tls_from_the_start(others):
    if "465" not in others:
        pytest.skip("this user may not listen on port 465")
    service = others["465"]
    until(lambda: service.mail.mails, "a mail")
    assert service.mail.sign_ins == [(True, USER, PASSWORD)]
