"""A small SendGrid on a loopback port: checks requests as documented, keeps accepted mails, fails on demand."""

import json
import threading
import time
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

API_KEY = "SG.fake"


class FakeSendGrid:
    """A context manager. `faults` is a queue of statuses, `slow`, `cut` (nothing done), `lost` (done, no answer)."""

    def __init__(self):
        self.mails = []
        self.requests = 0
        self.faults = deque()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *exc):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, path, headers, raw):
        """Status, headers and JSON body of one request; a well-formed mail is kept."""
        if path != "/v3/mail/send":
            return 404, {}, _error("not found")
        if headers.get("Authorization") != f"Bearer {API_KEY}":
            return 401, {}, _error("The provided authorization grant is invalid, expired, or revoked")
        if headers.get("Content-Type") != "application/json":
            return 415, {}, _error("the body must be JSON")
        mail = json.loads(raw)
        if problem := problem_of(mail):
            return 400, {}, _error(problem)
        if mail.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return 200, {}, None
        self.mails.append(mail)
        return 202, {"X-Message-Id": f"message-{len(self.mails)}"}, None

    def _handler(fake):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                fake.requests += 1
                fault = fake.faults.popleft() if fake.faults else None
                if fault == "cut":
                    return
                if fault == "slow":
                    time.sleep(0.5)
                if isinstance(fault, int):
                    status, headers, body = fault, {"X-RateLimit-Reset": "1795000000"}, _error(f"fault {fault}")
                else:
                    status, headers, body = fake.answer(self.path, self.headers, raw)
                if fault in ("lost", "slow"):
                    return
                content = b"" if body is None else json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        return Handler


def problem_of(mail):
    """What SendGrid would refuse in the body of mail/send, or None."""
    for name in ("personalizations", "from", "subject", "content"):
        if not mail.get(name):
            return f"{name} is required"
    for person in mail["personalizations"]:
        if not person.get("to") or not all("@" in to["email"] for to in person["to"]):
            return "does not contain a valid address"
        if not all(isinstance(value, str) for value in person.get("custom_args", {}).values()):
            return "custom_args must be strings"
    if [part["type"] for part in mail["content"]] != ["text/plain", "text/html"]:
        return "text/plain must be first, followed by text/html"
    if not mail["from"]["email"].isascii():
        return "unicode is not supported in from"
    return None


def _error(message):
    return {"errors": [{"message": message, "field": None}]}
