"""What is declared of an experiment before it begins, and what follows from it."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from ml.experiments.metrics import METRICS, Metric
from ml.experiments.power import minimum_days, per_arm_for_means, per_arm_for_proportions, sample_size
from ml.rating.plan import Currency, Key, Plan
from ml.rating.terms import Terms, problems_at

__all__ = ["Design", "from_recommendation"]

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Design(Terms):
    """Two variants, the first metric that decides, and the rule by which it does; others are only shown.

    Variants are JSON objects, such as a plan's terms. `minimum_effect` is absolute, in the metric's unit, and what the
    `power` is for. `companies_at_start` and `companies_per_week` are those that will be counted. Companies that are
    billed in `currency` take part, of `plan_keys` only where some are named. At the latest after `maximum_days` the
    last look is taken; without it, after twice the days that the test needs.
    """

    key: Key
    name: Annotated[str, Field(min_length=1, max_length=100)]
    variant_a: Annotated[dict[str, Any], Field(min_length=1)]
    variant_b: Annotated[dict[str, Any], Field(min_length=1)]
    metrics: Annotated[tuple[str, ...], Field(min_length=1)]
    minimum_effect: Positive
    baseline: Annotated[float, Field(gt=0, lt=1)] | None = None
    standard_deviation: Positive | None = None
    alpha: Annotated[float, Field(ge=0.001, le=0.2)] = 0.05
    power: Annotated[float, Field(ge=0.5, le=0.99)] = 0.8
    looks: Annotated[int, Field(ge=1, le=20)] = 5
    observation_days: Annotated[int, Field(ge=1, le=366)] = 30
    companies_at_start: Annotated[int, Field(ge=0)] = 0
    companies_per_week: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0
    maximum_days: Annotated[int, Field(ge=1)] | None = None
    currency: Currency = "EUR"
    plan_keys: tuple[Key, ...] = ()
    recommendation_key: str | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        problems_at("experiment", self._problems())
        problems_at("experiment", self._contradictions())
        return self

    @property
    def primary(self) -> Metric:
        """The metric that decides."""
        return METRICS[self.metrics[0]]

    @property
    def companies(self) -> int:
        """How many companies, in both arms together, have to be counted."""
        if self.primary.kind == "proportion":
            per_arm = per_arm_for_proportions(self.baseline or 0, self.minimum_effect, self.alpha, self.power)
        else:
            per_arm = per_arm_for_means(self.standard_deviation or 0, self.minimum_effect, self.alpha, self.power)
        return sample_size(per_arm, self.looks, self.alpha, self.power)

    @property
    def days(self) -> int:
        """How many days it takes until they are counted, at least."""
        return minimum_days(self.companies, self.companies_at_start, self.companies_per_week, self.observation_days)

    @property
    def last_day(self) -> int:
        """The day after the start on which the last look is taken, however many were counted."""
        return self.maximum_days or 2 * self.days

    def _problems(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        for index, name in enumerate(self.metrics):
            if name not in METRICS:
                yield ("metrics", index), f"no metric is called {name}; use some of {', '.join(METRICS)}"
            elif name in self.metrics[:index]:
                yield ("metrics", index), f"{name} is there twice; keep one"
            elif self.observation_days < (needed := METRICS[name].minimum_days):
                yield (
                    ("observation_days",),
                    f"{self.observation_days} are too few for {name}; use {needed} or more",
                )
        if self.variant_a == self.variant_b:
            yield ("variant_b",), "it is the same as variant_a, so there is nothing to compare"

    def _contradictions(self) -> Iterable[tuple[tuple[str | int, ...], str]]:
        needed: Literal["baseline", "standard_deviation"]
        needed = "baseline" if self.primary.kind == "proportion" else "standard_deviation"
        if getattr(self, needed) is None:
            yield (needed,), f"say what it is without a change: the size of the test for {self.metrics[0]} needs it"
        elif needed == "baseline" and (self.baseline or 0) + self.minimum_effect >= 1:
            yield ("minimum_effect",), f"{self.baseline} and {self.minimum_effect} more are no share below 1"
        elif not self.companies_per_week and self.companies_at_start < self.companies:
            sentence = f"the test needs {self.companies} companies, and none join; give a larger minimum_effect"
            yield ("companies_per_week",), sentence
        elif self.maximum_days is not None and self.maximum_days < self.days:
            yield ("maximum_days",), f"the test needs {self.days} days; allow as many"


def from_recommendation(current: Plan, recommended: Plan, key: str, declared: Mapping[str, Any]) -> Design:
    """A test of a recommended plan (b) against the current one (a), among companies on the current one.

    `key` is the recommendation's, `declared` what else a design holds.

    Raises:
        ValidationError: for an advice to stay, and like `Design`.
        ValueError: when the plans are in two currencies.
    """
    if current.currency != recommended.currency:
        raise ValueError(f"{current.plan_key} is in {current.currency}, {recommended.plan_key} in another currency")
    implied = {
        "variant_a": current.terms(),
        "variant_b": recommended.terms(),
        "currency": current.currency,
        "plan_keys": [current.plan_key],
        "recommendation_key": key,
    }
    return Design.model_validate({**declared, **implied})
