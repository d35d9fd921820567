"""Events as CloudEvents 1.0 JSON lines, formatted fast."""

from collections.abc import Sequence

import numpy as np

from ml.synthetic.companies import Company
from ml.synthetic.events import APPOINTMENT_OUTCOMES, CALL, CALL_OUTCOMES, CHANNELS, COMPLETED, Events

__all__ = ["LineFormatter"]


class LineFormatter:
    """Formats events of the given companies; what does not change within a company is rendered once."""

    def __init__(self, companies: Sequence[Company]) -> None:
        self._heads = [[_head(company, kind) for kind in ("call", "appointment")] for company in companies]
        self._branches = [[f'","data":{{"branch":"{b.key}","customer":"c-' for b in c.branches] for c in companies]
        self._services = [[service for service, _ in company.archetype.services] for company in companies]
        self._currencies = [company.market.currency for company in companies]

    def lines(self, events: Events) -> list[str]:
        """One JSON object per event, in the order given, without line ends."""
        lines = np.empty(len(events), dtype=object)
        is_call = events["kind"] == CALL
        lines[is_call] = self._call_lines(events[is_call])
        lines[~is_call] = self._appointment_lines(events[~is_call])
        return list(lines)

    def _call_lines(self, calls: Events) -> list[str]:
        ends = [[f',"outcome":"{o}","channel":"{c}"}}}}' for c in CHANNELS] for o in CALL_OUTCOMES]
        heads, branches = self._heads, self._branches
        return [
            f'{{"specversion":"1.0","id":"c{number:06d}{heads[company][0]}{time}{offset}{branches[company][branch]}'
            f'{customer:04d}","duration_seconds":{duration}{ends[outcome][channel]}'
            for company, number, time, offset, branch, customer, duration, outcome, channel in zip(
                *_columns(calls, "company", "number"),
                *_times(calls),
                *_columns(calls, "branch", "customer", "duration", "outcome", "detail"),
                strict=True,
            )
        ]

    def _appointment_lines(self, appointments: Events) -> list[str]:
        heads, branches, services, currencies = self._heads, self._branches, self._services, self._currencies
        return [
            f'{{"specversion":"1.0","id":"a{number:06d}{heads[company][1]}{time}{offset}{branches[company][branch]}'
            f'{customer:04d}","outcome":"{APPOINTMENT_OUTCOMES[outcome]}","service":"{services[company][service]}"'
            + (f',"revenue":{cents / 100:.2f}' if outcome == COMPLETED else "")
            + f',"currency":"{currencies[company]}"}}}}'
            for company, number, time, offset, branch, customer, outcome, service, cents in zip(
                *_columns(appointments, "company", "number"),
                *_times(appointments),
                *_columns(appointments, "branch", "customer", "outcome", "detail", "cents"),
                strict=True,
            )
        ]


def _head(company: Company, kind: str) -> str:
    return f'","source":"/phone/{company.key}","type":"{kind}","subject":"{company.key}","time":"'


def _columns(events: Events, *names: str) -> list[list[int]]:
    return [events[name].tolist() for name in names]


def _times(events: Events) -> tuple[list[str], list[str]]:
    """Local time and offset of each event, RFC 3339."""
    local = (events["utc"] + events["offset"]).astype("datetime64[s]")
    texts = {offset: _offset_text(offset) for offset in np.unique(events["offset"]).tolist()}
    return np.datetime_as_string(local).tolist(), [texts[offset] for offset in events["offset"].tolist()]


def _offset_text(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{minutes:02d}"
