"""Which records of a destination are those of the source already, by what they say.

| of one content | in the source | in the destination | outcome                                |
|----------------|---------------|--------------------|----------------------------------------|
|                | one           | one                | a match                                |
|                | any           | none               | none                                   |
|                | several       | one or more        | undecided: nobody guesses among equals |
|                | one           | several            | undecided                              |

Datasets are compared by name, and where that is undecided, by all they say and hold.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Matches:
    """Keys of the source with those they match; `undecided` has what nobody can tell apart.

    For each key of the source that is undecided it has the keys that it may be.
    """

    pairs: Mapping[str, str] = field(default_factory=dict)
    undecided: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def match(here: Mapping[str, T], there: Mapping[str, T]) -> Matches:
    """Pair records of the source with those of the destination that say the same, by key."""
    ours, others = _grouped(here), _grouped(there)
    pairs: dict[str, str] = {}
    undecided: dict[str, tuple[str, ...]] = {}
    for said, keys in ours.items():
        found = others.get(said, [])
        if len(keys) == len(found) == 1:
            pairs[keys[0]] = found[0]
        elif found:
            undecided.update(dict.fromkeys(keys, tuple(found)))
    return Matches(pairs, undecided)


def match_again(first: Matches, here: Mapping[str, T], there: Mapping[str, T]) -> Matches:
    """Decide by more what one comparison left undecided."""
    candidates = {key for keys in first.undecided.values() for key in keys}
    more = match(
        {key: here[key] for key in first.undecided if key in here},
        {key: there[key] for key in candidates if key in there},
    )
    left = {key: keys for key, keys in first.undecided.items() if key not in more.pairs}
    return Matches({**first.pairs, **more.pairs}, left)


def _grouped(said: Mapping[str, T]) -> dict[T, list[str]]:
    groups: dict[T, list[str]] = defaultdict(list)
    for key, value in said.items():
        groups[value].append(key)
    return groups
