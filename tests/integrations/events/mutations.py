"""Lines of events that are damaged, hostile or just odd, from a seed; each tenth is a plain good one."""

import json
import random
from collections.abc import Iterator

LONG_NUMBER = "7" * 5_000
TEXTS = (
    *('""', '" "', '"null"', '"NULL"', r'"\\N"', r'"\\."', r'"\n\\.\n"', r'"a\"b"', r'"\"\""', '"a,b;c\'d"'),
    *(r'"\r\n"', r'"\t\b\f"', r'"\u0000"', r'"\\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udc00\ud800"'),
    *(r'"\ud83d\ude00"', '"😀 Zoë \u2028\u0085\ufeff\uffff"', r'"\u001f\u007f"', '"\u00e9"', '"e\u0301"', '"{}"'),
    *(f'"{"x" * 512}"', f'"{"ü" * 512}"', f'"{"x" * 513}"', f'"{"y" * 100_000}"', '"1"', '"t"', '"2026-10-01"'),
)
NUMBERS = (
    *("0", "-0", "-0.0", "0e5", "1", "-1", "1.0", "2.50", "0.1", "1e3", "1E-7", "0.0000005", "0.0000015", "1e-400"),
    *("1e308", "1e309", "-1e400", "1e99999999999999999999", "1e-99999999999999999999", "1e-2000", "1E+13"),
    *("99999999999998.9999999", "99999999999999", "100000000000000", "9007199254740992", "9007199254740993"),
    *("9223372036854775808", "18446744073709551616", "-9223372036854775809", "1" + "0" * 40, "0.1234567890123456789"),
    *(
        LONG_NUMBER,
        f"-{LONG_NUMBER}",
        f"0.{LONG_NUMBER}",
        "NaN",
        "Infinity",
        "-Infinity",
        "00",
        "1.",
        ".5",
        "+1",
        "0x1",
    ),
    *('"NaN"', '"Infinity"', '"sNaN"', '"1_0"', '" 1 "', '"1e2"', '"0.5"', '"-0"', '"١"', f'"{LONG_NUMBER}"'),
)
OTHERS = (
    *("null", "true", "false", "[]", "{}", "[null]", '{"a":{"b":[1,"x",null,true,1.5]}}', '{"":""}', '{"a":1,"a":2}'),
    *("[" * 300 + "]" * 300, "[" * 2_000 + "]" * 2_000, "[" * 100_000, '{"a":' * 300 + "1" + "}" * 300),
    *(r'{"\u0000":1}', r'{"\ud800":1}', f'{{"{"k" * 5_000}":1}}', '{"id":"c-1"}', '{"id":"c-1","source":"/x"}', ""),
)
TIMES = (
    *("1990-01-01T00:00:00Z", "1990-01-01T00:30:00+01:00", "1989-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+14:00"),
    *(
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999-23:59",
        "2026-11-20T12:05:00Z",
        "2026-11-20T12:05:00.000001Z",
    ),
    *(
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:30:00+01:00",
        "2026-03-29T01:59:59.999999+01:00",
        "2024-02-29T12:00:00Z",
    ),
    *("2026-02-29T12:00:00Z", "2026-10-01T24:00:00Z", "2026-10-01T23:59:60Z", "2026-10-01T12:00:00+14:00"),
    *(
        "2026-10-01T12:00:00-12:00",
        "2026-10-01T12:00:00+00:01",
        "2026-10-01T12:00:00+23:59",
        "2026-10-01T12:00:00+24:00",
    ),
    *("2026-10-01T12:00:00-00:00", "2026-10-01t12:00:00z", "2026-10-01 12:00:00Z", "2026-10-01T12:00:00.5Z"),
    *("2026-10-01T12:00:00.1234567Z", "2026-10-01T12:00Z", "2026-10-01", "12:00:00Z", "2026-10-01T12:00:00", "now", ""),
)
DATA = ("branch", "customer", "quantity", "duration_seconds", "outcome", "service", "channel", "revenue", "currency")
ENVELOPE = ("specversion", "id", "source", "type", "subject", "time", "data", "extra", "datacontenttype")
BYTES = (
    b"\0",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\r",
    b"\n",
    b"\x0b",
    b"\x1f",
    b"\x7f",
    b"\xc2\xa0",
)
HUGE = "z" * 10_000_000


def plain(number: int) -> dict[str, str]:
    """The envelope of a good event by name, each value as JSON."""
    data = {"customer": f"c-{number % 7}", "quantity": 1.5, "duration_seconds": number, "own": {"a": [number, None]}}
    return {
        "id": f'"e-{number}"',
        "source": '"/phone"',
        "type": '"call"',
        "subject": '"york"' if number % 3 else '"acme"',
        "time": f'"2026-10-{number % 5 + 1:02}T12:00:00Z"',
        "data": json.dumps(data),
    }


def written(pairs: list[tuple[str, str]]) -> str:
    return "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in pairs) + "}"


def hostile_value(chance: random.Random) -> str:
    return chance.choice(chance.choice((TEXTS, NUMBERS, OTHERS)))


def hostile_data(chance: random.Random) -> str:
    """A payload in which some fields are hostile, unknown or there twice."""
    names = chance.choices((*DATA, "properties", "voids", "own", "", "é", r"a\b", "k" * 2_000), k=chance.randint(0, 5))
    return written([(name, hostile_value(chance)) for name in names])


def hostile_event(chance: random.Random, number: int) -> str:
    """An event of which a part is replaced, doubled, renamed or left out."""
    event = plain(number)
    pairs = list(event.items())
    match chance.randrange(8):
        case 0 | 1 | 2:
            pairs[-1] = ("data", hostile_data(chance))
        case 3:
            name = chance.choice(ENVELOPE)
            pairs = list({**event, name: hostile_value(chance)}.items())
        case 4:
            pairs = list({**event, "time": json.dumps(chance.choice(TIMES))}.items())
        case 5:
            pairs.insert(chance.randrange(7), (chance.choice(ENVELOPE), hostile_value(chance)))
        case 6:
            del pairs[chance.randrange(len(pairs))]
        case 7:
            event |= {"type": '"void"', "data": written([("voids", hostile_value(chance))])}
            pairs = list(event.items())
    return written(pairs)


def damaged(chance: random.Random, line: bytes) -> bytes:
    """The line cut off, or with some bytes put in, taken out or exchanged."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(line) + 1)
        match chance.randrange(5):
            case 0:
                line = line[:at]
            case 1:
                line = line[:at] + chance.choice(BYTES) + line[at:]
            case 2:
                line = line[:at] + line[at + chance.randint(1, 9) :]
            case 3:
                line = line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :]
            case 4:
                line = (
                    chance.choice((b"\xef\xbb\xbf", b" ", b"\t", b"\r", b"\x0c"))
                    + line
                    + chance.choice((b" ", b"\r", b"{}"))
                )
    return line


def hostile_lines(seed: int, count: int) -> Iterator[bytes]:
    """So many lines without their ends; `e-0`, `e-10`, ... are good ones. Some contain line feeds of their own."""
    chance = random.Random(seed)
    for number in range(count):
        if number % 10 == 0:
            yield written(list(plain(number).items())).encode()
        elif number % 10 == 1:
            yield written(list(plain(chance.randrange(number)).items())).encode()  # known, or about to be
        else:
            line = hostile_event(chance, number).encode()
            yield damaged(chance, line) if chance.random() < 0.3 else line
