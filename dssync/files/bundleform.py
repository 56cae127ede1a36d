"""What a bundle is made of: its members, the manifest, and a record as a line.

    README.txt        says in plain words what this is
    manifest.json     what was bundled, and size, lines and SHA-256 of every other member
    people.jsonl      who made the records, a person a line
    datasets.jsonl    a dataset a line
    items.jsonl       an item a line

The manifest tells every other byte of the archive, so a reader never trusts a header: it makes the
one that must be there, and compares.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from tarfile import BLOCKSIZE, PAX_FORMAT, RECORDSIZE, TarInfo
from typing import Any, Literal

import msgspec

from dssync.core.fields import KINDS, ContractName, FieldType, Kind, KindName, Stored
from dssync.mirror.past import Past

FORMAT = 1
WHAT: Literal["dssync bundle"] = "dssync bundle"

README, MANIFEST, PEOPLE = "README.txt", "manifest.json", "people.jsonl"
RECORDS: Mapping[KindName, str] = {kind.name: f"{kind.table}.jsonl" for kind in KINDS.values()}
MEMBERS = (README, PEOPLE, *RECORDS.values())
"""What the manifest lists, in the archive's order but for the manifest itself, the second."""

LARGEST = {README: 1 << 16, MANIFEST: 1 << 24, PEOPLE: 1 << 26}
"""The most bytes of members that are read into memory as wholes."""

LONGEST = 1 << 28
"""The most bytes of a line. A record is three JSON fields of at most 20 MiB each, and a JSON text
written as a string is at most twice as long.
"""

PIECE = 1 << 18
"""How much of a member is handled at once."""

EXPLANATION = """\
This archive is a bundle of dssync: the PostHog datasets and dataset items of
one project or environment ("remote"), as its server showed them at the end of
one complete reading ("snapshot"). To read it takes tar, Zstandard and JSON.

manifest.json   which remote and snapshot; size, lines and SHA-256 of each file
people.jsonl    a line for each person who made a record
datasets.jsonl  a line for each dataset
items.jsonl     a line for each dataset item

All text is UTF-8. Each line is one JSON object and ends in a line feed. Records
stand newest first, those that were deleted among them ("deleted" is true).

key             the record's lasting name in the mirror that was bundled
id              its id on the server
dataset         of an item: the "key" of its dataset
input, expected_output, source_output, metadata
                JSON documents, written as text exactly as the server wrote
                them: parse the string once more. So no number loses a digit.
rest            the same, of whatever else the server said of the record
created_at, updated_at
                by the server's clock
created_by      the "id" of a person; a person's "profile" is JSON as text, too
absent_since    when the server was found to show the record no longer
run             the reading of the server that first saw the record like this
null            there is none

To check one file:  sha256sum items.jsonl
                    and compare with manifest.json
To check it all:    head -c -80 FILE | sha256sum
                    and compare with: tail -c 72 FILE
The "digest" of the manifest is its own SHA-256, as JSON without "digest", with
sorted keys, without white space, and with all but ASCII escaped:
                    jq -cSa 'del(.digest)' manifest.json | tr -d '\\n' | sha256sum
"""


class Origin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The remote that was bundled."""

    name: str
    host: str
    scope: str
    id: str
    contract: ContractName
    team: int | None


class Hole(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record that the server could not show; `place` counts from 1 in its list."""

    kind: KindName
    key: str | None
    place: int


class Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The snapshot that was bundled; `datasets` and `items` count the live ones."""

    run: int
    taken_at: str
    datasets: int
    items: int
    unread: tuple[Hole, ...]
    seal: str


class Member(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the archive."""

    name: str
    size: int
    lines: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a bundle says of itself."""

    what: Literal["dssync bundle"]
    format: int
    dssync: str
    remote: Origin
    snapshot: Taken
    members: tuple[Member, ...]
    digest: str = ""

    def computed(self) -> str:
        """Return the digest that the rest has."""
        content = {k: v for k, v in msgspec.to_builtins(self).items() if k != "digest"}
        return sha256(
            json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    def text(self) -> bytes:
        """Write it as its file."""
        return json.dumps(msgspec.to_builtins(self), indent=1).encode() + b"\n"

    @property
    def mtime(self) -> int:
        """The time that every file of the archive bears: the snapshot's. Raises ValueError."""
        return int(datetime.fromisoformat(self.snapshot.taken_at).timestamp())


class Head(msgspec.Struct, frozen=True):
    """As much of a manifest as every format has."""

    what: str
    format: int


class PersonLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person as a line."""

    id: str
    profile: str


_TYPES: Mapping[FieldType, Any] = {"flag": bool | None}


def _line(kind: Kind) -> type[msgspec.Struct]:
    fields = [(field.name, _TYPES.get(field.type, str | None)) for field in kind.fields]
    server = ("created_at", "updated_at", "created_by", "rest", "absent_since")
    return msgspec.defstruct(
        f"{kind.name.title()}Line",
        [
            ("key", str),
            ("id", str),
            *fields,
            *((name, str | None) for name in server),
            ("run", int),
        ],
        frozen=True,
        forbid_unknown_fields=True,
    )


LINES: Mapping[KindName, type[msgspec.Struct]] = {kind.name: _line(kind) for kind in KINDS.values()}
FLAGS: Mapping[KindName, frozenset[str]] = {
    kind.name: frozenset(f.name for f in kind.fields if f.type == "flag") for kind in KINDS.values()
}
_FLAGS: Mapping[Stored, bool] = {0: False, 1: True}


def line_of(past: Past, person: str | None) -> bytes:
    """Write a record as its line. Raises ValueError where a column holds what none ever should."""
    flags = FLAGS[past.kind]
    values = {k: _FLAGS.get(v, v) if k in flags else v for k, v in past.values.items()}
    whole = {
        "key": past.key,
        "id": past.id,
        **values,
        "created_at": past.created_at,
        "updated_at": past.updated_at,
        "created_by": person,
        "rest": past.rest,
        "absent_since": past.absent_since,
        "run": past.run,
    }
    return msgspec.json.encode(msgspec.convert(whole, LINES[past.kind])) + b"\n"


def past_of(kind: KindName, line: Any, people: Mapping[str, str]) -> Past:
    """Return the record of a line that was read. Raises KeyError for a person nobody knows."""
    flags = FLAGS[kind]
    values = {name: getattr(line, name) for name in KINDS[kind].names}
    by = line.created_by
    return Past(
        kind=kind,
        key=line.key,
        id=line.id,
        values={k: None if v is None else int(v) if k in flags else v for k, v in values.items()},
        created_at=line.created_at,
        updated_at=line.updated_at,
        created_by=None if by is None else people[by],
        rest=line.rest,
        absent_since=line.absent_since,
        run=line.run,
        broken=False,
    )


def header(name: str, size: int, mtime: int) -> bytes:
    """Return what stands before a member in the archive."""
    info = TarInfo(name)
    info.size, info.mtime, info.mode = size, mtime, 0o600
    return info.tobuf(PAX_FORMAT, "utf-8", "strict")


def padding(size: int) -> bytes:
    """Return what stands after a member of so many bytes."""
    return bytes(-size % BLOCKSIZE)


def ending(size: int) -> bytes:
    """Return what stands at the end of an archive of so many bytes."""
    return bytes(2 * BLOCKSIZE + -(size + 2 * BLOCKSIZE) % RECORDSIZE)
