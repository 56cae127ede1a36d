"""What the demo's server should hold in the end, and whether it does.

Nothing of the client is used here: the expectation is the bundled sample with the edits applied
to plain dictionaries, and the server is read with urllib.
"""

import importlib.resources
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.request import ProxyHandler, Request, build_opener

Records = dict[str, dict[str, Any]]
"""Records by id, with the fields that can be edited."""

FIELDS: Mapping[str, tuple[str, ...]] = {
    "datasets": ("name", "description", "metadata", "deleted"),
    "dataset_items": (
        "dataset",
        "input",
        "output",
        "metadata",
        "ref_trace_id",
        "ref_timestamp",
        "ref_source_id",
        "deleted",
    ),
}


@dataclass(frozen=True, slots=True)
class Edits:
    """The three edits of the demo."""

    dataset_name: str = "Support bot: golden answers"
    description: str = "Questions that customers really asked, with answers checked in November."
    changed_item: str = "019bd14c-4c2f-3bfb-14e9-28cb37b06962"
    metadata_key: str = "difficulty"
    metadata_value: str = "hard"
    deleted_item: str = "019bd145-b82a-d59c-d9e0-5bca9a2f79e6"


EDITS = Edits()


def expected(edits: Edits = EDITS) -> Records:
    """Return the sample as it should be after the edits; deleted records are not listed."""
    records = _sample()
    for record in records.values():
        if record.get("name") == edits.dataset_name:
            record["description"] = edits.description
    records[edits.changed_item]["metadata"][edits.metadata_key] = edits.metadata_value
    del records[edits.deleted_item]
    return records


def _sample() -> Records:
    text = (importlib.resources.files("dssync.sandbox") / "sample.json").read_text("utf-8")
    records: Records = {}
    for dataset in json.loads(text)["datasets"]:
        records[dataset["id"]] = _picked("datasets", dataset | {"deleted": False})
        for item in dataset["items"]:
            whole = item | {"dataset": dataset["id"], "deleted": False}
            records[item["id"]] = _picked("dataset_items", whole)
    return records


def _picked(listing: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {field: record[field] for field in FIELDS[listing]}


def on_server(url: str, key: str) -> Records:
    """Read every record of both lists."""
    opener = build_opener(ProxyHandler({}))  # the sandbox is on this machine
    records: Records = {}
    for listing in FIELDS:
        address = f"{url}/api/projects/1/{listing}/?limit=1000"
        request = Request(address, headers={"Authorization": f"Bearer {key}"})
        with opener.open(request) as answer:
            for record in json.load(answer)["results"]:
                records[record["id"]] = _picked(listing, record)
    return records


def compare(url: str, key: str, wanted: Records) -> list[str]:
    """Say what is not as it should be, a sentence for each record."""
    return list(_differences(wanted, on_server(url, key)))


def _differences(wanted: Records, found: Records) -> Iterator[str]:
    for id in sorted(wanted.keys() | found.keys()):
        if id not in found:
            yield f"{id} is missing on the server"
        elif id not in wanted:
            yield f"{id} should not be on the server"
        elif _text(wanted[id]) != _text(found[id]):
            yield f"{id} should be {_text(wanted[id])}, but is {_text(found[id])}"


def _text(record: Mapping[str, Any]) -> str:
    """Write a record so that 1, 1.0 and true are three values."""
    return json.dumps(record, sort_keys=True)
