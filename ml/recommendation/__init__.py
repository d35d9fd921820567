"""Which plan fits a company best: options, simulated costs, the choice and its reasons."""
