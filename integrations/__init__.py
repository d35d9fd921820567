"""Doors to the outside: database, event files, mail, billing provider. Nothing here imports `ml` or dagster."""
