"""What the classic API documents of its values, as named cases: may it be sent, or why not."""

from dataclasses import dataclass

from dssync.core.fields import KindName, Stored


@dataclass(frozen=True, slots=True)
class Allowed:
    """A value of a field, and a part of the reason why it cannot be sent; empty if it can."""

    name: str
    kind: KindName
    field: str
    value: Stored
    reason: str = ""

    def __str__(self) -> str:
        return self.name


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


WHITE = "\t\n\u00a0\u2003\u3000 "

NAMES = (
    Allowed("a name of one letter", "dataset", "name", "a"),
    Allowed("a name of 400 code points", "dataset", "name", "é" * 400),
    Allowed("a name of 400 emoji", "dataset", "name", "\U0001f600" * 400),
    Allowed("400 code points after trimming", "dataset", "name", WHITE + "x" * 400 + WHITE),
    Allowed("401 code points", "dataset", "name", "x" * 401, "401 characters, 400"),
    Allowed(
        "401 with the white space inside", "dataset", "name", f"{'x' * 200} {'x' * 200}", "401"
    ),
    Allowed("a name of nothing", "dataset", "name", "", "blank"),
    Allowed("a name of Unicode white space", "dataset", "name", WHITE, "blank"),
    Allowed("no name", "dataset", "name", None, "null"),
    Allowed("U+0000 in a name", "dataset", "name", "a\0b", "U+0000"),
    Allowed("half of a pair in a name", "dataset", "name", "a\udc00", "surrogate"),
    Allowed("U+2028, U+FEFF and NFD in a name", "dataset", "name", "\u2028e\u0301\ufeffx"),
    Allowed("a zero-width space for a name", "dataset", "name", "\u200b"),
)
TEXTS = (
    Allowed("no description", "dataset", "description", None),
    Allowed("an empty description", "dataset", "description", ""),
    Allowed("a long description", "dataset", "description", "x" * 1_000_000),
    Allowed("U+0000 in a description", "dataset", "description", "\0", "U+0000"),
    Allowed("a trace id of 255", "item", "trace_id", "x" * 255),
    Allowed("255 after trimming", "item", "trace_id", f" {'x' * 255}\n"),
    Allowed("a trace id of 256", "item", "trace_id", "x" * 256, "256 characters, 255"),
    Allowed("an event id of 256", "item", "event_id", "x" * 256, "256 characters, 255"),
    Allowed("no trace id", "item", "trace_id", None),
    Allowed("half of a pair in a trace id", "item", "trace_id", "\ud800", "surrogate"),
    Allowed("U+0000 in an event id", "item", "event_id", "\0", "U+0000"),
)
JSON = (
    Allowed("null", "item", "input", "null"),
    Allowed("NULL", "item", "input", None),
    Allowed("a list for metadata", "item", "metadata", "[1]"),
    Allowed("a scalar for metadata", "dataset", "metadata", "7"),
    Allowed("2^64 - 1", "item", "input", str(2**64 - 1)),
    Allowed("2^64", "item", "input", str(2**64), "64 bits"),
    Allowed("-2^63", "item", "input", str(-(2**63))),
    Allowed("-2^63 - 1", "item", "input", str(-(2**63) - 1), "64 bits"),
    Allowed("2^64 deep inside", "item", "metadata", f'{{"a": [{{"b": {2**64}}}]}}', "64 bits"),
    Allowed("1.84e19", "item", "expected_output", "1.84e19"),
    Allowed("1.85e19", "item", "expected_output", "1.85e19", "too large"),
    Allowed("-1.85e19", "item", "expected_output", "-1.85e19", "too large"),
    Allowed("2^64 as a float", "item", "input", "18446744073709551616.0", "too large"),
    Allowed("1e400", "item", "input", "1e400", "too large"),
    Allowed("1e-400", "item", "input", "1e-400"),
    Allowed("-0.0", "item", "input", "-0.0"),
    Allowed("a number of 5,000 digits", "item", "input", "9" * 5_000, "not JSON"),
    Allowed("251 levels", "item", "input", deep(251)),
    Allowed("252 levels", "item", "input", deep(252), "252 levels"),
    Allowed(
        "252 levels of objects", "item", "input", '{"a":' * 252 + "1" + "}" * 252, "252 levels"
    ),
    Allowed("100,000 levels", "item", "input", deep(100_000), "nested"),
    Allowed("NaN", "item", "input", "NaN", "NaN is not JSON"),
    Allowed("Infinity", "item", "input", "[-Infinity]", "Infinity is not JSON"),
    Allowed("a byte order mark", "item", "input", "\ufeff1", "not JSON"),
    Allowed("text without quotes", "item", "input", "hello", "not JSON"),
    Allowed("nothing at all", "item", "input", "", "not JSON"),
    Allowed("two values", "item", "input", "1 2", "not JSON"),
    Allowed("U+0000 in a string", "item", "input", r'"\u0000"', "U+0000"),
    Allowed("U+0000 in a key", "item", "input", r'{"\u0000": 1}', "U+0000"),
    Allowed("half of a pair in a string", "item", "input", r'"\udfff"', "surrogate"),
    Allowed("half of a pair in a key", "item", "input", r'{"\ud800": 1}', "surrogate"),
    Allowed("a whole pair", "item", "input", r'"\ud83d\ude00"'),
    Allowed("U+2028, U+FEFF, NFD", "item", "input", '"\u2028\ufeffe\u0301"'),
    Allowed("a key twice", "item", "input", '{"a": 1, "a": 2}'),
)
OTHERS = (
    Allowed("a time", "item", "trace_timestamp", "2026-11-23T18:13:50.347800Z"),
    Allowed("a time without a zone", "item", "trace_timestamp", "2026-11-23T18:13:50"),
    Allowed("a time with an offset", "item", "trace_timestamp", "2026-11-23T18:13+05:30"),
    Allowed("no time", "item", "trace_timestamp", None),
    Allowed("a word for a time", "item", "trace_timestamp", "yesterday", "ISO 8601"),
    Allowed("nothing for a time", "item", "trace_timestamp", "", "ISO 8601"),
    Allowed("a 13th month", "item", "trace_timestamp", "2026-13-01T00:00:00Z", "ISO 8601"),
    Allowed("a leap second", "item", "trace_timestamp", "2026-12-31T23:59:60Z", "ISO 8601"),
    Allowed("seconds since 1970", "item", "trace_timestamp", "1795000000", "ISO 8601"),
    Allowed("before the year 1", "item", "trace_timestamp", "0001-01-01T00:00+01", "ISO 8601"),
    Allowed("deleted", "item", "deleted", 1),
    Allowed("deleted null", "dataset", "deleted", None),
    Allowed("deleted 2", "dataset", "deleted", 2, "0 or 1"),
    Allowed("no dataset", "item", "dataset", None, "null"),
    Allowed("an empty dataset", "item", "dataset", "", "name a dataset"),
    Allowed("no source output", "item", "source_output", None),
    Allowed("a source output", "item", "source_output", "1", "no such field"),
    Allowed("a client's id", "item", "client_item_id", "x", "no such field"),
)

CASES = (*NAMES, *TEXTS, *JSON, *OTHERS)
