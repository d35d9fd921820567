"""Hand the rating engine's reading of price terms to the loader, which must not know it."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from integrations.events.prices import PriceReader

if TYPE_CHECKING:
    from ml.rating.contract import Contract

__all__ = ["PRICES", "contract_of", "parse_plans"]


def parse_plans(text: str, source: str) -> Iterable[Mapping[str, Any]]:
    """The terms of every plan in a catalogue.

    Raises:
        CatalogueError: a ValueError that names every fault.
    """
    from ml.rating.catalogue import load_catalogue

    return [plan.terms() for plan in load_catalogue(text, source)]


def contract_of(terms: Mapping[str, Any], agreed: Mapping[str, Any]) -> "Contract":
    """A plan's terms with what a subscription says beside them: billing_interval, add_ons, overrides.

    Raises:
        pydantic.ValidationError: a ValueError, when the overrides make no terms.
    """
    from ml.rating.contract import Contract, Overrides
    from ml.rating.plan import Plan

    own = Overrides.model_validate(agreed["overrides"])
    return Contract(Plan.model_validate(terms), agreed["billing_interval"], agreed["add_ons"], own)


def agreement_problems(terms: Mapping[str, Any], agreed: Mapping[str, Any]) -> list[str]:
    """What a subscription can't add to a plan, each as one sentence."""
    from pydantic import ValidationError

    from ml.rating.contract import contract_problems
    from ml.rating.sentences import sentences_of

    try:
        contract = contract_of(terms, agreed)
        _ = contract.own_plan  # the overrides and the plan together, which may contradict each other
    except ValidationError as error:
        return sentences_of(error, "overrides")
    return list(contract_problems(contract))


PRICES = PriceReader(parse_plans, agreement_problems)
