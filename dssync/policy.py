"""What a configuration says of snapshots to keep: `[forget]`, or `[remotes.NAME.forget]`."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dssync.core.retention import ENTRIES, Policy, Rules
from dssync.errors import ConfigError, UsageError
from dssync.tomlplace import place_in

ZONE = "time_zone"


def written_rules(written: Mapping[str, object], file: Path, *path: str) -> Rules | None:
    """Return the rules of a table's `forget`, if it has one; `path` leads to the table.

    Raises ConfigError, which names the line.
    """
    if "forget" not in written:
        return None
    table, at = written["forget"], (*path, "forget")
    name = ".".join(at)
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: what to keep is written as [{name}]")
    for entry in table:
        if entry not in (*ENTRIES, ZONE):
            known = ", ".join((*ENTRIES, ZONE))
            raise ConfigError(
                f"{place_in(file, at, entry)}: [{name}] has an unknown entry {entry};"
                f" it may hold {known}"
            )
    try:
        return Rules(Policy.of(table), zone_of(str(table.get(ZONE, "UTC"))))
    except (ValueError, UsageError) as error:
        raise ConfigError(f"{file}: [{name}]: {error}") from None


def zone_of(name: str) -> tzinfo:
    """Return a time zone by its name. Raises UsageError."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UsageError(
            f"no time zone is called {name!r}",
            hint="write it as in Europe/Berlin; where the machine has no zones: pip install tzdata",
        ) from None
