"""What a configuration says of being noticed: `[heartbeat]` and `[metrics]`.

    [heartbeat]
    url = "https://hc-ping.com/..."     # told of the end; /start and /fail are added to it
    # or each by itself: start = "...", success = "...", failure = "..."

    [metrics]
    textfile = "/var/lib/node_exporter/dssync.prom"

Such a URL is a secret, so it may come from the variable DSSYNC_HEARTBEAT_URL instead, which beats
the file. No error here shows a value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dssync.errors import ConfigError
from dssync.net.secret import Secret
from dssync.tomlplace import path_in, place_in

VARIABLE = "DSSYNC_HEARTBEAT_URL"

MOMENTS = ("start", "success", "failure")
"""What has a URL of its own."""

SUFFIXES: Mapping[str, str] = {"start": "/start", "success": "", "failure": "/fail"}
"""What is added to the one URL for each, as healthchecks.io and those like it expect."""


@dataclass(frozen=True, slots=True)
class Told:
    """One moment's URL: where it was found, for people, and what is added to its path."""

    url: Secret
    where: str
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """Whom to tell at which moment, and the file that metrics go to, if any."""

    told: Mapping[str, Told] = field(default_factory=dict)
    textfile: Path | None = None


NOBODY = Notice()


def written_notice(written: Mapping[str, object], file: Path, env: Mapping[str, str]) -> Notice:
    """Return what the configuration says, and the variable. Raises ConfigError."""
    beat = _texts(written, file, "heartbeat", ("url", *MOMENTS))
    metrics = _texts(written, file, "metrics", ("textfile",))
    told: dict[str, Told] = {}
    common = env.get(VARIABLE) or beat.get("url")
    where = VARIABLE if env.get(VARIABLE) else f"url of [heartbeat] in {file}"
    for moment in MOMENTS:
        if moment in beat:
            own = f"{moment} of [heartbeat] in {file}"
            told[moment] = Told(Secret(beat[moment].strip()), own)
        elif common:
            told[moment] = Told(Secret(common.strip()), where, SUFFIXES[moment])
    return Notice(told, _textfile(metrics["textfile"], file) if metrics else None)


def _textfile(text: str, file: Path) -> Path:
    try:
        return path_in(file, text)
    except ValueError as error:
        raise ConfigError(
            f"{place_in(file, ('metrics',), 'textfile')}: textfile of [metrics] is no file: {error}"
        ) from None


def _texts(
    written: Mapping[str, object], file: Path, name: str, known: tuple[str, ...]
) -> Mapping[str, str]:
    """Return a table of texts, an empty one where there is none."""
    table = written.get(name, {})
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: {name} is written as a table, [{name}]")
    for entry, value in table.items():
        if entry not in known:
            raise ConfigError(
                f"{place_in(file, (name,), entry)}: [{name}] has an unknown entry {entry};"
                f" it may hold {', '.join(known)}"
            )
        if not isinstance(value, str) or not value.strip():
            raise ConfigError(
                f"{place_in(file, (name,), entry)}: {entry} of [{name}] is a text, in quotes"
            )
    return table
