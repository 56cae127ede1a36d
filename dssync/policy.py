"""What a configuration says of keeping: `[forget]` of snapshots, `[offsite]` of copies.

A remote may have its own `[remotes.NAME.forget]`. Copies are of the whole mirror:

    [offsite]
    to = "/mnt/backup/dssync"       # or "s3://bucket/prefix"
    recipients = ["age1..."]        # who can open them; without any they are not encrypted
    keep = 7
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dssync.core.brakes import Limit
from dssync.core.retention import ENTRIES, Policy, Rules
from dssync.errors import ConfigError, UsageError
from dssync.tomlplace import path_in, place_in

ZONE = "time_zone"

OFFSITE = ("to", "endpoint", "recipients", "keep")
KEEP = 7
S3 = "s3://"


@dataclass(frozen=True, slots=True)
class Offsite:
    """Where copies of the mirror go, who can open them, and how many are kept.

    `to` is a folder, or `s3://bucket/prefix`; `endpoint` is the URL of an S3-compatible server that
    is not Amazon's. `recipients` are public age or SSH keys; without any a copy is not encrypted.
    """

    to: str
    endpoint: str | None = None
    recipients: tuple[str, ...] = ()
    keep: int = KEEP

    @property
    def folder(self) -> Path | None:
        """Return the folder, None for storage behind S3's API."""
        return None if self.to.startswith(S3) else Path(self.to)


def written_rules(written: Mapping[str, object], file: Path, *path: str) -> Rules | None:
    """Return the rules of a table's `forget`, if it has one; `path` leads to the table.

    Raises ConfigError, which names the line.
    """
    at = (*path, "forget")
    table = _table(written, file, at, (*ENTRIES, ZONE), "what to keep")
    if table is None:
        return None
    try:
        return Rules(Policy.of(table), zone_of(str(table.get(ZONE, "UTC"))))
    except (ValueError, UsageError) as error:
        raise ConfigError(f"{file}: [{'.'.join(at)}]: {error}") from None


def written_limit(name: str, table: Mapping[str, Any], file: Path) -> Limit | None:
    """Return how much of a remote may be lost, if its table says so. Raises ConfigError."""
    if "max_delete" not in table:
        return None
    written = table["max_delete"]
    try:
        if not isinstance(written, str | int) or isinstance(written, bool):
            raise ValueError(f"{written} is neither")
        limit = Limit.parse(str(written))
    except ValueError:
        raise ConfigError(
            f"{place_in(file, ('remotes', name), 'max_delete')}: max_delete of the remote {name}"
            f' is {written!r}; write a number such as 20, or a share such as "30%"'
        ) from None
    return replace(limit, origin=f"max_delete of [remotes.{name}]")


def written_offsite(written: Mapping[str, object], file: Path) -> Offsite | None:
    """Return what `[offsite]` says, if it is there. Raises ConfigError, which names the line."""
    table = _table(written, file, ("offsite",), OFFSITE, "where copies go")
    if table is None:
        return None

    def refuse(entry: str, why: str) -> ConfigError:
        return ConfigError(f"{place_in(file, ('offsite',), entry)}: {entry} of [offsite] {why}")

    to, endpoint = table.get("to"), table.get("endpoint")
    if not isinstance(to, str) or not _usable(to):
        raise refuse("to", 'is a folder, or "s3://bucket/prefix", in quotes')
    if endpoint is not None:
        if not isinstance(endpoint, str) or not endpoint.startswith(("https://", "http://")):
            raise refuse("endpoint", "is the URL of an S3-compatible server, in quotes")
        if not to.startswith(S3):
            raise refuse("endpoint", f'goes with to = "{S3}bucket/prefix"')
    recipients = table.get("recipients", [])
    if not isinstance(recipients, list) or not all(isinstance(each, str) for each in recipients):
        raise refuse("recipients", 'is a list of public keys, as ["age1..."]')
    keep = table.get("keep", KEEP)
    if not isinstance(keep, int) or isinstance(keep, bool) or keep < 1:
        raise refuse("keep", "is how many copies to keep, at least 1")
    try:
        return Offsite(_placed(to, file), endpoint, tuple(dict.fromkeys(recipients)), keep)
    except ValueError as error:
        raise refuse("to", f"is no folder: {error}") from None


def _usable(to: str) -> bool:
    if to.startswith(S3):
        return bool(to.removeprefix(S3).partition("/")[0].strip())
    return bool(to.strip("/ ")) and "://" not in to


def _placed(to: str, file: Path) -> str:
    """Take a folder from where the configuration stands. Raises ValueError."""
    if to.startswith(S3):
        return to.rstrip("/")
    return str(path_in(file, to))


def _table(
    written: Mapping[str, object],
    file: Path,
    at: tuple[str, ...],
    known: tuple[str, ...],
    what: str,
) -> dict[str, Any] | None:
    """Return the table at the end of this path, None without one; of no entry but the known."""
    if at[-1] not in written:
        return None
    table, name = written[at[-1]], ".".join(at)
    if not isinstance(table, dict):
        raise ConfigError(f"{file}: {what} is written as [{name}]")
    for entry in table:
        if entry not in known:
            raise ConfigError(
                f"{place_in(file, at, entry)}: [{name}] has an unknown entry {entry};"
                f" it may hold {', '.join(known)}"
            )
    return table


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
