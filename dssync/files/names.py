"""Names that any file system takes, made of names that anybody may have chosen.

Only `a-z`, `0-9` and `-` are used, so there is no path, no control character, and no pair of names
that differ by case or by how an accent is written. Windows' own names (`con`, `aux`) never stand
alone: a part of the id follows.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b

LONGEST = 40
SHORT = 8

FOLDER = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,60}[a-z0-9_])?\Z")
STEM = re.compile(r"[a-z0-9-]{1,80}\Z")

RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)


def slug(text: str) -> str:
    """Return at most 40 characters of `text` in `a-z0-9-`; empty when nothing remains.

    >>> slug("Réponses d'or / ../v2")
    'reponses-d-or-v2'
    """
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    return re.sub("[^a-z0-9]+", "-", plain)[: LONGEST + 1].strip("-")[:LONGEST].strip("-")


def stems(names: Mapping[str, str]) -> dict[str, str]:
    """Return a file name without its suffix for each dataset, given names by id.

    Ids made in one minute begin alike; where that makes two names equal, a digest of the id is
    added to each.
    """
    short = {id: f"{slug(name) or 'dataset'}-{_beginning(id)}" for id, name in names.items()}
    often = Counter(short.values())
    return {id: stem if often[stem] == 1 else f"{stem}-{_digest(id)}" for id, stem in short.items()}


def folders(remotes: Sequence[str]) -> dict[str, str]:
    """Return the folder of each remote: its name, where that is safe and differs by more than case.

    >>> folders(["prod", "Prod", "aux"])
    {'prod': 'prod', 'Prod': 'prod-ac6f4c05', 'aux': 'aux-1a84e5a2'}
    """
    return {name: _folder(name) for name in remotes}


def _folder(name: str) -> str:
    if FOLDER.match(name) and name not in RESERVED:
        return name
    return f"{slug(name) or 'remote'}-{_digest(name)}"


def _beginning(id: str) -> str:
    known = id.rpartition("/")[2].removeprefix("new-")
    return re.sub("[^a-z0-9]", "", known.casefold())[:SHORT] or _digest(id)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=SHORT // 2).hexdigest()
