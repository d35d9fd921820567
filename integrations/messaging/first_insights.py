"""The day-7 mail: what the first week shows. Turns its payload into the strings that the templates lay out."""

from typing import Any

from integrations.messaging.findings import describe_finding, quantity
from integrations.messaging.formats import Formats, as_date, as_decimal
from integrations.messaging.payloads import Payload, Problems
from integrations.messaging.texts import Texts

__all__ = ["first_insights_view"]

KIND = "first_insights"
TOTALS = ("calls", "call_minutes", "appointments")


def first_insights_view(payload: Payload, write: Formats, texts: Texts) -> dict[str, Any]:
    """Strings for the templates from `{company_name, window_start, window_end, totals, findings}`.

    The window is half-open, ISO dates; totals are numbers per TOTALS. Raises PayloadError naming all problems.
    """
    problems = Problems(KIND)
    company = problems.read(payload, "company_name", str)
    start, end = (problems.read(payload, name, as_date) for name in ("window_start", "window_end"))
    if start and end and end <= start:
        problems.note(f"window_end {end} does not lie after window_start {start}")
    totals = {unit: problems.read(payload, f"totals.{unit}", as_decimal) for unit in TOTALS}
    rows = problems.read_rows(payload, "findings")
    findings = [describe_finding(row, at, write, texts, problems) for at, row in rows]
    problems.raise_if_any()
    counted = {unit: quantity(unit, amount, write, texts) for unit, amount in totals.items()}
    return {
        "company": company,
        "preheader": texts(f"{KIND}.preheader", **{unit: " ".join(counted[unit]) for unit in TOTALS}),
        "intro": texts(f"{KIND}.intro", company=company, period=write.period(start, end)),
        "totals": list(counted.values()),
        "findings": findings,
    }
