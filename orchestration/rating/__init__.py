"""Between the rating engine and its ledger: what changed, what it costs now, what is booked, what is closed."""
