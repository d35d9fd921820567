"""What every option would cost on every usage path, for one company or for many at once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import numpy.typing as npt

from ml.rating.plan import Plan
from ml.rating.twin import Twin

__all__ = ["USAGE_FACTORS", "CurrencyMismatchError", "Simulation", "money", "simulate", "simulate_many"]

Floats = npt.NDArray[np.float64]

CENT = Decimal("0.01")
USAGE_FACTORS = np.geomspace(0.25, 4, 33)
"""Multiples of the expected usage at which the options are priced too, to say what would change the choice."""


class CurrencyMismatchError(ValueError):
    """Costs in two currencies cannot be compared."""


@dataclass(frozen=True, slots=True)
class Simulation:
    """Costs of o plans for one company, in its currency, per month.

    `costs` [o, p] on p usage paths; `expected`, `low` (p10) and `high` (p90) of them [o]; `scaled` [o, f] at
    USAGE_FACTORS times the expected usage; `usage`: the paths [p] per meter; `usage_spread`: their expected, p10,
    p50 and p90.
    """

    plans: tuple[Plan, ...]
    usage: Mapping[str, Floats]
    usage_spread: Mapping[str, Mapping[str, float]]
    costs: Floats
    expected: Floats
    low: Floats
    high: Floats
    scaled: Floats

    @property
    def worst(self) -> Floats:
        """Cost [o] of the worst month."""
        most: Floats = self.costs.max(axis=1)
        return most

    @property
    def max_regret(self) -> Floats:
        """Most [o] that an option costs above the cheapest one on the same path (Savage 1951)."""
        most: Floats = (self.costs - self.costs.min(axis=0)).max(axis=1)
        return most

    def switch_points(self) -> list[tuple[float, int, int]]:
        """Multiples of the expected usage at which another option becomes the cheapest: (multiple, below, above).

        Linear between USAGE_FACTORS; all meters grow alike. Equals stay with what was cheapest below.
        """
        cheapest = [int(self.scaled[:, 0].argmin())]
        points = []
        for at in range(1, self.scaled.shape[1]):
            costs, last = self.scaled[:, at], cheapest[-1]
            best = int(costs.argmin())
            best = last if costs[last] <= costs[best] + 1e-9 else best
            if best != last:
                gaps = self.scaled[last, at - 1 : at + 1] - self.scaled[best, at - 1 : at + 1]
                share = float(np.clip(-gaps[0] / (gaps[1] - gaps[0]), 0, 1)) if gaps[1] > gaps[0] else 1.0
                before, after = USAGE_FACTORS[at - 1 : at + 1].tolist()
                points.append((before + share * (after - before), last, best))
            cheapest.append(best)
        return points

    def only(self, rows: list[int]) -> "Simulation":
        """The same company with these options only."""
        plans = tuple(self.plans[row] for row in rows)
        per_option = (self.costs, self.expected, self.low, self.high, self.scaled)
        return Simulation(plans, self.usage, self.usage_spread, *(figures[rows] for figures in per_option))


def money(amount: float) -> Decimal:
    """A simulated amount at 2 decimals, half up."""
    return Decimal(repr(float(amount))).quantize(CENT, ROUND_HALF_UP)


def simulate(plans: Sequence[Plan], usage: Mapping[str, npt.ArrayLike]) -> Simulation:
    """Cost of `plans` on the paths [p] of `usage`; a meter without paths counts as unused.

    Raises ValueError without plans or paths, or when the meters have different numbers of paths, and
    CurrencyMismatchError when the plans have different currencies.
    """
    paths = {meter: np.atleast_1d(np.asarray(values, dtype=np.float64)) for meter, values in usage.items()}
    sizes = {values.shape for values in paths.values()}
    if len(sizes) != 1 or 0 in next(iter(sizes)):
        raise ValueError(f"usage paths have the shapes {sorted(sizes)}; give every meter the same number of paths.")
    monthly = np.stack(list(paths.values()))[None]
    return next(simulate_many(plans, tuple(paths), monthly))


def simulate_many(plans: Sequence[Plan], meters: tuple[str, ...], monthly: Floats) -> Iterator[Simulation]:
    """One simulation per company of `monthly` [c, m, p], all with the same plans, computed together.

    Raises ValueError without plans and CurrencyMismatchError when the plans have different currencies.
    """
    if not plans:
        raise ValueError("no plans to simulate; give at least the current one.")
    require_one_currency(plans)
    grid = monthly.mean(axis=2, keepdims=True) * USAGE_FACTORS
    twin = Twin(plans)
    costs, scaled = _costs(twin, meters, monthly), _costs(twin, meters, grid)
    expected = costs.mean(axis=2)
    low, high = np.quantile(costs, (0.1, 0.9), axis=2)
    spreads = _spreads(monthly)
    for row, company in enumerate(monthly):
        yield Simulation(
            plans=tuple(plans),
            usage=dict(zip(meters, company, strict=True)),
            usage_spread=dict(zip(meters, spreads[row], strict=True)),
            costs=costs[row],
            expected=expected[row],
            low=low[row],
            high=high[row],
            scaled=scaled[row],
        )


def require_one_currency(plans: Sequence[Plan], currency: str | None = None) -> None:
    """Raise CurrencyMismatchError unless all plans are priced in one currency (`currency` where given)."""
    found = sorted({plan.currency for plan in plans} | ({currency} if currency else set()))
    if len(found) > 1:
        raise CurrencyMismatchError(f"options in {' and '.join(found)}; compare plans of one currency only.")


def _costs(twin: Twin, meters: tuple[str, ...], usage: Floats) -> Floats:
    """Costs [c, o, p] of the usage [c, m, p]."""
    count, _, paths = usage.shape
    costs = twin.costs({meter: usage[:, column] for column, meter in enumerate(meters)})
    # Without any meter a plan costs its base fee, once.
    costs = costs if meters else costs[:, None, None]
    return np.broadcast_to(costs, (len(costs), count, paths)).swapaxes(0, 1)


def _spreads(monthly: Floats) -> list[list[dict[str, float]]]:
    low, middle, high = np.quantile(monthly, (0.1, 0.5, 0.9), axis=2)
    figures = np.stack([monthly.mean(axis=2), low, middle, high], axis=2).round(2).tolist()
    names = ("expected", "p10", "p50", "p90")
    return [[dict(zip(names, values, strict=True)) for values in meters] for meters in figures]
