"""How a meter event leaves the building: into a JSONL file by default, to Stripe when told to go live."""

from datetime import date
from typing import Literal, NamedTuple, Protocol

from integrations.stripe.meter_event_request import PlannedMeterEvent

__all__ = ["BillingTransport", "Submission", "SubmissionState"]

SubmissionState = Literal["dry_run", "accepted", "sending", "rejected", "verify"]


class Submission(NamedTuple):
    """What became of one meter event.

    `dry_run`: written, not sent. `accepted`: Stripe has it. `sending`: outcome open, resend under the same key.
    `rejected`: refused, counts for nothing. `verify`: the key was used for another body, so a person must look.
    """

    state: SubmissionState
    code: str | None = None
    detail: str | None = None
    request_id: str | None = None


class BillingTransport(Protocol):
    """Submits meter events; `destination` is part of every outbox key, `from_date` the first usage date it may bill."""

    @property
    def destination(self) -> str:
        """Where events go: `file`, `stripe:<account>`."""

    @property
    def from_date(self) -> date | None:
        """The go-live date for the planner (None: any)."""

    def deliver(self, event: PlannedMeterEvent) -> Submission:
        """Try once; outcomes are returned. Raises ValueError for an event that no destination would take."""
