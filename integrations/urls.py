"""URLs as people may see them."""

import re

__all__ = ["without_credentials"]


def without_credentials(url: str) -> str:
    """A URL without its user, password and query."""
    return re.sub(r"(?<=://).*@", "", url).partition("?")[0]
