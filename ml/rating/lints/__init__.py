"""The rules of the linter, a file for each thing that they look at. `ml.rating.lint` runs them all."""
