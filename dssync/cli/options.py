"""The options that every command takes, before its name and after it, and their types."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from dssync.cli.completing import datasets, files, remotes
from dssync.core.brakes import Limit
from dssync.core.sampling import Size

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Given:
    """The common options as they were given, wherever they stood; what stands later wins."""

    command: str = ""
    folder: Path = Path()
    mirror: str | None = None
    remotes: tuple[str, ...] = ()
    quiet: bool = False
    verbose: bool = False
    json: bool = False
    no_input: bool = False
    no_color: bool = False


class CommonOption(click.Option):
    """An option that is kept in `Given`, not handed to the command."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, expose_value=False, callback=_keep, **settings)


def _keep(context: click.Context, option: click.Parameter, value: object) -> None:
    name = str(option.name)
    if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE:
        return
    given = context.ensure_object(Given)
    together = (*given.remotes, *value) if isinstance(value, tuple) else value
    setattr(given, name, together)


_COMMON = (
    click.option(
        "-C",
        "folder",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        cls=CommonOption,
        help="Work in DIR: its dssync.toml and its mirror.",
    ),
    click.option(
        "--mirror",
        metavar="PATH",
        cls=CommonOption,
        shell_complete=files,
        help="The mirror, as a path or sqlite:///…",
    ),
    click.option(
        "-r",
        "--remote",
        "remotes",
        metavar="NAME",
        multiple=True,
        cls=CommonOption,
        shell_complete=remotes,
        help="Only this remote; may be repeated. Without it: all.",
    ),
    click.option("-q", "--quiet", is_flag=True, cls=CommonOption, help="Say only what is wrong."),
    click.option("-v", "--verbose", is_flag=True, cls=CommonOption, help="Say more."),
    click.option("--json", is_flag=True, cls=CommonOption, help="Print one JSON document."),
    click.option("--no-input", is_flag=True, cls=CommonOption, help="Never ask a question."),
    click.option("--no-color", is_flag=True, cls=CommonOption, help="Print without colours."),
)


def common_options(function: F) -> F:
    """Add the options that every command takes."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def read_duration(text: str) -> float:
    """Read a time such as 90, 90s, 10m, 2h or 7d, as seconds."""
    found = re.fullmatch("([0-9]+)([smhd]?)", text)
    if not found:
        raise click.BadParameter(f"{text!r} is not a time such as 30s, 10m, 2h or 7d.")
    return float(int(found[1]) * _UNITS[found[2]])


def read_limit(text: str) -> Limit:
    """Read a number of records, or a percentage."""
    try:
        return Limit.parse(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a number such as 20, or a share such as 30%."
        ) from None


def read_size(text: str) -> Size:
    """Read the size of a sample: a number of records, or a percentage."""
    try:
        return Size.parse(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a number such as 500, or a share such as 5%."
        ) from None


wait_option = click.option(
    "--wait",
    metavar="TIME",
    type=read_duration,
    default="0",
    help="Wait so long for another run to end, such as 10m.",
)

max_wait_option = click.option(
    "--max-wait",
    metavar="TIME",
    type=read_duration,
    help="Wait so long in all for the key's rate limit, such as 15m; else as long as needed.",
)

max_delete_option = click.option(
    "--max-delete",
    "limit",
    metavar="N|P%",
    type=read_limit,
    help="How many records of a kind may be lost; without it, 10 or 25%.",
)


def consent_options(function: F) -> F:
    """Add the options of whatever asks before it sends."""
    dry = click.option("-n", "--dry-run", "dry", is_flag=True, help="Only show what would be sent.")
    yes = click.option("-y", "--yes", is_flag=True, help="Consent; ask nothing.")
    return dry(yes(function))


_WHERE = (
    click.option("--where", metavar="EXPR", help="Every record that this SQL holds for."),
    click.option(
        "--kind",
        type=click.Choice(["item", "dataset"]),
        help="What EXPR is about; items without it.",
    ),
    click.option(
        "--dataset", metavar="NAME", shell_complete=datasets, help="Only the items of this dataset."
    ),
    click.option("-n", "--dry-run", "dry", is_flag=True, help="Only show; with --where."),
    click.option("-y", "--yes", is_flag=True, help="Consent; ask nothing; with --where."),
)


def where_options(function: F) -> F:
    """Add the options of commands that edit many records at once."""
    for option in reversed(_WHERE):
        function = option(function)
    return function


_KEEP = (
    *(
        click.option(
            f"--keep-{name}", name, metavar="N", type=click.IntRange(min=1), help=f"Keep {what}."
        )
        for name, what in (
            ("last", "the N newest"),
            ("hourly", "the newest of each of N hours"),
            ("daily", "the newest of each of N days"),
            ("weekly", "the newest of each of N weeks"),
            ("monthly", "the newest of each of N months"),
            ("yearly", "the newest of each of N years"),
        )
    ),
    click.option(
        "--keep-within",
        "within",
        metavar="SPAN",
        help="Keep what is at most so much older than the newest: 30d, 2w, 1y6m (m: months).",
    ),
    click.option(
        "--time-zone", "zone", metavar="NAME", help="Whose days, as Europe/Berlin; without it UTC."
    ),
)


def keep_options(function: F) -> F:
    """Add the options that say which snapshots to keep."""
    for option in reversed(_KEEP):
        function = option(function)
    return function
