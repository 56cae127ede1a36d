"""Which datasets of a source are meant, and what they are called in the destination."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dssync.errors import UnknownRecord, UsageError


@dataclass(frozen=True, slots=True)
class Found:
    """A dataset of a source: its key and id there, its name, and whether it is live."""

    key: str
    id: str
    name: str
    live: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked for: patterns over names, and what copies are called.

    A pattern is a key, an id, a name, or a name with `*`, `?` and `[…]`. `called` names the copy of
    the one dataset that is chosen; `prefix` stands before the names of all.
    """

    only: tuple[str, ...] = ()
    besides: tuple[str, ...] = ()
    called: str | None = None
    prefix: str = ""

    @property
    def renames(self) -> bool:
        """Tell whether copies are called otherwise than their originals."""
        return self.called is not None or bool(self.prefix)

    def name(self, name: str) -> str:
        """Return what the copy of a dataset with this name is called."""
        return f"{self.prefix}{name}" if self.called is None else self.called

    def of(self, source: str, datasets: Collection[Found]) -> set[str]:
        """Return the keys of the datasets that are meant, the deleted among them.

        Raises UnknownRecord for a pattern that fits no live dataset, and for one of those to leave
        out that fits none at all, because a slip there copies what nobody wanted copied. Raises
        UsageError where one name is given to several.
        """
        for pattern in self.only:
            if not any(each.live and _fits(pattern, each) for each in datasets):
                raise UnknownRecord(
                    f"{source} has no dataset {pattern!r}", hint="dssync list shows what there is"
                )
        for pattern in self.besides:
            if not any(_fits(pattern, each) for each in datasets):
                raise UnknownRecord(
                    f"{source} has no dataset {pattern!r} to leave out",
                    hint="dssync list shows what there is",
                )
        meant = [
            each
            for each in datasets
            if (not self.only or _any(self.only, each)) and not _any(self.besides, each)
        ]
        live = sorted(each.name for each in meant if each.live)
        if self.called is not None and len(live) > 1:
            named = ", ".join(repr(name) for name in live[:5])
            raise UsageError(
                f"one name was given for {len(live):,} datasets: {named}",
                hint="choose one with --dataset, or give --prefix",
            )
        return {each.key for each in meant}


def _any(patterns: Iterable[str], dataset: Found) -> bool:
    return any(_fits(pattern, dataset) for pattern in patterns)


def _fits(pattern: str, dataset: Found) -> bool:
    named = (dataset.key, dataset.id, dataset.name)
    return pattern in named or fnmatchcase(dataset.name, pattern)
