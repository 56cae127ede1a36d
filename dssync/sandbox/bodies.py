"""From the bytes of a request to the columns they set."""

import io
from collections.abc import Container, Mapping
from dataclasses import dataclass

from werkzeug.formparser import FormDataParser
from werkzeug.http import parse_options_header

from dssync.sandbox import jsonb
from dssync.sandbox.errors import invalid, server_error, unparsable, unsupported_media_type
from dssync.sandbox.fields import Field, Kind, clean_flag, clean_json, clean_reference, clean_text
from dssync.sandbox.jsonb import Cell
from dssync.sandbox.wire import Call

_FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})
_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Body:
    """A parsed body. A form cannot say null, and carries JSON columns as JSON text."""

    value: object
    is_form: bool = False


def parse_body(call: Call) -> Body:
    """Parse the body by its Content-Type; raises a 415, a 400 parse error, or a 500."""
    media_type, options = parse_options_header(call.headers.get("content-type", ""))
    if not call.body:
        return Body({}, media_type in _FORMS)
    if media_type in _FORMS:
        return Body(_parse_form(call.body, media_type, options), is_form=True)
    if media_type != "application/json":
        raise unsupported_media_type(media_type)
    try:
        return Body(jsonb.parse(call.body.decode()))
    except ValueError as error:
        raise unparsable(f"JSON parse error - {error}") from None
    except jsonb.TooDeep:
        raise server_error() from None


def _parse_form(body: bytes, media_type: str, options: Mapping[str, str]) -> dict[str, object]:
    parser = FormDataParser(silent=False)
    try:
        parsed = parser.parse(io.BytesIO(body), media_type, len(body), dict(options))
    except ValueError as error:
        raise unparsable(f"Multipart form parse error - {error}") from None
    for upload in parsed[2].values():
        upload.close()
    return {name: values[-1] for name, values in parsed[1].lists()}


def clean_body(
    kind: Kind, body: Body, *, partial: bool, datasets: Container[str] | None = None
) -> dict[str, Cell]:
    """Check the fields that were sent and return their columns.

    `partial` (PATCH) asks for no field. `datasets` are the ids a reference may name; None allows
    any. Fields the kind does not have are ignored. What the
    database refuses (U+0000, lone surrogates) is a 500, after every other check has passed.
    """
    if not isinstance(body.value, dict):
        detail = f"Invalid data. Expected a dictionary, but got {type(body.value).__name__}."
        raise invalid("invalid", detail, None)
    cells: dict[str, Cell] = {}
    storable = True
    for field in kind.fields:
        value = _sent(field, body.value, is_form=body.is_form, partial=partial)
        if value is _ABSENT:
            continue
        try:
            cells[field.name] = _clean(field, value, datasets)
        except jsonb.NotStorable:
            storable = False
    if not storable:
        raise server_error()
    return cells


def _clean(field: Field, value: object, datasets: Container[str] | None) -> Cell:
    if value is None:
        if not field.nullable:
            raise field.problem("null", "This field may not be null.")
        return jsonb.plain(None)
    cell = field.clean(field, value)
    unknown = datasets is not None and cell.stored[1:-1] not in datasets
    if field.clean is clean_reference and unknown:
        raise field.problem("does_not_exist", f'Invalid pk "{value}" - object does not exist.')
    return cell


def _sent(field: Field, values: Mapping[str, object], *, is_form: bool, partial: bool) -> object:
    if field.name not in values:
        if field.required and not partial:
            raise field.problem("required", "This field is required.")
        # A form has no unticked boxes: Django REST framework reads an absent one as null.
        absent_box = is_form and not partial and field.clean is clean_flag
        return None if absent_box else _ABSENT
    value = values[field.name]
    return _from_form(field, str(value)) if is_form else value


def _from_form(field: Field, text: str) -> object:
    if field.clean is clean_json:
        try:
            return jsonb.parse(text)
        except ValueError:
            raise field.problem("invalid", "Value must be valid JSON.") from None
        except jsonb.TooDeep:
            raise server_error() from None
    empty_means_null = field.nullable and field.clean is not clean_text
    return None if text == "" and empty_means_null else text
