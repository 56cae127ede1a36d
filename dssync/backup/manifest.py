"""What a copy says of itself, in a file beside it, as JSON that anybody can read.

The `digest` is over everything else, so that a changed manifest is noticed, too. It is no
signature: whoever can write where the copies lie can write another.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Literal

import msgspec

from dssync.core.copies import CopyName
from dssync.core.fields import KindName
from dssync.core.snapshot import Snapshot
from dssync.errors import CopyDamaged, Refused

WHAT: Literal["dssync copy"] = "dssync copy"
FORMAT = 1


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The mirror in one of its forms: how long, and its SHA-256."""

    bytes: int
    sha256: str


class Taken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A snapshot; `datasets` and `items` count the live ones, `unread` what could not be read."""

    run: int
    taken_at: str
    datasets: int
    items: int
    unread: int
    seal: str

    @classmethod
    def of(cls, snapshot: Snapshot) -> "Taken":
        """Sum a snapshot up."""
        return cls(
            snapshot.run,
            snapshot.taken_at,
            snapshot.datasets,
            snapshot.items,
            len(snapshot.unread),
            snapshot.seal.hex(),
        )


class Held(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is in the copy of one remote; `datasets` and `items` count all rows of the present."""

    name: str
    host: str
    scope: str
    id: str
    contract: str
    datasets: int
    items: int
    snapshots: tuple[Taken, ...]


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A record that was edited here and not pushed yet; `digest` is over what it says."""

    kind: KindName
    key: str
    digest: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a copy says of itself.

    `file` is what lies beside the manifest, as `stored`; take away the encryption, and it is
    `compressed`; decompress that, and it is the mirror, `database`. Where that is another than it
    was, `edits` tells which of the records it has as edited were so when it was made.
    """

    what: Literal["dssync copy"]
    format: int
    name: str
    made_at: str
    dssync: str
    schema: str
    file: str
    recipients: tuple[str, ...]
    stored: Part
    compressed: Part
    database: Part
    remotes: tuple[Held, ...]
    edits: tuple[Edit, ...]
    digest: str = ""

    def computed(self) -> str:
        """Return the digest that the rest has."""
        return _digest(msgspec.to_builtins(self))

    def sealed(self) -> "Manifest":
        """Return the same with its digest."""
        return msgspec.structs.replace(self, digest=self.computed())

    def text(self) -> bytes:
        """Write it as its file."""
        return json.dumps(msgspec.to_builtins(self), indent=1).encode() + b"\n"


LARGEST = 1 << 26
"""No manifest has so many bytes; what is longer is not read."""


def read(name: CopyName, text: bytes) -> Manifest:
    """Read the manifest of this copy. Raises CopyDamaged, and Refused for a later format."""
    try:
        raw: Any = msgspec.json.decode(text)
        if not isinstance(raw, dict) or raw.get("digest") != _digest(raw):
            raise CopyDamaged(f"{name.manifest} is not as it was written: its digest is another")
        if raw.get("what") == WHAT and raw.get("format") != FORMAT:
            raise Refused(
                f"{name.manifest} was written by a newer dssync (format {raw.get('format')!r})",
                hint="upgrade dssync: pip install --upgrade dssync",
            )
        found = msgspec.convert(raw, Manifest)
    except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
        raise CopyDamaged(f"{name.manifest} is no manifest: {error}") from None
    # what a reader of JSON takes for the same is a change all the same
    if found.text() != text:
        raise CopyDamaged(f"{name.manifest} is not as it was written")
    if found.name != str(name) or found.file not in (
        name.data(encrypted=True),
        name.data(encrypted=False),
    ):
        raise CopyDamaged(f"{name.manifest} is the manifest of another copy, {found.name!r}")
    return found


def _digest(content: Mapping[str, Any]) -> str:
    """Compute the digest of a manifest, of whatever format."""
    rest = {name: value for name, value in content.items() if name != "digest"}
    return sha256(json.dumps(rest, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
