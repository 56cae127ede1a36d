"""The documented API's objects, typed, with whatever else a server sends kept beside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

from dssync.posthog.answers import unlike_the_api

M = TypeVar("M", bound=msgspec.Struct)
R = TypeVar("R")


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Who made a record; `extra` holds the fields not named here."""

    id: int | None = None
    uuid: str | None = None
    distinct_id: str | None = None
    first_name: str = ""
    last_name: str | None = None
    email: str = ""
    is_email_verified: bool | None = None
    hedgehog_config: Any = None
    role_at_organization: str | None = None
    extra: dict[str, Any] = {}


class Dataset(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset; `metadata` is any JSON value, `extra` holds the fields not named here."""

    id: str
    name: str
    description: str | None = None
    metadata: Any = None
    created_at: datetime
    updated_at: datetime
    deleted: bool | None = None
    created_by: User | None = None
    team: int | None = None
    extra: dict[str, Any] = {}


class Item(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a dataset; `input`, `output` and `metadata` are any JSON value."""

    id: str
    dataset: str
    input: Any = None
    output: Any = None
    metadata: Any = None
    ref_trace_id: str | None = None
    ref_timestamp: datetime | None = None
    ref_source_id: str | None = None
    deleted: bool | None = None
    created_at: datetime
    updated_at: datetime
    created_by: User | None = None
    team: int | None = None
    extra: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Page(Generic[R]):
    """One page of a list.

    `count` is the server's count of the whole list at that moment. `more` tells that another page
    follows at `offset + len(results)`; the server may grant fewer rows than were asked for.
    """

    results: tuple[R, ...]
    count: int
    offset: int
    more: bool


def build(model: type[M], sent: dict[str, Any]) -> M:
    """Make a model of a decoded object. Raises WrongTarget if a field has another type."""
    known = {name: sent[name] for name in model.__struct_fields__ if name in sent}
    known["extra"] = {name: value for name, value in sent.items() if name not in known}
    if isinstance(known.get("created_by"), dict):
        known["created_by"] = build(User, known["created_by"])
    try:
        return msgspec.convert(known, model)
    except msgspec.ValidationError as error:
        raise unlike_the_api(str(error)) from None
