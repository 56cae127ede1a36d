"""What a type checker sees of the layer: `make test` runs mypy over this file."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, assert_type

from dssync import Dataset, Item, Mirror, Pending
from tests.mirror.served import I1


def test_fields_have_their_types(mirror: Mirror) -> None:
    support = mirror.dataset("Support")
    assert_type(support, Dataset)
    assert_type(support.name, str)
    assert_type(support.description, str | None)
    assert_type(support.items(), Iterator[Item])
    found = mirror.item(I1)
    assert_type(found.input, Any)
    assert_type(found.trace_id, str | None)
    assert_type(found.trace_timestamp, datetime | None)
    assert_type(found.deleted, bool)
    assert_type(mirror.pending(), Pending)


def test_mistakes_are_seen_without_running_anything(mirror: Mirror) -> None:
    """Strict mypy complains of an ignore without a mistake, so each of these is one."""

    def never() -> None:
        found = mirror.item(I1)
        found.inptu  # type: ignore[attr-defined]  # noqa: B018
        found.inptu = 1  # type: ignore[attr-defined]
        found.trace_id = 1  # type: ignore[assignment]
        found.deleted = True  # type: ignore[misc]
        found.update(trace_id=1)  # type: ignore[arg-type]
        found.update(inptu=1)  # type: ignore[call-arg]
        mirror.dataset("Support").new_item(outputs=1)  # type: ignore[call-arg]

    assert callable(never)
