"""Usage on its way to Stripe: deltas planned against what was sent, exact bodies, and a thin client."""
