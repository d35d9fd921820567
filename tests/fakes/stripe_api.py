"""A small Stripe on a loopback port: the rules of meter events, an idempotency cache, a clock, a queue of faults."""

import json
import re
import threading
from collections import deque
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

API_KEY = "sk_test_fake"
DAY = 86_400
KNOWN = {"event_name", "identifier", "timestamp", "payload[stripe_customer_id]", "payload[value]"}


class FakeStripe:
    """A context manager. `faults` is a queue of statuses, `cut` (nothing done), `lost` (done, no answer)."""

    def __init__(self, now):
        self.now = now
        self.events = {}
        self.requests = []
        self.faults = deque()
        self._answers = {}
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

    def total(self, event_name, customer):
        """What a meter with formula `sum` shows for one customer."""
        events = [form for form, _ in self.events.values() if form["event_name"] == event_name]
        return sum(int(form["payload[value]"]) for form in events if form["payload[stripe_customer_id]"] == customer)

    def forget_idempotency(self):
        """As if the cache of answers had expired while the identifiers are still known."""
        self._answers.clear()

    def answer(self, path, headers, raw):
        """Status, headers and body of one request, by the rules of meter events."""
        if headers.get("Authorization") != f"Bearer {API_KEY}":
            return error(401, "Invalid API Key provided")
        if path != "/v1/billing/meter_events":
            return error(404, f"Unrecognized request URL (POST: {path})")
        if headers.get("Content-Type") != "application/x-www-form-urlencoded":
            return error(400, "the body must be a form")
        form = dict(parse_qsl(raw.decode(), keep_blank_values=True))
        key = headers["Idempotency-Key"]
        if key in self._answers:
            earlier, answer = self._answers[key]
            if earlier == form:
                return answer
            return error(
                400, "Keys for idempotent requests can only be used with the same parameters.", kind="idempotency_error"
            )
        answer = self.refusal(form) or self.accept(form)
        if answer[0] == 200:
            self._answers[key] = form, answer
        return answer

    def refusal(self, form):
        """The 400 that Stripe gives for a form that breaks a rule, or None."""
        if unknown := sorted(form.keys() - KNOWN):
            return error(400, f"Received unknown parameter: {unknown[0]}", code="parameter_unknown")
        if missing := sorted(KNOWN - form.keys()):
            return error(400, f"Missing required param: {missing[0]}.", code="parameter_missing")
        if not 1 <= len(form["identifier"]) <= 100:
            return error(400, "Invalid string: identifier must be at most 100 characters")
        if not re.fullmatch(r"-?\d{1,15}", form["payload[value]"]):
            return error(400, "value must be a whole number", code="meter_event_value_too_many_digits")
        if int(form["timestamp"]) < self.now - 35 * DAY:
            return error(400, "timestamp too far in the past", code="timestamp_too_far_in_past")
        if int(form["timestamp"]) > self.now + 300:
            return error(400, "timestamp in the future", code="timestamp_in_future")
        _, received = self.events.get(form["identifier"], (None, -DAY))
        if self.now - received < DAY:
            return error(400, f"An event already exists with identifier {form['identifier']}.", retry="false")
        return None

    def accept(self, form):
        """Keep the event and answer as Stripe does."""
        self.events[form["identifier"]] = form, self.now
        body = {"object": "billing.meter_event", "event_name": form["event_name"], "identifier": form["identifier"]}
        return 200, {}, {**body, "created": self.now, "livemode": False, "timestamp": int(form["timestamp"])}

    def _handler(fake):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                raw = self.rfile.read(int(self.headers["Content-Length"]))
                fake.requests.append((self.headers["Idempotency-Key"], raw.decode()))
                fault = fake.faults.popleft() if fake.faults else None
                if fault == "cut":
                    return
                answer = error(fault, f"fault {fault}") if isinstance(fault, int) else None
                status, headers, body = answer or fake.answer(self.path, self.headers, raw)
                if fault == "lost":
                    return
                content = json.dumps(body).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(content)), "Request-Id": "req_fake"}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *args):
                pass

        return Handler


def error(status, message, code=None, kind="invalid_request_error", retry=None):
    """An error answer; `retry` is the header stripe-should-retry."""
    body = {"type": kind if status < 500 else "api_error", "message": message, **({"code": code} if code else {})}
    return status, {"stripe-should-retry": retry} if retry else {}, {"error": body}
