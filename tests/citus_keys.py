"""What the catalogue says of tables that are to be spread over machines by company."""

from collections.abc import Collection

from psycopg import Connection

TABLES = """
    select tables.oid, tables.oid::regclass::text as name
    from pg_class as tables join pg_namespace as schemas on schemas.oid = tables.relnamespace
    where schemas.nspname = any(%s) and tables.relkind in ('r', 'p') and not tables.relispartition
"""
UNIQUE_KEYS = f"""
    select tables.name, indexes.indexrelid::regclass::text, array_agg(columns.attname::text)
    from ({TABLES}) as tables
    join pg_index as indexes
        on indexes.indrelid = tables.oid and (indexes.indisunique or indexes.indisexclusion)
    join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum = any(indexes.indkey)
    group by 1, 2
"""
FOREIGN_KEYS = f"""
    select tables.name, keys.confrelid::regclass::text, array_agg(columns.attname::text)
    from ({TABLES}) as tables
    join pg_constraint as keys on keys.conrelid = tables.oid and keys.contype = 'f'
    join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum = any(keys.conkey)
    group by tables.name, keys.confrelid, keys.oid
"""
ALL_COLUMNS = f"""
    select tables.name, columns.attname::text, format_type(columns.atttypid, columns.atttypmod), columns.attnotnull
    from ({TABLES}) as tables
    join pg_attribute as columns on columns.attrelid = tables.oid and columns.attnum > 0
    order by 1, 2
"""
TRIGGERS = f"""
    select tables.name, triggers.tgname::text
    from ({TABLES}) as tables
    join pg_trigger as triggers on triggers.tgrelid = tables.oid and not triggers.tgisinternal
"""


def rows(connection: Connection, query: str, schemas: Collection[str]) -> list[tuple]:
    """The rows of one of the queries above, over tables of these schemas."""
    return connection.execute(query.encode(), [list(schemas)]).fetchall()


def tenant_tables(connection: Connection, schemas: Collection[str]) -> set[str]:
    """The tables that have a company_id, as `schema.table`."""
    return {name for name, column, *_ in rows(connection, ALL_COLUMNS, schemas) if column == "company_id"}


def not_ready_for_shards(connection: Connection, schemas: Collection[str], exempt: Collection[str]) -> set[str]:
    """What Citus could not distribute by company, as `schema.table: fault`; exempt tables have none."""
    faults = {
        f"{name}: {index}"
        for name, index, columns in rows(connection, UNIQUE_KEYS, schemas)
        if "company_id" not in columns
    }
    faults |= {
        f"{name}: to {target}"
        for name, target, columns in rows(connection, FOREIGN_KEYS, schemas)
        if "company_id" not in columns and target not in exempt
    }
    faults |= {
        f"{name}: company_id is {type} {'not null' if is_required else 'null'}"
        for name, column, type, is_required in rows(connection, ALL_COLUMNS, schemas)
        if column == "company_id" and (type, is_required) != ("bigint", True)
    }
    faults |= {f"{name}: trigger {trigger}" for name, trigger in rows(connection, TRIGGERS, schemas)}
    with_company = tenant_tables(connection, schemas)
    faults |= {f"{name}: no company_id" for _, name in rows(connection, TABLES, schemas) if name not in with_company}
    return {fault for fault in faults if fault.partition(":")[0] not in exempt}
