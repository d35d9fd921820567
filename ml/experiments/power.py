"""How many companies a test needs, and how long it takes at least; computed before it begins."""

from math import ceil

from ml.experiments.spending import drift_for_power

__all__ = ["LEAST_DAYS", "inflation", "minimum_days", "per_arm_for_means", "per_arm_for_proportions", "sample_size"]

LEAST_DAYS = 14
"""No test is planned for less than two whole weeks, so that each weekday counts twice."""


def per_arm_for_proportions(baseline: float, effect: float, alpha: float, power: float) -> float:
    """Companies per arm that tell baseline + effect from baseline, two-sided, at one look.

    n = (z_a sqrt(2 p (1 - p)) + z_b sqrt(p1 (1 - p1) + p2 (1 - p2)))^2 / (p1 - p2)^2 with p the mean of both: Fleiss,
    Levin and Paik, Statistical Methods for Rates and Proportions, 3rd ed. (2003), formula 4.14.
    """
    other, middle = baseline + effect, baseline + effect / 2
    z_alpha, z_beta = _quantiles(alpha, power)
    without = (2 * middle * (1 - middle)) ** 0.5
    with_it = (baseline * (1 - baseline) + other * (1 - other)) ** 0.5
    return float((z_alpha * without + z_beta * with_it) ** 2 / effect**2)


def per_arm_for_means(standard_deviation: float, effect: float, alpha: float, power: float) -> float:
    """Companies per arm that tell means apart that differ by `effect`, two-sided, at one look.

    n = 2 sd^2 (z_a + z_b)^2 / effect^2: Chow, Shao and Wang, Sample Size Calculations in Clinical Research, 2nd ed.
    (2008), section 3.2.
    """
    return float(2 * (standard_deviation * sum(_quantiles(alpha, power)) / effect) ** 2)


def inflation(looks: int, alpha: float, power: float) -> float:
    """By how much a test that looks several times is larger than one that looks once: the drifts' squared ratio.

    Jennison and Turnbull, Group Sequential Methods (2000), section 2.2.
    """
    return float((drift_for_power(looks, alpha, power) / sum(_quantiles(alpha, power))) ** 2)


def sample_size(per_arm: float, looks: int, alpha: float, power: float) -> int:
    """Companies in both arms together, for a test with equally spaced looks."""
    return 2 * ceil(per_arm * inflation(looks, alpha, power))


def minimum_days(companies: int, at_start: int, per_week: float, observation_days: int) -> int:
    """Days until all of `companies` are counted, in whole weeks.

    `at_start` are there on the first day, `per_week` join; each is counted `observation_days` after it was assigned.

    Raises:
        ValueError: when some have to join, and nobody does.
    """
    missing = max(0, companies - at_start)
    if missing and per_week <= 0:
        raise ValueError(f"{missing} of {companies} companies are missing and none join; test a larger effect")
    joining = ceil(missing / per_week * 7) if missing else 0
    return 7 * ceil(max(LEAST_DAYS, joining + observation_days) / 7)


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    from scipy.special import ndtri

    return float(ndtri(1 - alpha / 2)), float(ndtri(power))
