"""Rows as a classic server writes them, made ahead of time so that serving costs nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

ROW_BYTES = 1024
_NEWEST = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
_WORDS = (
    *("answer", "model", "question", "refund", "invoice", "order"),
    *("please", "shipping", "the", "user", "wants", "when"),
)


def datasets(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield (id, row) of each dataset, newest first; a row is about 600 bytes."""
    random = Random(1)
    for number in range(count):
        id = _id(random)
        row = {
            "id": id,
            "name": f"Evaluation {number}",
            "description": _text(random, 100),
            "metadata": {"owner": "evals", "number": number},
            **_server_fields(random, number),
        }
        yield id, _dump(row)


def items(count: int, parents: list[str]) -> Iterator[bytes]:
    """Yield each item, newest first; a row is about 1 KB."""
    random = Random(2)
    for number in range(count):
        row: dict[str, object] = {
            "id": _id(random),
            "dataset": parents[number % len(parents)],
            "input": {"role": "user", "content": ""},
            "output": {"content": _text(random, 100), "score": random.random()},
            "metadata": {"split": "train", "number": number},
            "ref_trace_id": _id(random),
            "ref_timestamp": _time(number),
            "ref_source_id": None,
            **_server_fields(random, number),
        }
        row["input"] = {"role": "user", "content": _text(random, ROW_BYTES - len(_dump(row)))}
        yield _dump(row)


def _server_fields(random: Random, number: int) -> dict[str, object]:
    return {
        "created_at": _time(number),
        "updated_at": _time(number),
        "deleted": False,
        "created_by": _PEOPLE[random.randrange(len(_PEOPLE))],
        "team": 1,
    }


_PEOPLE = [
    {
        "id": number,
        "uuid": str(UUID(int=number)),
        "distinct_id": f"person-{number}",
        "first_name": "Ada",
        "last_name": "Example",
        "email": f"ada.{number}@example.com",
        "is_email_verified": True,
        "hedgehog_config": None,
        "role_at_organization": "engineering",
    }
    for number in range(1, 6)
]


def _id(random: Random) -> str:
    return str(UUID(int=random.getrandbits(128)))


def _time(number: int) -> str:
    moment = _NEWEST - number * timedelta(seconds=1, microseconds=7)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _text(random: Random, length: int) -> str:
    words = random.choices(_WORDS, k=max(1, length // 4))
    return " ".join(words)[: max(0, length)]


def _dump(row: dict[str, object]) -> bytes:
    return json.dumps(row, separators=(",", ":")).encode()
