"""Who made records: their profiles, as the servers last told them, each with a seal."""

import json
from collections.abc import Collection, Mapping

from dssync.core.records import Person
from dssync.core.values import digest_of
from dssync.mirror.transaction import Transaction


def keep(tx: Transaction, people: Collection[Person]) -> None:
    """Remember profiles as they are now."""
    if people:
        tx.exec_driver_sql(
            "INSERT INTO people (id, profile, seal) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET profile = excluded.profile, seal = excluded.seal"
            " WHERE profile <> excluded.profile OR seal IS NOT excluded.seal",
            [(each.id, each.profile, digest_of(each.id, each.profile)) for each in people],
        )


def unsealed(tx: Transaction) -> frozenset[str]:
    """Return the ids of those whose profile is not what a server sent."""
    rows = tx.exec_driver_sql("SELECT CAST(id AS BLOB), CAST(profile AS BLOB), seal FROM people")
    read = ((_text(id), _text(profile), seal) for id, profile, seal in rows)
    return frozenset(str(id) for id, profile, seal in read if digest_of(id, profile) != seal)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "surrogateescape")


def known_as(profile: str | None) -> str | None:
    """Return how people know who made a record.

    None where nobody is named, and where damage left no profile, which `verify` tells.
    """
    try:
        person = json.loads(profile) if profile is not None else None
    except ValueError:
        return None
    if not isinstance(person, Mapping):
        return None
    return str(person.get("email") or person.get("uuid") or person.get("id"))
