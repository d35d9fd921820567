"""What may be priced: the meters, their units, and how the quantities of a period come about."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["METERS", "TIMES_OF_DAY", "Meter"]

Aggregation = Literal["count", "sum", "max", "unique_count", "latest", "weighted_sum"]


@dataclass(frozen=True, slots=True)
class Meter:
    """`unit` of the quantities; `aggregation` as in the seed `billable_meters` of the dbt project.

    `by_event` says that its single events are kept as well, so that each may have a fee or a minimum of its own.
    """

    unit: str
    aggregation: Aggregation = "sum"
    by_event: bool = False

    @property
    def adds_up(self) -> bool:
        """Whether a period's quantity is the sum of its days'; a peak, a level and a count of values are not."""
        return self.aggregation in ("count", "sum", "weighted_sum")


METERS = {
    "calls": Meter("call", "count"),
    "call_seconds": Meter("second"),
    "business_hours_call_seconds": Meter("second"),
    "after_hours_call_seconds": Meter("second"),
    "peak_call_seconds": Meter("second"),
    "off_peak_call_seconds": Meter("second"),
    "appointments": Meter("appointment", "count"),
    "customers": Meter("customer", "unique_count"),
    "revenue": Meter("currency unit"),
    "payments": Meter("currency unit", by_event=True),
    "api_calls": Meter("call"),
    "api_calls_standard": Meter("call"),
    "api_calls_real_time": Meter("call"),
    "api_calls_high_priority": Meter("call"),
    "ai_queries": Meter("query"),
    "workflows": Meter("execution"),
    "emails": Meter("email"),
    "ai_responses": Meter("response"),
    "leads": Meter("lead"),
    "sessions": Meter("session", "count"),
    "audio_seconds": Meter("second"),
    "transcriptions": Meter("transcription"),
    "exports": Meter("export"),
    "storage_mb": Meter("megabyte", "latest"),
    "seats": Meter("seat", "latest"),
    "seat_hours": Meter("seat hour", "weighted_sum"),
    "concurrent_sessions_peak": Meter("session", "max"),
    "unique_clients": Meter("client", "unique_count"),
}
"""Every meter that a plan may charge; the dbt seed `billable_meters` says which events each counts."""

TIMES_OF_DAY = {
    "call_seconds": (
        {"business": "business_hours_call_seconds", "after": "after_hours_call_seconds"},
        {"peak": "peak_call_seconds", "off_peak": "off_peak_call_seconds"},
    )
}
"""The ways in which a meter is split by time of day: name of the time -> the meter that counts this part alone."""
