"""A recommendation is computed again from what was stored with it, and compared field by field."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from psycopg import Connection
from psycopg.rows import dict_row

from orchestration.advice import code_versions, compute
from orchestration.engine_inputs import CompanyInputs
from orchestration.lifecycle import UnknownRecommendation
from orchestration.recommendations import Occasion
from orchestration.replay_contents import Contents


class NotReplayable(LookupError):
    """The recommendation was made before its inputs were stored."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that came out otherwise."""

    field: str
    stored: Any
    computed: Any


@dataclass(frozen=True, slots=True)
class Replay:
    """What differs: fields of the recommendation, and versions of code and libraries since."""

    count_fields: int
    differences: list[Difference]
    other_versions: list[Difference]


def replay(connection: Connection, key: str) -> Replay:
    """Compute a recommendation again. Reads no marts and no raw data, and stores nothing.

    Raises:
        UnknownRecommendation: when there is none of this key.
        NotReplayable: when its inputs were not stored.
        ContentMissing: when models or catalogue are gone.
    """
    row = connection.cursor(row_factory=dict_row).execute(STORED, [key]).fetchone()
    if row is None:
        raise UnknownRecommendation.of(key)
    versions = row["versions"]
    if not versions:
        raise NotReplayable(f"{key} was made before inputs were stored; it can't be computed again")
    occasion = Occasion(row["recommendation_key"], row["recommendation_type"])
    computed = compute(CompanyInputs.of(row["input_series"]), versions, Contents.of(connection, versions), occasion)
    found = differences({name: row[name] for name in computed}, computed)
    return Replay(len(computed), found, differences(versions["code"], code_versions()))


def differences(stored: Mapping[str, Any], computed: Mapping[str, Any]) -> list[Difference]:
    """Fields that differ, down to single values within JSON; amounts and shares are compared as numbers."""
    return list(_differences("", stored, json.loads(json.dumps(computed, default=_number))))


def _differences(path: str, stored: Any, computed: Any) -> Iterator[Difference]:
    if isinstance(stored, Mapping) and isinstance(computed, Mapping):
        for name in sorted(stored.keys() | computed.keys()):
            yield from _differences(f"{path}.{name}".lstrip("."), stored.get(name), computed.get(name))
    elif isinstance(stored, list) and isinstance(computed, list) and len(stored) == len(computed):
        for place, pair in enumerate(zip(stored, computed, strict=True)):
            yield from _differences(f"{path}[{place}]", *pair)
    elif (float(stored) if isinstance(stored, Decimal) else stored) != computed:
        yield Difference(path, stored, computed)


def _number(value: Any) -> Any:
    """A Decimal is stored as a number of the same digits."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


STORED = "select * from ml.pricing_recommendations where recommendation_key = %s"
