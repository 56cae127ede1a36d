"""Write the working copy as files: the same records give the same bytes."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dssync.core.fields import ContractName
from dssync.errors import ConfigError, Refused, UsageError
from dssync.files import names, objects
from dssync.files.cells import PART
from dssync.files.forms import Form, form_of
from dssync.files.importer import bring_in
from dssync.files.layout import FORMATS, STATE, Folder, line_of, told
from dssync.files.rows import Row, columns_of, fields_of, make_row, row_of
from dssync.mirror import Mirror, Transaction, records, working
from dssync.mirror.working import Home, Working

CROWDED = PART // 6
"""A value of fewer characters fits one cell, however many of them are escaped."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export did. `written` and `unchanged` count files, `removed` stale ones."""

    folder: Path
    form: str
    datasets: int
    items: int
    written: int
    unchanged: int
    removed: int


@dataclass(slots=True)
class _Work:
    """An export that is being written."""

    tx: Transaction
    target: Folder
    suffix: str
    form: Form
    homes: Mapping[str, Home]
    contracts: Mapping[str, ContractName]
    files: list[str] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    items: int = 0


def export(
    mirror: Mirror,
    folder: Path,
    *,
    remotes: Sequence[str] = (),
    datasets: Sequence[str] = (),
    suffix: str | None = None,
    overwrite: bool = False,
) -> Exported:
    """Write live datasets and their live items into `folder`, as it stands at one moment.

    `datasets` are names as `Mirror.find` takes them; without any, all of `remotes` are written.
    Without a `suffix` the folder keeps its format. Raises Refused for a folder of somebody else,
    and for edits in the files that were not imported, unless `overwrite`.
    """
    with told(folder, "written"):
        return _export(mirror, Folder(folder), remotes, datasets, suffix, overwrite)


def _export(
    mirror: Mirror,
    target: Folder,
    remotes: Sequence[str],
    datasets: Sequence[str],
    suffix: str | None,
    overwrite: bool,
) -> Exported:
    before = target.check_target()
    chosen = suffix or next(
        (s for s in FORMATS if any(n.endswith(f".{s}") for n in before)), "jsonl"
    )
    with ExitStack() as stack:
        tx = stack.enter_context(mirror.database.read())
        work = _Work(tx, target, chosen, form_of(chosen), working.homes(tx), working.contracts(tx))
        selection = list(_selected(work, remotes, datasets))
        stack.enter_context(target.writing())
        for dataset, stem in selection:
            _write_dataset(work, dataset, stem)
        old = [name for name in before if _is_replaced(work, name, remotes, datasets)]
        if not overwrite:
            _refuse_to_drop(mirror, target, work.files, old)
        kept = [name for name in before if name not in old and name not in work.files]
        written, removed = target.put(work.files, old, kept)
        count = len(work.files)
    return Exported(
        target.path, chosen, len(selection), work.items, written, count - written, removed
    )


def _selected(
    work: _Work, remotes: Sequence[str], datasets: Sequence[str]
) -> Iterator[tuple[Working, str]]:
    """Yield the datasets to write, each with its file's place and name, without a suffix."""
    named = {_dataset(work.tx, text, remotes) for text in datasets}
    folders = names.folders(list(work.contracts))
    for remote in remotes or work.contracts:
        if remote not in folders:
            raise ConfigError(f"the mirror holds no remote {remote}")
        found = working.live_datasets(work.tx, remote)
        stems = names.stems({d.name: str(d.values["name"] or "") for d in found})
        for dataset in found:
            if not named or dataset.key in named:
                yield dataset, f"{folders[remote]}/{stems[dataset.name]}"


def _dataset(tx: Transaction, text: str, remotes: Sequence[str]) -> str:
    found = records.find(tx, text, remotes)
    if found.kind != "dataset":
        raise UsageError(f"{found.key} is an item", hint="give a dataset's name, key or id")
    if found.deleted:
        raise UsageError(
            f"dataset {found.label} is deleted", hint=f"bring it back: dssync undelete {found.key}"
        )
    return found.key


def _write_dataset(work: _Work, dataset: Working, stem: str) -> None:
    contract = work.contracts[dataset.remote]
    place = work.target.partial / stem
    ids = work.target.partial / STATE / f"{stem}.ids"
    for path in (place, ids):
        path.parent.mkdir(parents=True, exist_ok=True)
    fields = fields_of("dataset", contract)
    row = make_row(dataset.name, dataset.values, fields)
    place.with_name(f"{place.name}.json").write_text(
        objects.pretty(row, fields), "utf-8", newline="\n"
    )
    columns = columns_of("item", contract)
    widths = _widths(work, dataset.key, contract)
    path = place.with_name(f"{place.name}.{work.suffix}")
    with (
        ids.open("w", encoding="utf-8", newline="\n") as listed,
        work.form.writer(path, columns, widths) as writer,
    ):
        listed.write(line_of(dataset.name))
        for item in _rows(work, dataset.key, contract):
            writer.write(item)
            listed.write(line_of(item.id))
            work.items += 1
    work.files += [f"{stem}.json", f"{stem}.{work.suffix}"]
    work.ids.add(dataset.name)


def _rows(work: _Work, dataset: str, contract: ContractName) -> Iterator[Row]:
    fields = fields_of("item", contract)
    for item in working.live_items(work.tx, dataset):
        yield row_of(item, fields, work.homes)


def _widths(work: _Work, dataset: str, contract: ContractName) -> dict[str, int]:
    """Find out which fields need several columns; reads all rows only where one may be long."""
    columns = columns_of("item", contract)
    if work.suffix == "jsonl":
        return {}
    if working.longest(work.tx, dataset, [column.name for column in columns]) < CROWDED:
        return {}
    widths: dict[str, int] = {}
    for row in _rows(work, dataset, contract):
        for name, count in work.form.width(row, columns).items():
            widths[name] = max(count, widths.get(name, 1))
    return widths


def _is_replaced(work: _Work, name: str, remotes: Sequence[str], datasets: Sequence[str]) -> bool:
    """Tell whether a file of an earlier export belongs to what this one writes anew."""
    folder = name.partition("/")[0]
    if datasets:
        return work.target.dataset_of(name) in work.ids
    known = names.folders(list(work.contracts))
    return not remotes or folder in {known[remote] for remote in remotes}


def _refuse_to_drop(mirror: Mirror, target: Folder, new: Sequence[str], old: Sequence[str]) -> None:
    """Raise Refused where files that would change hold edits that the mirror has not."""
    stems = {name.rpartition(".")[0] for name in target.differing(new, old)}
    if not stems:
        return
    hint = f"dssync import {target.path}; or add --overwrite to drop them"
    try:
        found = bring_in(mirror, target.path, dry=True, only=stems)
    except UsageError as error:
        raise Refused(
            f"the files in {target.path} would be overwritten, but they were edited:"
            f"\n{error.message}",
            hint=hint,
        ) from None
    if found.plan:
        counts = ", ".join(f"{number} {action}" for action, number in found.plan.counts().items())
        raise Refused(f"{target.path} holds edits that were not imported ({counts})", hint=hint)
