"""What recommendations were computed from beside their company's own, known by the hash of its content."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any

from psycopg import Connection

from ml.analysis.forecasting.learning import ForecastModel
from ml.analysis.forecasting.models import Kind
from ml.analysis.forecasting.stored import pack, unpack
from ml.rating.plan import Plan
from ml.recommendation.choosers.analogues import Analogues
from ml.recommendation.choosers.policy import Policy
from ml.recommendation.choosers.stored import pack as pack_analogues
from ml.recommendation.choosers.stored import unpack as unpack_analogues
from ml.recommendation.options import plan_id
from orchestration.recommendations import PlanIds

Row = Mapping[str, Any]


class ContentMissing(LookupError):
    """What a recommendation was computed from is no longer stored."""


@dataclass(frozen=True, slots=True)
class Contents:
    """Bytes by their hash, with what kind each is; read once each."""

    stored: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _read: dict[str, Any] = field(default_factory=dict)

    def keep_model(self, model: ForecastModel) -> str:
        """Keep a model; returns its hash."""
        return self._keep("model", pack(model))

    def keep_catalogue(self, plans: Sequence[Plan], ids: PlanIds) -> str:
        """Keep all versions of all plans, with the ids that they have in the database; returns the hash."""
        written = [{"plan_id": ids[plan_id(plan)], "terms": plan.terms()} for plan in plans]
        return self._keep("catalogue", json.dumps(written, sort_keys=True).encode())

    def keep_policies(self, policies: Mapping[Kind, Policy]) -> str:
        """Keep the policies of a group of plans; returns the hash."""
        rows = [
            {"segment": segment, "history_days": days, "policy": policy.as_json()}
            for (segment, days), policy in sorted(policies.items())
        ]
        return self._keep("policies", json.dumps(rows, sort_keys=True).encode())

    def keep_analogues(self, analogues: Analogues) -> str:
        """Keep analogues; returns their hash."""
        return self._keep("analogues", pack_analogues(analogues))

    def policies(self, content_hash: str) -> dict[Kind, Policy]:
        """Policies that were kept.

        Raises:
            ContentMissing: when there are none of this hash.
        """
        if content_hash not in self._read:
            rows = json.loads(self._bytes(content_hash))
            self._read[content_hash] = {(row["segment"], row["history_days"]): Policy.of(row["policy"]) for row in rows}
        found: dict[Kind, Policy] = self._read[content_hash]
        return found

    def analogues(self, content_hash: str, plans: Sequence[Plan]) -> Analogues:
        """Analogues that were kept; `plans` is the catalogue that was kept with them.

        Raises:
            ContentMissing: when there are none of this hash.
        """
        if content_hash not in self._read:
            self._read[content_hash] = unpack_analogues(self._bytes(content_hash), plans)
        found: Analogues = self._read[content_hash]
        return found

    def model(self, content_hash: str) -> ForecastModel:
        """A model that was kept.

        Raises:
            ContentMissing: when there is none of this hash.
        """
        if content_hash not in self._read:
            self._read[content_hash] = unpack(self._bytes(content_hash))
        found: ForecastModel = self._read[content_hash]
        return found

    def catalogue(self, content_hash: str) -> tuple[list[Plan], PlanIds]:
        """A catalogue that was kept.

        Raises:
            ContentMissing: when there is none of this hash.
        """
        if content_hash not in self._read:
            rows = json.loads(self._bytes(content_hash))
            plans = [Plan.model_validate(row["terms"]) for row in rows]
            self._read[content_hash] = (
                plans,
                {plan_id(plan): row["plan_id"] for plan, row in zip(plans, rows, strict=True)},
            )
        found: tuple[list[Plan], PlanIds] = self._read[content_hash]
        return found

    def rows(self, recommendations: Iterable[Row], now: datetime) -> list[dict[str, Any]]:
        """Rows of `ml.replay_contents`, of what these recommendations were computed from."""
        hashes = {content_hash for row in recommendations for content_hash in hashes_of(row["versions"])}
        return [
            {"content_hash": name, "kind": self.stored[name][0], "content": self.stored[name][1], "stored_at": now}
            for name in sorted(hashes)
        ]

    @classmethod
    def of(cls, connection: Connection, versions: Mapping[str, Any]) -> "Contents":
        """Those that one recommendation was computed from, as they are stored."""
        rows = connection.execute(
            "select content_hash, kind, content from ml.replay_contents where content_hash = any(%s)",
            [hashes_of(versions)],
        )
        return cls({name: (kind, content) for name, kind, content in rows})

    def _keep(self, kind: str, content: bytes) -> str:
        content_hash = sha256(content).hexdigest()
        self.stored[content_hash] = kind, content
        return content_hash

    def _bytes(self, content_hash: str) -> bytes:
        if content_hash not in self.stored:
            raise ContentMissing(f"ml.replay_contents has no {content_hash}; restore the row from a backup")
        return self.stored[content_hash][1]


def hashes_of(versions: Mapping[str, Any]) -> list[str]:
    """The contents that a recommendation's `versions` name."""
    choice = [name for name in (versions["policies"], versions["analogues"]) if name]
    return [versions["catalogue"], *versions["models"].values(), *choice]
