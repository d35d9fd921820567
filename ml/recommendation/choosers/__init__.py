"""Ways to choose a plan, learned from what earlier windows of usage were followed by."""
