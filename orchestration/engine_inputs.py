"""What the recommendation engine is handed about companies: read from the database, or from what was stored of one."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any

import pandas as pd
from psycopg import Connection

from orchestration.analysis_inputs import read_analysis
from orchestration.findings import read_findings
from orchestration.forecast_inputs import ForecastInputs, read_histories

Document = dict[str, Any]


@dataclass(frozen=True)
class CompanyInputs:
    """All that is known of companies at one date; the engine takes nothing else but models and the catalogue.

    `companies`: company_id, currency, plan_key, plan_version. `noticed`: further frames for `find_insights`.
    `histories`: their usage. Nothing here reaches beyond the company, so that each can be computed alone.
    """

    companies: pd.DataFrame
    characteristics: pd.DataFrame
    patterns: pd.DataFrame
    noticed: Mapping[str, pd.DataFrame]
    histories: ForecastInputs

    def documents(self) -> Iterator[tuple[int, Document]]:
        """Each company with what of it is its own, as JSON, in their order."""
        frames = {"companies": self.companies, "characteristics": self.characteristics, "patterns": self.patterns}
        histories = {field.name: getattr(self.histories, field.name) for field in fields(ForecastInputs)}
        parts = {name: _Split(frame) for name, frame in frames.items()}
        noticed = {name: _Split(frame) for name, frame in self.noticed.items()}
        used = {name: _Split(frame) for name, frame in histories.items()}
        for company_id in self.companies["company_id"].tolist():
            yield (
                company_id,
                {
                    **{name: frame.written(company_id) for name, frame in parts.items()},
                    "noticed": {name: frame.written(company_id) for name, frame in noticed.items()},
                    "histories": {name: frame.written(company_id) for name, frame in used.items()},
                },
            )

    @classmethod
    def of(cls, document: Document) -> "CompanyInputs":
        """The same again."""
        return cls(
            *(_read(document[name]) for name in ("companies", "characteristics", "patterns")),
            noticed={name: _read(frame) for name, frame in document["noticed"].items()},
            histories=ForecastInputs(**{name: _read(frame) for name, frame in document["histories"].items()}),
        )


def read_company_inputs(connection: Connection, at: date, known_at: datetime, companies: pd.DataFrame) -> CompanyInputs:
    """Read what is known of companies at a date."""
    ids: Sequence[int] = companies["company_id"].tolist()
    patterns, characteristics = read_analysis(connection, at, ids)
    histories = read_histories(connection, at, known_at, ids)
    return CompanyInputs(companies, characteristics, patterns, read_findings(connection, at, ids), histories)


class _Split:
    """A frame whose rows of one company are found without looking at all of them."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self._rows = frame.groupby("company_id").indices

    def written(self, company_id: int) -> Document:
        """Columns with their types; dates and times as ISO 8601, what is missing as null."""
        own = self._frame.iloc[self._rows.get(company_id, [])]
        return {
            str(name): {"dtype": str(own[name].dtype), "values": [*map(_plain, own[name].tolist())]} for name in own
        }


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list):
        return value
    if pd.isna(value):
        return None
    return value.isoformat() if isinstance(value, date) else value


def _read(columns: Document) -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(column["values"], dtype=column["dtype"]) for name, column in columns.items()})
