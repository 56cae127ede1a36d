"""`dssync new …`."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from dssync.cli.command import branch, command
from dssync.cli.completing import datasets
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.core.fields import KINDS, KindName, Stored
from dssync.core.pointer import read_value, to_stored
from dssync.errors import UsageError

F = TypeVar("F", bound=Callable[..., Any])

new = branch("new", "Make a dataset or an item.")

_HELP = {
    "json": "JSON; what is none is kept as text.",
    "text": "Text.",
    "time": "A time such as 2026-11-23T18:13:50Z.",
}


def _field_options(kind: KindName, *without: str) -> Callable[[F], F]:
    """Add an option for each field of a kind that can be given."""

    def add(function: F) -> F:
        for field in reversed(KINDS[kind].fields):
            if field.type in _HELP and field.name not in without:
                flag = f"--{field.name.replace('_', '-')}"
                metavar = field.type.upper()
                function = click.option(flag, metavar=metavar, help=_HELP[field.type])(function)
        return function

    return add


@command("dataset", parent=new, exits=OPENING)
@click.argument("name")
@_field_options("dataset", "name")
def dataset(context: Context, name: str, **fields: str | None) -> int:
    """Make a dataset; a push creates it on the server. Prints its key.

    Where the mirror holds several remotes, -r says which one it is for.
    """
    return _make(context, "dataset", {"name": name, **fields})


@command("item", parent=new, exits=OPENING)
@click.argument("dataset", shell_complete=datasets)
@_field_options("item")
def item(context: Context, dataset: str, **fields: str | None) -> int:
    """Make an item of a dataset; a push creates it on the server. Prints its key.

    DATASET is a key or id, a name, or the beginning of one.
    """
    return _make(context, "item", fields, dataset)


def _make(
    context: Context, kind: KindName, given: Mapping[str, str | None], parent: str | None = None
) -> int:
    from dssync.cli.editing import finish_edit

    with context.mirror() as mirror:
        names = context.chosen(mirror)
        if len(names) > 1:
            raise UsageError("a new record is for one remote", hint="give -r once")
        values = _values(kind, given)
        if parent is not None:
            values["dataset"] = mirror.find(parent, names).key
        key = mirror.new(kind, names[0] if names and parent is None else None, values)
        return finish_edit(context, mirror, "made", [mirror.find(key)], print_keys=True)


def _values(kind: KindName, given: Mapping[str, str | None]) -> dict[str, Stored]:
    fields = KINDS[kind].by_name
    return {
        name: to_stored(fields[name], read_value(fields[name], text))
        for name, text in given.items()
        if text is not None
    }
