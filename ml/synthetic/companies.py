"""The companies of a world: who they are, where, since when, and on which plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from ml.synthetic.archetypes import ARCHETYPES, Archetype

__all__ = ["DEFAULT_PLAN_KEYS", "Branch", "Company", "Market", "make_companies"]

_PLANS = ("trial", "per_minute", "per_appointment", "package", "combined", "hybrid", "volumen", "flatrate")
DEFAULT_PLAN_KEYS: Mapping[str, Sequence[str]] = {"EUR": _PLANS, "USD": tuple(f"{plan}-usd" for plan in _PLANS)}


@dataclass(frozen=True)
class Market:
    """A country with its zone, language, money and cities (city, region)."""

    country: str
    time_zone: str
    locale: str
    currency: str
    cities: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Branch:
    """One site of a company."""

    key: str
    name: str
    city: str
    region: str


@dataclass(frozen=True)
class Company:
    """One company of the world; `activated_at` bears the company's zone."""

    number: int
    key: str
    name: str
    archetype: Archetype
    market: Market
    activated_at: datetime
    plan: str
    branches: tuple[Branch, ...]

    @property
    def midnight_of_activation(self) -> datetime:
        """Start of the local day of the activation: from then on the reference feeds describe the company."""
        return datetime.combine(self.activated_at.date(), time(), ZoneInfo(self.market.time_zone))


GERMANY = Market(
    "DE",
    "Europe/Berlin",
    "de",
    "EUR",
    (("Berlin", "Berlin"), ("Hamburg", "Hamburg"), ("München", "Bayern"), ("Köln", "Nordrhein-Westfalen")),
)
UNITED_STATES = Market(
    "US",
    "America/New_York",
    "en",
    "USD",
    (("New York", "New York"), ("Boston", "Massachusetts"), ("Philadelphia", "Pennsylvania"), ("Miami", "Florida")),
)
_SITES = ("main", "north", "south", "west")
_COHORTS = 6


def make_companies(
    count: int, days: int, start: date, seed: int, plan_keys: Mapping[str, Sequence[str]]
) -> list[Company]:
    """`count` companies in which every archetype meets both markets and every cohort of activation.

    Raises ValueError when `plan_keys` lacks a currency or lists no plan for it.
    """
    for market in (GERMANY, UNITED_STATES):
        if not plan_keys.get(market.currency):
            raise ValueError(f"plan_keys lists no plan in {market.currency}: name at least one plan key for it.")
    return [_make_company(number, days, start, seed, plan_keys) for number in range(count)]


def _make_company(number: int, days: int, start: date, seed: int, plan_keys: Mapping[str, Sequence[str]]) -> Company:
    rng = np.random.default_rng([seed, 1, number])
    # Every second block of companies sits on the ill-fitting plan; shifting by block mixes cohorts and markets.
    block, kind = divmod(number, len(ARCHETYPES))
    archetype = ARCHETYPES[kind]
    market = UNITED_STATES if (number + block) % 3 == 2 else GERMANY
    name = f"{archetype.names[market.locale]} {number + 1:02d}"
    activated_on = start + timedelta(days=_activation_day((kind + block) % _COHORTS, days, rng))
    clock = time(int(rng.integers(7, 18)), int(rng.integers(0, 60)))
    return Company(
        number=number,
        key=name.lower().replace(" ", "-"),
        name=name,
        archetype=archetype,
        market=market,
        activated_at=datetime.combine(activated_on, clock, ZoneInfo(market.time_zone)),
        plan=_plan_of(archetype.plans[block % 2], activated_on >= start, plan_keys[market.currency], rng),
        branches=_branches(market, int(rng.integers(1, archetype.most_branches + 1)), int(rng.integers(4))),
    )


def _activation_day(cohort: int, days: int, rng: np.random.Generator) -> int:
    """Day of activation counted from the first day of the world; a third of the cohorts is months older."""
    if cohort in (0, 3):
        return -int(rng.integers(60, 300))
    aim = {1: 0, 2: 7, 4: days - 14, 5: days - 7}[cohort]
    earliest_wanted = aim - int(rng.integers(0, 3))
    return max(0, min(earliest_wanted, days - 2))


def _plan_of(wanted: str, is_new: bool, keys: Sequence[str], rng: np.random.Generator) -> str:
    """The key of the wanted plan in the company's currency; many new companies still try."""
    if is_new and rng.random() < 0.4:
        wanted = "trial"
    fallback = keys[int(rng.integers(len(keys)))]
    return next((key for key in keys if key.startswith(wanted)), fallback)


def _branches(market: Market, count: int, first_city: int) -> tuple[Branch, ...]:
    cities = [market.cities[(first_city + index) % len(market.cities)] for index in range(count)]
    return tuple(
        Branch(key=site, name=f"{city} {site}", city=city, region=region)
        for site, (city, region) in zip(_SITES, cities, strict=False)
    )
