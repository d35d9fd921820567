"""The pipeline as Dagster sees it: thin shells around `ml` and `integrations`."""
