"""Stripe's meter events, one request each, with the identifier as idempotency key."""

import hashlib
import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from integrations.stripe.meter_event_request import PlannedMeterEvent, meter_event_body
from integrations.stripe.transports.submission import Submission

__all__ = ["StripeBilling", "outcome_of_error"]

CONNECT_AND_READ_SECONDS = (5, 20)
DUPLICATE_CODE = "duplicate_meter_event"
DUPLICATE_MESSAGE = re.compile(r"event already exists with identifier", re.IGNORECASE)


class StripeBilling:
    """A thin client with timeouts and the SDK's own safe retries; `base_addresses` may name a fake."""

    def __init__(
        self,
        api_key: str,
        *,
        account: str | None = None,
        from_date: date | None = None,
        base_addresses: Mapping[str, str] | None = None,
        max_network_retries: int = 2,
    ) -> None:
        """`account` names the Stripe account in the destination, so that a new API key does not look like a new one."""
        import stripe

        self._account = account or hashlib.blake2b(api_key.encode()).hexdigest()[-4:]
        self._from_date = from_date
        addresses: Any = dict(base_addresses or {})
        self._client = stripe.StripeClient(
            api_key,
            base_addresses=addresses,
            max_network_retries=max_network_retries,
            http_client=stripe.RequestsClient(timeout=CONNECT_AND_READ_SECONDS),
        )

    @property
    def destination(self) -> str:
        """`stripe:<account>`, or `stripe:<last 4 of the key's hash>`."""
        return f"stripe:{self._account}"

    @property
    def from_date(self) -> date | None:
        """Usage before it is not billed."""
        return self._from_date

    def deliver(self, event: PlannedMeterEvent) -> Submission:
        """Send one event; its row must have been committed as `sending` before."""
        import stripe

        body: Any = meter_event_body(event)
        try:
            self._client.v1.billing.meter_events.create(body, {"idempotency_key": event.key})
        except stripe.StripeError as error:
            kind = error.error.type if error.error else None
            return outcome_of_error(error.http_status, kind, error.code, str(error), error.request_id)
        return Submission("accepted")


def outcome_of_error(
    status: int | None, kind: str | None, code: str | None, message: str, request_id: str | None = None
) -> Submission:
    """What a failed request means for its event.

    A known identifier is a success of an earlier try (v1 says so by message only). No answer, 409, 429 and 5xx leave
    the outcome open. A key used with another body is for a person; every other 4xx is a refusal.
    """
    if status == 400 and (code == DUPLICATE_CODE or DUPLICATE_MESSAGE.search(message)):
        return Submission("accepted", DUPLICATE_CODE, message, request_id)
    if kind == "idempotency_error":
        return Submission("verify", kind, message, request_id)
    if status is None or status in (408, 409, 429) or not 400 <= status < 500:
        return Submission("sending", code, message, request_id)
    return Submission("rejected", code or kind or str(status), message, request_id)
