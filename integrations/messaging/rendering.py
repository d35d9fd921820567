"""A mail is a pure function of kind, locale and payload: the same three give the same bytes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from integrations.messaging.first_insights import first_insights_view
from integrations.messaging.formats import Formats
from integrations.messaging.payloads import Payload, PayloadError
from integrations.messaging.recommendation import recommendation_view
from integrations.messaging.texts import Texts, load_texts

__all__ = ["KINDS", "PayloadError", "RenderedMail", "render"]

_VIEWS: dict[str, Callable[[Payload, Formats, Texts], dict[str, Any]]] = {
    "first_insights": first_insights_view,
    "recommendation": recommendation_view,
}
KINDS = tuple(_VIEWS)


@dataclass(frozen=True)
class RenderedMail:
    """One mail as the reader gets it: HTML with inlined styles and no external assets, and the same as plain text."""

    subject: str
    html: str
    text: str


def render(kind: str, locale: str | None, payload: Payload) -> RenderedMail:
    """Render one of KINDS; an unknown locale gives English.

    The payloads are described at `first_insights_view` and `recommendation_view`. Raises ValueError for an unknown
    kind and PayloadError, which names everything missing or unusable at once.
    """
    if kind not in _VIEWS:
        raise ValueError(f"no mail is of kind {kind!r}; use one of {', '.join(KINDS)}")
    write = Formats(locale)
    texts = load_texts(write.language)
    view = _VIEWS[kind](payload, write, texts)
    subject = texts(f"{kind}.subject")
    values = {"subject": subject, "language": write.language, "texts": texts, **view}
    html, text = (_templates().get_template(f"{kind}.{form}").render(values) for form in ("html", "txt"))
    return RenderedMail(subject, html, text)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("integrations.messaging"),
        autoescape=select_autoescape(("html",)),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
