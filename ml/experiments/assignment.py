"""Which company gets which variant: by chance, in balance within each stratum, and always the same again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations
from typing import Literal

__all__ = ["BLOCK", "Arm", "Assignment", "assign"]

Arm = Literal["a", "b"]

BLOCK = 4
"""So many companies of a stratum in a row are half a and half b."""
ORDERS = tuple("".join("a" if i in chosen else "b" for i in range(BLOCK)) for chosen in combinations(range(BLOCK), 2))


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm of a company, and its place in the stratum's sequence of arms."""

    company_key: str
    stratum: str
    position: int
    arm: Arm


def assign(experiment: str, strata: Mapping[str, str], taken: Mapping[str, int]) -> list[Assignment]:
    """The arms of companies that have none yet, by `strata` (company key -> stratum).

    Stratified permuted blocks (Matts and Lachin, Controlled Clinical Trials 9 (1988), 327-344): each block of four is
    one of the six orders of a a b b, drawn by a hash of experiment, stratum and block. Companies that come together
    queue by a hash of experiment and company, behind those that were assigned before: `taken` says how many by stratum.
    """
    queues: dict[str, list[str]] = {}
    for company, stratum in strata.items():
        queues.setdefault(stratum, []).append(company)
    return [
        Assignment(company, stratum, position, _arm(experiment, stratum, position))
        for stratum in sorted(queues)
        for position, company in enumerate(_queue(experiment, queues[stratum]), taken.get(stratum, 0))
    ]


def _queue(experiment: str, companies: Iterable[str]) -> list[str]:
    return sorted(companies, key=lambda company: (_hash(experiment, "company", company), company))


def _arm(experiment: str, stratum: str, position: int) -> Arm:
    block, place = divmod(position, BLOCK)
    order = ORDERS[_hash(experiment, "block", stratum, str(block)) % len(ORDERS)]
    return "a" if order[place] == "a" else "b"


def _hash(*facts: str) -> int:
    text = "\0".join(facts)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")
