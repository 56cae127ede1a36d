"""Values that some program on the way would love to change."""

import json
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from hypothesis import strategies as st

from dssync.core.fields import Stored

TEXTS: Sequence[str] = (
    *("", " ", "  spaced  ", "\t", "\n", "\r", "\r\n", "a\r\nb", "a\rb", "line\nline", "end\n"),
    *(
        "007",
        "1",
        "1.0",
        "-1",
        "+1",
        "1e5",
        "0.1",
        "12345678901234567890",
        "1,5",
        "1/2",
        "5%",
        "$5",
    ),
    *("=1+1", '=HYPERLINK("http://x")', "+A1", "-A1", "@SUM(A1)", "\t=1", "Hello;=1+1", "a\n=1+1"),
    *('a;"=1', "DDE('cmd')", "|calc", "'quoted", "''", '"', '"quoted"', '"half', 'say "hi"', "a,b"),
    *("TRUE", "true", "FALSE", "null", "None", "NaN", "Infinity", "-Infinity", "WAHR", "vrai"),
    *("2026-11-23", "2026-11-23T18:13:50Z", "5 May 2026", "May 5", "12:30", "Jan-26", "1 1/2"),
    *(
        "#N/A",
        "#REF!",
        "#",
        "…",
        "…a…",
        "'",
        "{",
        "[",
        "{}",
        "[1]",
        '{"a":1}',
        "~",
        "`",
        "\\",
        "\\n",
    ),
    *("\u2028", "\u2029", "\ufeff", "\ufeffa", "e\u0301", "é", "👩\u200d🚀", "\u202eabc", "\u0085"),
    *(
        "\x01",
        "\x1b[31m",
        "\x7f",
        "\x9f",
        "\ufffe",
        "\uffff",
        "_x0041_",
        "_x000D_",
        "_x005F_",
        "x005F_",
    ),
    *("Kyōto", "日本語", "عربى", "\U0001f680", "\U000e0041", "a\u00a0", "\u3000a", "\u200b"),
    *("What is the refund limit?", "refund", "Ship 3 boxes to the harbour today", "id", "base"),
    *("0199d001-0000-7000-8000-000000000001", "new-0123456789abcdef", "b" * 40, "a" * 40_000),
    *("x" * 16_000, "x" * 16_001, "=" * 32_001, "…" * 16_001, "\n" * 32_000, '"' * 20_000),
)

SCALARS: Sequence[Any] = (
    *(0, 1, -1, 42, 2**63, 2**64 - 1, -(2**63), 12345678901234567, True, False),
    *(1.0, 0.1, -0.0, 1e16, 1e22, 1.5e-7, 5e-324, 0.30000000000000004, 100.0, 1e15),
)

JSON_TEXTS: Sequence[str] = (
    *(json.dumps(text) for text in TEXTS),
    *(json.dumps(value) for value in SCALARS),
    *(json.dumps([text, {text: text}]) for text in TEXTS[:100]),
    *("null", "[]", "{}", ' { "b" : 1 , "aa" : 2 } ', '{"a":1,"a":2}', "[1e400]", "1E2", "-0.0"),
    *('"\\ud800"', '"\\u0000"', "[" * 300 + "]" * 300, "123456789" * 600, "18446744073709551616"),
    *('{"a;=1":";=1"}', '"\\u2028"', '["\\n=1"]', '{"":null}', '"a\\/b"'),
)

characters = st.characters(exclude_categories=["Cs"])
texts = st.one_of(st.sampled_from(TEXTS), st.text(characters))

json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        texts,
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)

json_texts = st.one_of(
    st.sampled_from(JSON_TEXTS),
    st.builds(
        lambda value, plain, indent: json.dumps(value, ensure_ascii=plain, indent=indent),
        json_values,
        st.booleans(),
        st.sampled_from([None, 1]),
    ),
)

times = st.sampled_from([None, "2026-11-23T18:13:50Z", "2026-11-23T18:13:50.347800Z", "2026-11-23"])


JSON_FIELDS = ("input", "expected_output", "metadata")
TEXT_FIELDS = ("trace_id", "event_id")


def rows() -> list[dict[str, Stored]]:
    """Lay every value out as fields of items."""
    pools = [JSON_TEXTS[at::3] for at in range(3)] + [TEXTS[::2], TEXTS[1::2]]
    names = (*JSON_FIELDS, *TEXT_FIELDS)
    return [dict(zip(names, values, strict=True)) for values in zip_longest(*pools)]
