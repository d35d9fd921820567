"""What usage says about a company: patterns, characteristics, projections, insights."""
