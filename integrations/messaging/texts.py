"""The sentences of every mail, one YAML catalogue per language, so that a translator touches no code."""

from functools import cache
from importlib.resources import files
from typing import Any

import yaml

__all__ = ["Texts", "load_texts"]


class Texts:
    """Sentences by dotted name (`recommendation.switch.title`), filled with values that are already formatted."""

    def __init__(self, language: str, catalogue: dict[str, Any]) -> None:
        self.language = language
        self._catalogue = catalogue

    def __call__(self, name: str, **values: str) -> str:
        """The sentence, filled; KeyError names a sentence the catalogue lacks or a value that was not given."""
        return self._find(name).format(**values)

    def __contains__(self, name: str) -> bool:
        try:
            self._find(name)
        except KeyError:
            return False
        return True

    def names(self) -> set[str]:
        """The dotted names of all sentences."""
        return set(_leaves(self._catalogue))

    def _find(self, name: str) -> str:
        node: Any = self._catalogue
        for part in name.split("."):
            if not isinstance(node, dict) or part not in node:
                raise KeyError(f"catalogue/{self.language}.yaml has no text {name!r}; add it")
            node = node[part]
        if not isinstance(node, str):
            raise KeyError(f"catalogue/{self.language}.yaml: {name!r} is a group, not a text")
        return node


@cache
def load_texts(language: str) -> Texts:
    """The catalogue of one language (`de`, `en`), read once."""
    source = files("integrations.messaging") / "catalogue" / f"{language}.yaml"
    return Texts(language, yaml.safe_load(source.read_text(encoding="utf-8")))


def _leaves(node: dict[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for key, value in node.items():
        names += _leaves(value, f"{prefix}{key}.") if isinstance(value, dict) else [f"{prefix}{key}"]
    return names
