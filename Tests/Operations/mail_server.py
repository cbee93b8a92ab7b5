"""A real SMTP server with one account, and what it was told."""

import contextlib
import email
import email.policy
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = "alerts@example.com", "secret-of-the-mail-account"


class MailServer:
    """Without a `certificate` everything goes in the clear, and the account may be used all the same."""

    def __init__(self, port, certificate=None, tls_from_the_start=False):
        self.mails = []
        self.sign_ins = []  # (was it by TLS, user, password)
        self.senders = []  # of each mail: from, to
        context = None
        if certificate:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            certificate.configure_cert(context)
        tls = {"ssl_context": context} if tls_from_the_start else {"tls_context": context, "require_starttls": context is not None}
        self.port = port
        self.controller = Controller(
            self, hostname="127.0.0.1", port=port, authenticator=self.sign_in, auth_require_tls=False, **tls)
        self.controller.start()

    def sign_in(self, server, session, envelope, mechanism, data):
        is_safe = server.transport.get_extra_info("ssl_object") is not None
        self.sign_ins.append((is_safe, data.login.decode(), data.password.decode()))
        return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))

    async def handle_DATA(self, server, session, envelope):
        self.senders.append((envelope.mail_from, envelope.rcpt_tos))
        self.mails.append(email.message_from_bytes(envelope.original_content, policy=email.policy.default))
        return "250 OK"

    def subjects(self):
        return [mail["Subject"] for mail in self.mails]

    def stop(self):
        with contextlib.suppress(OSError):
            self.controller.stop()
