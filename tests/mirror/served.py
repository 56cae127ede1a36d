"""Records as a server writes them: literal JSON bodies, read by the real reader."""

import json
from typing import Any

from dssync.core.fields import KindName
from dssync.core.records import Reading
from dssync.net.transport import Answer
from dssync.posthog.wire import Reader

D1 = "0199d001-0000-7000-8000-000000000001"
D2 = "0199d002-0000-7000-8000-000000000002"
I1 = "0199e001-0000-7000-8000-000000000001"
I2 = "0199e002-0000-7000-8000-000000000002"
I3 = "0199e003-0000-7000-8000-000000000003"

ANN = {"id": 7, "uuid": "ann", "email": "ann@example.com", "hedgehog_config": None}
TIME = "2026-11-23T18:13:50.347800Z"


def dataset(id: str, name: str = "Support", **fields: Any) -> Reading:
    """Read a dataset as a classic server shows it."""
    body = {
        "id": id,
        "name": name,
        "description": None,
        "metadata": None,
        "created_at": TIME,
        "updated_at": TIME,
        "deleted": False,
        "created_by": ANN,
        "team": 1,
    }
    return reading("dataset", {**body, **fields})


def item(id: str, dataset: str = D1, **fields: Any) -> Reading:
    """Read an item as a classic server shows it."""
    body = {
        "id": id,
        "dataset": dataset,
        "input": None,
        "output": None,
        "metadata": None,
        "ref_trace_id": None,
        "ref_timestamp": None,
        "ref_source_id": None,
        "deleted": False,
        "created_at": TIME,
        "updated_at": TIME,
        "created_by": ANN,
        "team": 1,
    }
    return reading("item", {**body, **fields})


def reading(kind: KindName, body: dict[str, Any]) -> Reading:
    """Read one body."""
    return Reader(kind, "classic").record(Answer(200, {}, json.dumps(body).encode()))
