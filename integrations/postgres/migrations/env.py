"""Alembic's environment: run the migrations on the connection that `schema.migrate` hands in."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table="alembic_version", version_table_schema="ops")
with context.begin_transaction():
    context.run_migrations()
