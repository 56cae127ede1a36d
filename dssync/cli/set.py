"""`dssync set`."""

import sys
from collections.abc import Sequence
from functools import partial

import click

from dssync.cli.command import command
from dssync.cli.completing import set_words
from dssync.cli.context import Context
from dssync.cli.exits import OPENING
from dssync.cli.options import where_options
from dssync.core.fields import KindName
from dssync.core.pointer import REMOVE, Mark, Pointer, put, read_pointer, read_value
from dssync.core.values import Json
from dssync.errors import UsageError

STDIN = "-"


@command("set", exits=OPENING)
@click.argument(
    "words", metavar="[RECORD] POINTER [VALUE]", nargs=-1, required=True, shell_complete=set_words
)
@click.option("--null", is_flag=True, help="Set it to null.")
@click.option("--remove", is_flag=True, help="Remove that part of a JSON field.")
@where_options
def set_field(
    context: Context,
    words: tuple[str, ...],
    null: bool,
    remove: bool,
    where: str | None,
    kind: KindName | None,
    dataset: str | None,
    dry: bool,
    yes: bool,
) -> int:
    """Set a field, or a part of one.

    POINTER is a field such as description, or a way into a JSON field such as /metadata/split or
    /input/messages/0; /- adds to the end of a list. VALUE is taken as it stands for a text field;
    for JSON it is parsed, and kept as text where it is none. - reads it from standard input. Put
    -- before a VALUE that begins with a hyphen.

    With --where, or --dataset, there is no RECORD: every one that EXPR holds for is set, after a
    preview and one question. EXPR is SQL over the columns of the items, such as
    metadata->>'split' = 'test', and dataset_name; it can only read.
    """
    from dssync.cli.bulk import Where, go
    from dssync.sync.bulk import apply_edits, setting

    many = Where(where, kind, dataset, dry, yes)
    if not many.given:
        many.refuse_alone()
        return _set_one(context, words, null=null, remove=remove)
    pointer, value = _split(words, 0, null=null, remove=remove)
    place = read_pointer(many.about, pointer)
    new = REMOVE if remove else _read(place, value)
    with context.mirror() as mirror:
        changes = setting(mirror, many.find(context, mirror), place, new)
        apply = partial(apply_edits, mirror, changes)
        return go(context, mirror, many, f"set {place} of", changes, apply)


def _set_one(context: Context, words: Sequence[str], *, null: bool, remove: bool) -> int:
    from dssync.cli.editing import finish_edit

    pointer, value = _split(words, 1, null=null, remove=remove)
    with context.mirror() as mirror:
        found = mirror.find(words[0], context.chosen(mirror))
        place = read_pointer(found.kind, pointer)
        new = REMOVE if remove else _read(place, value)
        mirror.edit(found.kind, found.key, {place.field.name: put(found.values, place, new)})
        return finish_edit(context, mirror, f"set {place} of", [found])


def _split(words: Sequence[str], at: int, *, null: bool, remove: bool) -> tuple[str, str | None]:
    """Return the pointer and the value; `at` is where the pointer stands."""
    if len(words) <= at:
        raise UsageError("say what to set: RECORD POINTER VALUE", hint="dssync set --help")
    if len(words) > at + 2:
        many = "; with --where there is no RECORD" if at == 0 else ""
        raise UsageError(f"{words[at + 2]!r} is too much{many}", hint="put quotes around a VALUE")
    value = words[at + 1] if len(words) == at + 2 else None
    if [value is not None, null, remove].count(True) != 1:
        raise UsageError("say what to set: a VALUE, or --null, or --remove")
    return words[at], value


def _read(pointer: Pointer, value: str | None) -> Json | Mark:
    if value is None:
        return None
    text = sys.stdin.read().removesuffix("\n") if value == STDIN else value
    return read_value(pointer.field, text)
