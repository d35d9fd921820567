"""Great Expectations suites at the raw boundary."""
