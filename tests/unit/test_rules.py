"""What the server would refuse is known before anything is sent."""

from dataclasses import dataclass

import pytest

from dssync.core.fields import KINDS, ContractName, KindName, Stored
from dssync.core.rules import Parent, Problem, misplaced, problems, reasons
from tests.unit.api_rules import CASES, Allowed


@dataclass(frozen=True, slots=True)
class Value:
    """A value of one field, and what a contract says of it; nothing when it is fine."""

    field: str
    value: Stored
    reason: str = ""
    contract: ContractName = "classic"
    kind: KindName = "dataset"
    creating: bool = False

    def __str__(self) -> str:
        return f"{self.contract} {self.field} {str(self.value)[:20]!r} {self.reason[:20] or 'fine'}"


NO_SUCH_FIELD = "the remote's contract (classic) has no such field"
ONLY_NEW = "on this remote's contract (versioned) it can only be set when the record is made"

DATASETS = (
    Value("name", "a"),
    Value("name", "x" * 400),
    Value("name", "  " + "x" * 400 + "\n"),
    Value("name", "\U0001f600" * 400),
    Value("name", "x" * 401, "it has 401 characters, 400 are allowed"),
    Value("name", None, "it cannot be null"),
    Value("name", "", "it cannot be blank"),
    Value("name", "\u3000\t ", "it cannot be blank"),
    Value("name", "a\0", "text contains the character U+0000"),
    Value("name", "a\ud800", "text contains half of a surrogate pair"),
    Value("description", None),
    Value("description", ""),
    Value("description", "x" * 20_000),
    Value("description", "\0", "text contains the character U+0000"),
    Value("description", None, "it cannot be null", "versioned"),
    Value("description", "x" * 10_000, contract="versioned"),
    Value("description", "x" * 10_001, "it has 10001 characters, 10000 are allowed", "versioned"),
    Value("metadata", None),
    Value("metadata", "[1]"),
    Value("metadata", "{", "it is not JSON (Expecting property name"),
    Value("metadata", "NaN", "NaN is not JSON"),
    Value("metadata", "18446744073709551616", "an integer needs more than 64 bits, and the server"),
    Value("metadata", "[" * 300 + "]" * 300, "it is nested 252 levels deep or more, and the"),
    Value("metadata", None, "it cannot be null", "versioned"),
    Value("metadata", "[1]", "it must be a JSON object", "versioned"),
    Value("metadata", '{"a": "' + "x" * 999_990 + '"}', contract="versioned"),
    Value("metadata", f'{{"a":"{"x" * 999_993}"}}', "it is larger than 1,000,000", "versioned"),
    Value("metadata", f'{{"a":"{"é" * 499_997}"}}', "it is larger than 1,000,000", "versioned"),
    Value("deleted", 0),
    Value("deleted", 1),
    Value("deleted", None),
    Value("deleted", 2, "it must be 0 or 1"),
)
ITEM_ROWS: tuple[tuple[str, Stored, str, ContractName, bool], ...] = (
    ("dataset", "d1", "", "classic", False),
    ("dataset", None, "it cannot be null", "classic", False),
    ("dataset", "", "it must name a dataset", "classic", False),
    ("dataset", "d1", ONLY_NEW, "versioned", False),
    ("dataset", "d1", "", "versioned", True),
    ("input", None, "", "classic", False),
    ("input", None, "it cannot be null", "versioned", False),
    ("expected_output", '"a"', "", "classic", False),
    ("source_output", None, "", "classic", True),
    ("source_output", '"a"', NO_SUCH_FIELD, "classic", True),
    ("source_output", '"a"', ONLY_NEW, "versioned", False),
    ("source_output", '"a"', "", "versioned", True),
    ("client_item_id", "c", NO_SUCH_FIELD, "classic", False),
    ("client_item_id", " ", "it cannot be blank", "versioned", True),
    ("metadata", "null", "", "versioned", False),
    ("metadata", "1", "it must be a JSON object", "versioned", False),
    ("trace_id", "x" * 255, "", "classic", False),
    ("trace_id", "x" * 256, "it has 256 characters, 255 are allowed", "classic", False),
    ("event_id", "x" * 256, "it has 256 characters, 255 are allowed", "classic", False),
    ("trace_timestamp", "2026-11-23T18:13:50Z", "", "classic", False),
    ("trace_timestamp", None, "", "classic", False),
    ("trace_timestamp", "now", "it is not an ISO 8601 time", "classic", False),
    ("trace_timestamp", "", "it is not an ISO 8601 time", "classic", False),
    ("trace_timestamp", "0001-01-01T00:00+02", "it is not an ISO 8601", "classic", False),
)
ITEMS = tuple(
    Value(field, value, reason, contract, "item", creating)
    for field, value, reason, contract, creating in ITEM_ROWS
)


@pytest.mark.parametrize("value", [*DATASETS, *ITEMS], ids=str)
def test_value(value: Value) -> None:
    field = KINDS[value.kind].by_name[value.field]
    found = list(reasons(field, value.value, value.contract, creating=value.creating))
    if value.reason:
        assert len(found) == 1
        assert found[0].startswith(value.reason)
    else:
        assert found == []


def test_every_problem_is_listed_with_its_record_and_field() -> None:
    values: dict[str, Stored] = {"name": " ", "description": "fine", "metadata": "{", "deleted": 7}
    found = problems("dataset", "d1", values, "classic", label="Support")
    assert [problem.field for problem in found] == ["name", "metadata", "deleted"]
    assert str(found[0]) == "dataset Support, name: it cannot be blank"
    assert problems("dataset", "d1", {"name": ""}, "classic") == [
        Problem("dataset", "d1", "d1", "name", "it cannot be blank")
    ]
    assert problems("item", "i1", {"dataset": "d1"}, "versioned", creating=True) == []
    assert len(problems("item", "i1", {"dataset": "d1"}, "versioned")) == 1


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_the_classic_api_documents(case: Allowed) -> None:
    found = list(reasons(KINDS[case.kind].by_name[case.field], case.value, "classic"))
    if case.reason:
        assert len(found) == 1
        assert case.reason in found[0]
    else:
        assert found == []


def test_the_cases_name_every_field() -> None:
    named = {(case.kind, case.field) for case in CASES}
    assert named == {(kind.name, name) for kind in KINDS.values() for name in kind.names}


PARENTS = (
    (Parent("prod", "Support", "d1"), ""),
    (Parent("prod", "New", None, comes=True), ""),
    (Parent("prod", "New", None), "'New' is not on the server, and nothing here creates it"),
    (Parent("dev", "Support", "d1"), "'Support' is of another remote, dev"),
    (Parent("dev", "New", None, comes=True), "of another remote, dev"),
    (None, "no such dataset"),
)


@pytest.mark.parametrize(("parent", "reason"), PARENTS)
def test_where_an_item_may_lie(parent: Parent | None, reason: str) -> None:
    found = list(misplaced("prod", parent))
    assert len(found) == bool(reason)
    assert all(reason in each for each in found)
