"""What a record is called in a sentence."""

from dssync.cli.render.text import plain_json, quoted
from dssync.core.fields import KindName, Names

SHORT = 8
"""So much of a key is shown beside a name that says more."""


def title(kind: KindName, label: str, key: str) -> str:
    """Name a record: `dataset "Support triage" (3f2a91bc…)`, `item 018f6c1e-…`.

    An item has no name, so its whole key is shown: ids made in one minute begin alike.
    """
    if not label or label == key:
        return f"{kind} {plain_json(key)}"
    return f"{kind} {quoted(label)} ({short(key)})"


def called(key: str, names: Names) -> str:
    """Name the dataset that a value refers to, by its key alone where it has no name."""
    name = dict(names).get(key)
    return plain_json(key) if name is None else f"{quoted(name)} ({short(key)})"


def short(key: str) -> str:
    """Return so much of a key as is shown beside a name."""
    known = key.rpartition("/")[2].removeprefix("new-")
    length = len(key) - len(known) + SHORT
    return plain_json(key) if len(key) <= length + 1 else f"{plain_json(key[:length])}…"
