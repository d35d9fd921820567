"""What is left of an event's free properties once its customer is forgotten."""

from psycopg import Connection, sql

from integrations.events.contract import VOID

__all__ = ["forget_properties"]

METERS = "marts.billable_meters"
# Fields of the contract that meters may name; what else they name is a property.
FIELDS = [
    *("hours", "time_of_day", "outcome", "service", "channel", "customer"),
    *("quantity", "duration_seconds", "revenue"),
]
NAMES = f"""
    select name from {METERS} cross join lateral unnest(array[split_part(filter, '=', 1), value_field]) as read (name)
    where name <> '' and name <> all(%s)
"""


def forget_properties(connection: Connection, customer: str, pseudonym: str) -> sql.Composable:
    """An assignment that drops an event's properties, but for those that a meter reads: they decide what is counted.

    A property whose value is the customer's name gets the pseudonym. What a void takes back is no property of a person.
    """
    names: list[str] = []
    if connection.execute("select to_regclass(%s)", [METERS]).fetchone() != (None,):
        names = sorted({name for (name,) in connection.execute(NAMES.encode(), [FIELDS])})
    return sql.SQL(
        """
        properties = case
            when event_type = {void} then jsonb_build_object('voids', properties -> 'voids')
            else (
                select jsonb_object_agg(
                    key, coalesce(nullif(value, to_jsonb({name}::text)), to_jsonb({pseudonym}::text))
                )
                from jsonb_each(properties) where key = any({names})
            )
        end
        """
    ).format(
        void=sql.Literal(VOID), name=sql.Literal(customer), pseudonym=sql.Literal(pseudonym), names=sql.Literal(names)
    )
