"""Evaluation data to fill a sandbox with: a small sample, or any amount made from it."""

import importlib.resources
import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from dssync.sandbox.state import State

_BEGIN = datetime(2026, 1, 5, 9, 0, 0, tzinfo=UTC)
_TEAMS = ("checkout", "onboarding", "mobile", "billing", "search", "docs", "partners", "beta")
_CITIES = ("Lisbon", "Oslo", "Nairobi", "Kyōto", "São Paulo", "Kraków", "Montréal", "Perth")
_SPLITS = ("train", "train", "train", "validation", "test")
_MOMENTS = frozenset({"created_at", "updated_at"})


def load_sample(state: State, project: int = 1) -> None:
    """Load the bundled sample: 6 datasets of 10 items each, made by 4 people, always the same ids.

    The ids are fixed, so load it into one project of a sandbox only.
    """
    sample = _read_sample()
    with state.lock:
        _add_people(state, sample)
        for dataset in sample["datasets"]:
            items = dataset.pop("items")
            state.insert("dataset", project, **_with_moments(dataset))
            for item in items:
                state.insert("item", project, dataset=dataset["id"], **_with_moments(item))


def generate(
    state: State, project: int = 1, *, datasets: int = 5, items: int = 100, seed: int = 0
) -> None:
    """Make datasets and `items` items in all, spread evenly; the same seed makes the same data.

    Texts are those of the sample, varied. Times step forward from January 2026.
    """
    chance = random.Random(seed)
    sample = _read_sample()
    people = [person["id"] for person in sample["people"]]
    with state.lock:
        _add_people(state, sample)
        made = [
            _make_dataset(state, project, number, sample["datasets"], chance.choice(people))
            for number in range(datasets)
        ]
        for number in range(items if made else 0):
            dataset, models = made[number % len(made)]
            item = _vary(chance.choice(models), number, chance)
            moment = _BEGIN + timedelta(days=1, seconds=number * 17, microseconds=number * 7919)
            by = chance.choice(people)
            state.insert("item", project, dataset=dataset, created_at=moment, created_by=by, **item)


def _make_dataset(
    state: State, project: int, number: int, models: list[dict[str, Any]], by: int
) -> tuple[str, list[dict[str, Any]]]:
    model = models[number % len(models)]
    round_number, team = divmod(number, len(_TEAMS))
    name = f"{model['name']} ({_TEAMS[team]} {round_number + 1})"
    dataset = state.insert(
        "dataset",
        project,
        name=name,
        description=model["description"],
        metadata={**(model["metadata"] or {}), "team": _TEAMS[team], "round": round_number + 1},
        created_at=_BEGIN + timedelta(minutes=number, microseconds=number * 6151),
        created_by=by,
    )
    return dataset, model["items"]


def _vary(model: Mapping[str, Any], number: int, chance: random.Random) -> dict[str, Any]:
    note = f"ticket {chance.randrange(10_000, 100_000)}, {chance.choice(_CITIES)}"
    return {
        "input": _annotate(model["input"], note),
        "output": model["output"],
        "metadata": {**model["metadata"], "split": chance.choice(_SPLITS), "number": number},
        "ref_trace_id": f"{chance.getrandbits(128):032x}" if number % 3 == 0 else None,
        "ref_source_id": f"generation-{number}" if number % 3 == 0 else None,
    }


def _annotate(value: Any, note: str) -> Any:
    if isinstance(value, str):
        return f"{value} ({note})"
    if "messages" in value:
        *before, last = value["messages"]
        return {**value, "messages": [*before, {**last, "content": f"{last['content']} ({note})"}]}
    return {**value, "context": note}


def _read_sample() -> dict[str, Any]:
    text = (importlib.resources.files("dssync.sandbox") / "sample.json").read_text("utf-8")
    sample: dict[str, Any] = json.loads(text)
    return sample


def _add_people(state: State, sample: Mapping[str, Any]) -> None:
    for person in sample["people"]:
        state.set_person(person)


def _with_moments(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name in _MOMENTS else value
        for name, value in values.items()
    }
