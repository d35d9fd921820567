import contextlib
import socketserver
import threading
from email import policy
from email.parser import BytesParser

import pytest

from integrations.messaging.transports import SmtpTransport


class FakeSmtp(socketserver.ThreadingTCPServer):
    """Speaks just enough SMTP; `replies` overrides the reply to a verb, `None` hangs up instead."""

    daemon_threads = True

    def __init__(self, replies):
        self.replies = replies
        self.mails = []
        self.verbs = []
        super().__init__(("127.0.0.1", 0), Conversation)
        self.url = f"smtp://127.0.0.1:{self.server_address[1]}"


class Conversation(socketserver.StreamRequestHandler):
    def say(self, verb, default):
        reply = self.server.replies.get(verb, default)
        if reply is not None:
            self.wfile.write(f"{reply}\r\n".encode())
        return reply is not None

    def handle(self):
        with contextlib.suppress(ConnectionError):
            going = self.say("HELLO", "220 fake")
            while going and (line := self.rfile.readline().decode().strip()):
                verb = line.split()[0].upper()
                self.server.verbs.append(verb)
                if verb == "DATA":
                    going = self.say("DATA", "354 go on") and self.take()
                else:
                    going = self.say(verb, "221 bye" if verb == "QUIT" else "250 ok") and verb != "QUIT"

    def take(self):
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        self.server.mails.append(b"".join(lines))
        return self.say("END", "250 taken")


@contextlib.contextmanager
def smtp(**replies):
    with FakeSmtp(replies) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_mail_arrives_whole(mail):
    with smtp() as server:
        delivery = SmtpTransport(server.url).deliver(mail())
    message = BytesParser(policy=policy.default).parsebytes(server.mails[0])
    assert (delivery.state, delivery.provider_id) == ("accepted", message["Message-ID"])
    assert [part.get_content().strip() for part in message.iter_parts()] == ["Grüße", "<p>Grüße</p>"]
    assert message["To"] == "owner@acme.invalid"


@pytest.mark.parametrize(
    ("verb", "reply", "state"),
    [
        ("HELLO", "421 busy", "retry_later"),
        ("HELLO", "554 go away", "failed"),
        ("HELLO", None, "retry_later"),
        ("MAIL", "553 sender refused", "failed"),
        ("RCPT", "550 no such user", "failed"),
        ("RCPT", "451 greylisted", "retry_later"),
        ("DATA", "452 full", "retry_later"),
        ("END", "554 spam", "failed"),
        ("END", "451 try again", "retry_later"),
        ("END", None, "unknown"),
        ("QUIT", None, "accepted"),
        ("QUIT", "500 what", "accepted"),
    ],
)
def test_a_reply_becomes_a_state(mail, verb, reply, state):
    with smtp(**{verb: reply}) as server:
        assert SmtpTransport(server.url).deliver(mail(), timeout=2).state == state


def test_a_server_that_is_not_there_can_be_tried_again(mail):
    with smtp() as server:
        url = server.url
    assert SmtpTransport(url).deliver(mail()).state == "retry_later"


def test_a_password_is_not_sent_without_tls(mail):
    with smtp(EHLO="250-fake\r\n250 AUTH PLAIN LOGIN", AUTH="235 welcome") as server:
        delivery = SmtpTransport(server.url.replace("//", "//user:secret@")).deliver(mail())
    assert (delivery.state, server.mails) == ("failed", [])
    assert "AUTH" not in server.verbs
    assert "secret" not in str(delivery)


def test_a_mail_without_recipient_is_suppressed(mail):
    assert SmtpTransport("smtp://nowhere.invalid").deliver(mail(recipient=None)).state == "suppressed"


def test_the_destination_is_the_host_alone():
    assert SmtpTransport("smtps://user:secret@mail.acme.invalid:465").destination == "smtp:mail.acme.invalid"


@pytest.mark.parametrize("url", ["mail.acme.invalid", "http://mail.acme.invalid", "smtp://"])
def test_what_is_no_smtp_address_is_refused(url):
    with pytest.raises(ValueError, match="SMTP_URL"):
        SmtpTransport(url)
