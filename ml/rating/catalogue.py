"""Price lists: plans as a validated, versioned catalogue."""

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

import yaml
from pydantic import ValidationError

from ml.rating.plan import Plan
from ml.rating.sentences import CatalogueError, Fault, faults_of, plan_label

__all__ = ["CatalogueError", "default_catalogue", "load_catalogue", "read_plans"]


def default_catalogue() -> str:
    """The YAML text of the price list that is delivered with the package."""
    return files("ml.rating.catalogues").joinpath("default.yaml").read_text(encoding="utf-8")


def load_catalogue(text: str, source: str) -> list[Plan]:
    """The plans of a YAML catalogue (`plans: [...]`), in its order.

    `source` (e.g. the file's name) begins each sentence of the `CatalogueError` that is raised when anything is wrong;
    it holds everything that is wrong, not only the first finding.
    """
    plans, faults = read_plans(text, source)
    if faults:
        raise CatalogueError(source, faults)
    return plans


def read_plans(text: str, source: str) -> tuple[list[Plan], list[Fault]]:
    """The plans of a catalogue that are right in themselves, and what is wrong with the others.

    Raises:
        CatalogueError: when the text is no list of plans.
    """
    plans: list[Plan] = []
    faults: list[Fault] = []
    for index, raw in enumerate(_raw_plans(text, source)):
        try:
            plans.append(Plan.model_validate(raw))
        except ValidationError as error:
            faults += faults_of(error, plan_label(raw, index))
    return plans, [*faults, *_repeated_versions(plans)]


def _raw_plans(text: str, source: str) -> list[Any]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "somewhere"
        reason = getattr(error, "problem", None) or str(error)
        raise CatalogueError(source, [Fault("", line, f"this is not valid YAML: {reason}")]) from error
    plans = content.get("plans") if isinstance(content, dict) and content.keys() == {"plans"} else None
    if not isinstance(plans, list) or not plans:
        text = "a catalogue is one key `plans:` with a list of at least one plan"
        raise CatalogueError(source, [Fault("", "", text)])
    return plans


def _repeated_versions(plans: list[Plan]) -> Iterable[Fault]:
    seen: set[tuple[str, int]] = set()
    for plan in plans:
        identity = (plan.plan_key, plan.version)
        if identity in seen:
            text = "this version is there twice; give changed terms a new version"
            yield Fault(f"plan {plan.plan_key} v{plan.version}", "version", text)
        seen.add(identity)
