from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.events.copy_format import COPY_OPTIONS, as_csv

TEXTS = [
    "null",
    "",
    "a,b",
    'say "x"',
    "back\\slash",
    "\\.",
    "\\n",
    "tab\t",
    "line\nfeed",
    "\r\n",
    "]\n[",
    "\x01\x7f",
    "Zoë 🎈",
]


@pytest.fixture(scope="module")
def copied(server):
    """Copy rows of texts into a table, and read them back."""
    import psycopg

    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute("create temporary table copied (number serial, first text, second text)")

        def there_and_back(rows):
            connection.execute("truncate copied")
            with connection.cursor().copy(f"copy copied (first, second) from stdin ({COPY_OPTIONS})") as copy:
                copy.write(as_csv(rows))
            return connection.execute("select first, second from copied order by number").fetchall()

        yield there_and_back


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_arrives_as_it_was(copied, text):
    rows = [(text, None), (None, text), (text, text), ("plain", "plain")]
    assert copied(rows) == rows


any_text = st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(any_text, any_text)))
def test_all_texts_arrive_as_they_were(copied, rows):
    assert copied(rows) == rows


def test_every_kind_of_value_has_its_spelling():
    row = (1, None, True, date(2026, 10, 1), datetime(2026, 10, 1, 9, tzinfo=UTC), Decimal("1E+2"), 'a "b"')
    assert as_csv([row]) == b'1,null,true,"2026-10-01","2026-10-01T09:00:00Z","1E+2","a \\"b\\""\n'


def test_no_rows_are_no_text():
    assert as_csv([]) == b""
