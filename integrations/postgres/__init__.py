"""PostgreSQL: the embedded server, the schema and bulk access to it."""
