"""Per bucket: a charge starts anew in each day, week or month, and each may owe a committed amount."""

from decimal import Decimal
from fractions import Fraction
from typing import Literal, Self

from ml.rating.charges import graduated, package, per_unit, volume
from ml.rating.charges.curve import Curve, NoTwinError
from ml.rating.charges.graduated import Graduated
from ml.rating.charges.package import Package
from ml.rating.charges.per_unit import PerUnit
from ml.rating.charges.rounding import rounded
from ml.rating.charges.volume import Volume
from ml.rating.money import EXACT
from ml.rating.steps import Step, cost_of
from ml.rating.terms import Amount, Terms, scaled
from ml.rating.usage import Bucket, Usage

__all__ = [
    "Bucketed",
    "Commitment",
    "GraduatedPerBucket",
    "PackagePerBucket",
    "PerUnitPerBucket",
    "VolumePerBucket",
    "breakdown",
    "curve_of",
]


class Commitment(Terms):
    """What each bucket owes at least (`true_up`), and by which factor what goes beyond costs more.

    A bucket that costs less than `amount` is charged `amount`, if it has to be trued up; one that costs more is charged
    `amount` and `overage_factor` times the rest.
    """

    amount: Amount
    overage_factor: Amount = Decimal(1)
    true_up: bool = True


class PerBucket(Terms):
    """What the variants add: how long a bucket is. A bucket is one for which usage is given, be it 0."""

    bucket: Bucket = "day"
    commitment: Commitment | None = None

    def scaled(self, share: Fraction) -> Self:
        """The charge for a part of a billing period: buckets are as long as ever, only bounds of the period scale."""
        return self.model_copy(update={name: scaled(getattr(self, name), share) for name in ("minimum", "maximum")})


class PerUnitPerBucket(PerBucket, PerUnit):
    """Included units come anew in each bucket."""

    model: Literal["per_unit_per_bucket"] = "per_unit_per_bucket"  # type: ignore[assignment]


class GraduatedPerBucket(PerBucket, Graduated):
    """Tiers are filled anew in each bucket."""

    model: Literal["graduated_per_bucket"] = "graduated_per_bucket"  # type: ignore[assignment]


class VolumePerBucket(PerBucket, Volume):
    """Each bucket's total chooses its tier."""

    model: Literal["volume_per_bucket"] = "volume_per_bucket"  # type: ignore[assignment]


class PackagePerBucket(PerBucket, Package):
    """Each bucket's total is rounded to packages."""

    model: Literal["package_per_bucket"] = "package_per_bucket"  # type: ignore[assignment]


Bucketed = PerUnitPerBucket | GraduatedPerBucket | VolumePerBucket | PackagePerBucket


def breakdown(charge: Bucketed, usage: Usage) -> tuple[Step, ...]:
    """The steps of all buckets, one after the other, with what a commitment adds to each."""
    buckets = (rounded(bucket, charge.quantity_rounding, charge.per) for bucket in usage.buckets(charge.bucket))
    return tuple(step for bucket in buckets for step in _committed(charge, _inner(charge, bucket)))


def curve_of(charge: Bucketed) -> Curve:
    """There is none: raises NoTwinError."""
    raise NoTwinError(f"{charge.model} of {charge.meter} depends on each {charge.bucket}, not on a period's total")


def _inner(charge: Bucketed, usage: Usage) -> tuple[Step, ...]:
    match charge:
        case PerUnitPerBucket():
            return per_unit.breakdown(charge, usage)
        case GraduatedPerBucket():
            return graduated.breakdown(charge, usage)
        case VolumePerBucket():
            return volume.breakdown(charge, usage)
        case PackagePerBucket():
            return package.breakdown(charge, usage)


def _committed(charge: Bucketed, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    commitment = charge.commitment
    if commitment is None:
        return steps
    beyond = cost_of(steps) - commitment.amount
    if beyond < 0:
        change = -beyond if commitment.true_up else Decimal(0)
    else:
        change = EXACT.multiply(beyond, commitment.overage_factor - 1)
    return (*steps, Step.adjusting("commitment", change)) if change else steps
