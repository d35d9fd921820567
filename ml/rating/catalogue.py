"""Price terms: plans as a validated, versioned catalogue."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from importlib.resources import files
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from ml.rating.charges import Charge
from ml.rating.sentences import CatalogueError, plan_label, sentences_of
from ml.rating.terms import METERS, Amount, Terms, problems_at

__all__ = ["METERS", "CatalogueError", "Charge", "Option", "Plan", "default_catalogue", "load_catalogue"]

Option = Literal["volume", "flat_rate", "hybrid", "time_based", "standard"]


class Plan(Terms):
    """One version of a plan: a monthly fee and at most one charge per meter, all in one currency.

    `option` says which rule of the recommendation the plan answers. Figures are exact: `terms()` gives them as
    strings, and `Plan.model_validate(plan.terms()) == plan`.
    """

    plan_key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    version: Annotated[int, Field(ge=1)]
    name: dict[str, str] | str
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    monthly_base_fee: Amount = Decimal(0)
    charges: tuple[Charge, ...] = ()
    option: Option
    is_sellable: bool = True
    is_trial: bool = False
    benefits: dict[str, list[str]] = Field(default_factory=dict)
    valid_from: date

    @model_validator(mode="after")
    def _one_charge_per_meter(self) -> Self:
        problems_at("charges", _repeated_meters(self.charges))
        return self

    def terms(self) -> dict[str, Any]:
        """The plan as JSON-safe values; decimals and dates are strings."""
        return self.model_dump(mode="json")


def default_catalogue() -> str:
    """The YAML text of the price list that is delivered with the package."""
    return files("ml.rating.catalogues").joinpath("default.yaml").read_text(encoding="utf-8")


def load_catalogue(text: str, source: str) -> list[Plan]:
    """The plans of a YAML catalogue (`plans: [...]`), in its order.

    `source` (e.g. the file's name) begins each sentence of the `CatalogueError` that is raised when anything is wrong;
    it holds everything that is wrong, not only the first finding.
    """
    plans: list[Plan] = []
    sentences: list[str] = []
    for index, raw in enumerate(_raw_plans(text, source)):
        try:
            plans.append(Plan.model_validate(raw))
        except ValidationError as error:
            sentences += sentences_of(error, plan_label(raw, index))
    sentences += _repeated_versions(plans)
    if sentences:
        raise CatalogueError(source, sentences)
    return plans


def _raw_plans(text: str, source: str) -> list[Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        reason = getattr(error, "problem", None) or str(error)
        raise CatalogueError(source, [f"{line}: this is not valid YAML: {reason}"]) from error
    plans = content.get("plans") if isinstance(content, dict) and content.keys() == {"plans"} else None
    if not isinstance(plans, list) or not plans:
        raise CatalogueError(source, ["a catalogue is one key `plans:` with a list of at least one plan"])
    return plans


def _repeated_meters(charges: tuple[Charge, ...]) -> Iterable[tuple[tuple[str | int, ...], str]]:
    first: dict[str, int] = {}
    for index, charge in enumerate(charges):
        if first.setdefault(charge.meter, index) != index:
            sentence = f"{charge.meter} is already charged by charges[{first[charge.meter]}]; keep one charge per meter"
            yield ("charges", index, "meter"), sentence


def _repeated_versions(plans: list[Plan]) -> Iterable[str]:
    seen: set[tuple[str, int]] = set()
    for plan in plans:
        identity = (plan.plan_key, plan.version)
        if identity in seen:
            label = f"plan {plan.plan_key} v{plan.version}"
            yield f"{label}, version: this version is there twice; give changed terms a new version"
        seen.add(identity)
