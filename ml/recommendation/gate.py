"""The bounds that a change must keep, and the taste for risk by which options are ranked."""

from dataclasses import dataclass

__all__ = ["DEFAULT_GATE", "Gate"]


@dataclass(frozen=True, slots=True)
class Gate:
    """A change needs an expected saving of `min_saving_share` of the current cost, and a probability of being really
    cheaper than staying of `min_probability`; both bounds suffice.

    `risk_aversion`: options are ranked by expected cost + risk_aversion x (p90 - expected cost); 0 is neutral.
    """

    min_saving_share: float = 0.05
    min_probability: float = 0.7
    risk_aversion: float = 0.0


DEFAULT_GATE = Gate()
"""For the time before earlier windows have chosen one (see `choosers.policy`)."""
