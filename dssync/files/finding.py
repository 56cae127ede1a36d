"""Find the files of an import: which dataset each is, in which remote, in which format."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dssync.core.fields import ContractName, Field
from dssync.core.values import BadJson
from dssync.errors import UsageError
from dssync.files import names, objects
from dssync.files.flaws import Flaw, Flaws
from dssync.files.forms import Source, Values
from dssync.files.layout import FORMATS, Folder
from dssync.files.rows import BASE, ID, columns_of, fields_of


@dataclass(frozen=True, slots=True)
class Pair:
    """A dataset's file and its items', beside each other under one name."""

    remote: str
    stem: str
    dataset: Source
    items: Source | None

    @property
    def suffix(self) -> str:
        """Return the format of the items."""
        return self.items.path.suffix[1:].lower() if self.items else ""


@dataclass(frozen=True, slots=True)
class Header:
    """What a dataset's file says; `lines` tells where each field stands."""

    id: str | None
    base: str | None
    values: Values
    lines: Mapping[str, int]


def pairs(
    folder: Folder, contracts: Mapping[str, ContractName], remotes: Sequence[str], flaws: Flaws
) -> list[Pair]:
    """Return the datasets in a folder. Raises UsageError where there is nothing of the mirror's."""
    if not folder.path.is_dir():
        raise UsageError(f"there is no folder {folder.path}", hint=f"dssync export {folder.path}")
    homes = names.folders(list(contracts))
    there = {remote: name for remote, name in homes.items() if (folder.path / name).is_dir()}
    if not there:
        raise UsageError(
            f"{folder.path} has no folder of a remote that the mirror holds"
            f" ({', '.join(homes.values()) or 'it holds none'})",
            hint=f"dssync export {folder.path}",
        )
    return [
        pair
        for remote, name in there.items()
        if not remotes or remote in remotes
        for pair in _in_remote(folder, remote, name, contracts[remote], flaws)
    ]


def _in_remote(
    folder: Folder, remote: str, name: str, contract: ContractName, flaws: Flaws
) -> Iterator[Pair]:
    found: dict[str, dict[str, Path]] = {}
    for path in sorted((folder.path / name).iterdir()):
        suffix = path.suffix[1:].lower()
        # what begins with . or ~ is some program's own: .~lock.x.csv#, ~$x.xlsx
        if path.name[0] not in ".~" and suffix in ("json", *FORMATS) and path.is_file():
            found.setdefault(path.stem, {})[suffix] = path
    for stem, files in found.items():
        items = [path for suffix, path in files.items() if suffix != "json"]
        if "json" not in files:
            reason = f"there is no {stem}.json beside it, which says what dataset it is"
            flaws.add(Flaw(f"{name}/{items[0].name}", reason))
        elif len(items) > 1:
            both = " and ".join(path.name for path in items)
            flaws.add(Flaw(f"{name}/{stem}.json", f"its items stand twice, in {both}; remove one"))
        else:
            yield Pair(
                remote,
                f"{name}/{stem}",
                _source(files["json"], name, fields_of("dataset", contract)),
                _source(items[0], name, columns_of("item", contract)) if items else None,
            )


def _source(path: Path, folder: str, fields: Sequence[Field]) -> Source:
    return Source(path, f"{folder}/{path.name}", fields)


def header(source: Source, flaws: Flaws) -> Header | None:
    """Read a dataset's file; None, and what is wrong with it, where it is no dataset."""
    name = source.name
    try:
        text = source.path.read_text(encoding="utf-8-sig")
        whole: dict[str, Any] = objects.read(text)
        lines = {key: _line(text, key) for key in whole}
        id, base = objects.name_of(whole, ID), objects.name_of(whole, BASE)
    except json.JSONDecodeError as error:
        flaws.add(Flaw(name, f"it is not JSON ({error.msg})", error.lineno, str(error.colno)))
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        flaws.add(Flaw(name, "it is not UTF-8", line))
    except (BadJson, ValueError) as error:
        flaws.add(Flaw(name, str(error), 1))
    else:
        values, bad = objects.values_of(whole, source.fields)
        flaws.add(*(Flaw(name, each.reason, lines[each.field], "", each.field) for each in bad))
        return None if bad else Header(id, base, values, lines)
    return None


def _line(text: str, key: str) -> int:
    """Find the line on which a field of a small file stands; inner fields are indented more."""
    quoted = re.escape(json.dumps(key, ensure_ascii=False))
    places = [found.start() for found in re.finditer(rf"{quoted}\s*:", text)]
    if not places:
        return 1
    least = min(places, key=lambda at: at - (text.rfind("\n", 0, at) + 1))
    return text.count("\n", 0, least) + 1
