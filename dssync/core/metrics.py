"""Numbers for Prometheus, in its text format: what a backup did, and what the mirror holds.

A run that could not read the mirror knows few of them. What it does not know stays as the file
says, so that an alert on the age of the last success sees it.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sample:
    """One number of a family, with what it is of."""

    value: float
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Family:
    """One metric; all are gauges, for each file holds the state after one run."""

    name: str
    help: str
    samples: tuple[Sample, ...]

    def lines(self) -> Iterator[str]:
        """Write it."""
        yield f"# HELP {self.name} {_escaped(self.help)}"
        yield f"# TYPE {self.name} gauge"
        for sample in self.samples:
            labels = ",".join(f'{name}="{_quoted(v)}"' for name, v in sample.labels.items())
            yield f"{self.name}{f'{{{labels}}}' if labels else ''} {_number(sample.value)}"


def one(name: str, help_text: str, value: float) -> Family:
    """Return a metric of a single number."""
    return Family(name, help_text, (Sample(value, {}),))


def each(name: str, help_text: str, values: Iterable[tuple[Mapping[str, str], float]]) -> Family:
    """Return a metric with a number for each thing that has labels."""
    return Family(name, help_text, tuple(Sample(value, labels) for labels, value in values))


def exposition(families: Sequence[Family], before: str = "") -> str:
    """Write the file, with those families of the file `before` that are not known now."""
    blocks = _blocks(before)
    blocks.update({family.name: "\n".join(family.lines()) for family in families})
    return "".join(f"{block}\n" for _, block in sorted(blocks.items()))


_HEAD = re.compile(r"# HELP (dssync_[a-z_]+) ")


def _blocks(text: str) -> dict[str, str]:
    """Cut a file that this program wrote into its families; what is of nobody is left out."""
    blocks: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.split("\n"):
        if found := _HEAD.match(line):
            current = blocks.setdefault(found[1], [])
        if current is not None and line:
            current.append(line)
    return {name: "\n".join(lines) for name, lines in blocks.items()}


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', r"\"")


def _number(value: float) -> str:
    """Write a number so that whole ones look whole."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
