"""`dssync set`."""

import sys

import click

from dssync.cli.command import command
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.core.pointer import REMOVE, Mark, Pointer, put, read_pointer, read_value
from dssync.core.values import Json
from dssync.errors import UsageError

STDIN = "-"


@command("set", exits=OPENING)
@click.argument("record")
@click.argument("pointer")
@click.argument("value", required=False)
@click.option("--null", is_flag=True, help="Set it to null.")
@click.option("--remove", is_flag=True, help="Remove that part of a JSON field.")
def set_field(
    context: Context, record: str, pointer: str, value: str | None, null: bool, remove: bool
) -> int:
    """Set a field, or a part of one.

    POINTER is a field such as description, or a way into a JSON field such as /metadata/split or
    /input/messages/0; /- adds to the end of a list. VALUE is taken as it stands for a text field;
    for JSON it is parsed, and kept as text where it is none. - reads it from standard input. Put
    -- before a VALUE that begins with a hyphen.
    """
    from dssync.cli.editing import finish_edit

    if [value is not None, null, remove].count(True) != 1:
        raise UsageError("say what to set: a VALUE, or --null, or --remove")
    with context.mirror() as mirror:
        found = mirror.find(record, context.chosen(mirror))
        place = read_pointer(found.kind, pointer)
        new = REMOVE if remove else _read(place, value)
        mirror.edit(found.kind, found.key, {place.field.name: put(found.values, place, new)})
        return finish_edit(context, mirror, f"set {place} of", [found])


def _read(pointer: Pointer, value: str | None) -> Json | Mark:
    if value is None:
        return None
    text = sys.stdin.read().removesuffix("\n") if value == STDIN else value
    return read_value(pointer.field, text)
