"""Which days are special where."""
