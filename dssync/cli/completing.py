"""What each argument and option can be completed with.

A TAB must be quick and say nothing: whatever is wrong with the configuration or the mirror, there
are no candidates. What cannot be typed safely is offered by its key, or not at all.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

from dssync.cli.render.text import plain, shortened
from dssync.core.fields import KINDS
from dssync.errors import DssyncError

if TYPE_CHECKING:
    from dssync.cli.options import Given
    from dssync.config import Settings
    from dssync.mirror.names import Group, Named, Names

Items = list[CompletionItem[str]]
Completer = Callable[[click.Context, click.Parameter, str], Items]
Source = Callable[["Names", click.Context], Iterable[CompletionItem[str]]]

HELP = 60
"""So much is said about a candidate, where the shell shows it."""


def records(group: "Group" = "live") -> Completer:
    """Complete with datasets by name or key, and with items by key."""

    def found(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
        yield from _named([*names.datasets(group), *names.items(group), *names.ids(tuple(KINDS))])

    return _mirrored(found)


def _datasets(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return _named([*names.datasets(), *names.ids(["dataset"])])


def _undoable(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return _runs(names, ("push", "undo"))


def _snapshots(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    for taken in names.snapshots():
        yield CompletionItem(str(taken.id), help=f"taken {taken.started_at}")


def _runs_and_records(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    yield from _runs(names)
    yield from _named([*names.datasets(), *names.items(), *names.ids(tuple(KINDS))])


def _commands(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return map(CompletionItem, names.commands())


def _unreadable(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return map(CompletionItem, names.unreadable())


def _edited_fields(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return map(CompletionItem, names.fields(str(ctx.params["record"])))


def _conflicted_fields(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return map(CompletionItem, names.fields(str(ctx.params["record"]), conflicted=True))


def _set_words(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    """Complete the words of `set`: a RECORD, unless others choose it, then a POINTER."""
    given: Sequence[str] = ctx.params["words"] or ()
    many = ctx.params["where"] is not None or ctx.params["dataset"] is not None
    if not given and not many:
        yield from _named([*names.datasets(), *names.items(), *names.ids(tuple(KINDS))])
    elif len(given) == (0 if many else 1):
        meant = ctx.params["kind"] or "item" if many else names.kind(given[0])
        for kind in KINDS.values():
            if kind.name == meant or meant is None:
                yield from (CompletionItem(f.name) for f in kind.fields if f.type != "flag")


def _named(found: Iterable["Named"]) -> Iterator[CompletionItem[str]]:
    for each in found:
        if each.name and _safe(each.name):
            yield CompletionItem(each.name, help=f"{each.kind} of {each.remote}", key=each.key)
        else:
            yield CompletionItem(each.key, help=each.name or f"{each.kind} of {each.remote}")


def _runs(names: "Names", commands: Sequence[str] = ()) -> Iterator[CompletionItem[str]]:
    for run in names.runs(commands):
        yield CompletionItem(str(run.id), help=f"{run.command} {run.started_at}")


def _safe(text: str) -> bool:
    """Tell whether text can stand on a command line as it is: visible, and no option."""
    return bool(text.strip()) and plain(text) == text and not text.startswith("-")


def _mirrored(source: Source) -> Completer:
    """Ask the mirror in force; nothing where it cannot be read."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> Items:
        from dssync.mirror.names import Error, Names
        from dssync.mirror.place import path_of

        given: Given = ctx.obj
        try:
            path = path_of(_settings(given).mirror)
            with Names.look(path, typed, given.remotes) as names:
                return _fitting(source(names, ctx), typed)
        except (DssyncError, OSError, ValueError, Error):
            return []

    return complete


def _fitting(found: Iterable[CompletionItem[str]], typed: str) -> Items:
    """Keep what begins as was typed, once; a key where a key was typed and not its name."""
    fitting: dict[str, CompletionItem[str]] = {}
    for item in found:
        if item.key and not item.value.startswith(typed):
            item = CompletionItem(item.key, help=item.value)
        if item.value.startswith(typed) and _safe(item.value):
            item.help = shortened(plain(item.help or ""), HELP)
            fitting.setdefault(item.value, item)
    return list(fitting.values())


def _settings(given: "Given") -> "Settings":
    from dssync.config import load

    mirror = given.mirror
    if mirror and mirror.startswith("~"):  # the shell has not read it yet
        mirror = str(Path(mirror).expanduser())
    return load(Path(given.folder).expanduser(), os.environ, mirror=mirror)


def configured(ctx: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Complete with the remotes of the configuration."""
    try:
        known = _settings(ctx.obj).remotes
    except (DssyncError, OSError, ValueError):
        return []
    return [CompletionItem(name) for name in known if name.startswith(typed)]


def _remotes(names: "Names", ctx: click.Context) -> Iterator[CompletionItem[str]]:
    return map(CompletionItem, names.remotes())


def remotes(ctx: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Complete with the remotes of the configuration and those the mirror has met."""
    found = {item.value: item for item in configured(ctx, parameter, typed)}
    for item in _mirrored(_remotes)(ctx, parameter, typed):
        found.setdefault(item.value, item)
    return list(found.values())


def files(ctx: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Let the shell complete with files."""
    return [CompletionItem(typed, type="file")]


def folders(ctx: click.Context, parameter: click.Parameter, typed: str) -> Items:
    """Let the shell complete with folders."""
    return [CompletionItem(typed, type="dir")]


datasets = _mirrored(_datasets)
runs_to_undo = _mirrored(_undoable)
snapshots = _mirrored(_snapshots)
runs_and_records = _mirrored(_runs_and_records)
commands_that_ran = _mirrored(_commands)
unreadable = _mirrored(_unreadable)
edited_fields = _mirrored(_edited_fields)
conflicted_fields = _mirrored(_conflicted_fields)
set_words = _mirrored(_set_words)
