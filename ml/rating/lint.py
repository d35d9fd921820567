"""The linter of price lists: what a catalogue may say and nobody can have meant."""

from collections.abc import Callable, Iterator, Sequence

from ml.rating.catalogue import CatalogueError, read_plans
from ml.rating.lints.cliffs import cliffs
from ml.rating.lints.dominance import dominated
from ml.rating.lints.finding import Finding, Point, Severity, label
from ml.rating.lints.meters import gaps, same_terms, same_usage
from ml.rating.lints.tiers import mergeable_tiers, tiers_above_limits, tiers_above_maximum
from ml.rating.lints.versions import missing_currencies, mixed_currencies, unreachable_versions
from ml.rating.plan import Plan

__all__ = ["OF_A_CATALOGUE", "OF_A_PLAN", "Finding", "Point", "Severity", "lint", "lint_text"]

OF_A_PLAN: tuple[Callable[[Plan], Iterator[Finding]], ...] = (
    same_usage,
    cliffs,
    tiers_above_limits,
    tiers_above_maximum,
    mergeable_tiers,
)
"""Rules that judge one version of a plan by itself."""
OF_A_CATALOGUE: tuple[Callable[[Sequence[Plan]], Iterator[Finding]], ...] = (
    unreachable_versions,
    mixed_currencies,
    missing_currencies,
    gaps,
    same_terms,
    dominated,
)
"""Rules that compare plans or versions; of each plan that stands beside others only the newest version counts."""


def lint(plans: Sequence[Plan]) -> list[Finding]:
    """All findings on the plans of a catalogue, in its order; none where all is well."""
    found = [finding for rule in OF_A_CATALOGUE for finding in rule(plans)]
    return _in_order(plans, [*_of_each(plans), *found])


def lint_text(text: str, source: str) -> list[Finding]:
    """All findings on a YAML catalogue, which need not be one that can be loaded.

    What keeps it from being loaded comes first, each an error with the code `invalid`; the plans that are right in
    themselves are then judged by the rules of one plan only, since the others are missing.
    """
    try:
        plans, faults = read_plans(text, source)
    except CatalogueError as error:
        plans, faults = [], list(error.faults)
    if not faults:
        return lint(plans)
    invalid = [Finding(fault.plan, fault.path, "invalid", "error", fault.text) for fault in faults]
    return [*invalid, *_in_order(plans, _of_each(plans))]


def _of_each(plans: Sequence[Plan]) -> list[Finding]:
    return [finding for plan in plans for rule in OF_A_PLAN for finding in rule(plan)]


def _in_order(plans: Sequence[Plan], findings: Sequence[Finding]) -> list[Finding]:
    places = {label(plan): place for place, plan in enumerate(plans)}
    return sorted(findings, key=lambda finding: places[finding.plan])
