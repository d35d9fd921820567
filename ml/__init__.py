"""Pure analysis, rating and simulation: no orchestration, database, clock, environment or network."""
