"""How much of a remote is asked for, and what finding nothing in a sample is worth."""

from dataclasses import dataclass
from math import ceil, prod


@dataclass(frozen=True, slots=True)
class Size:
    """How many records to ask for: a number, or a share of those there are."""

    count: int | None = None
    share: float | None = None

    def of(self, population: int) -> int:
        """Return the number, at least one where there is any record."""
        wanted = self.count if self.count is not None else ceil((self.share or 0) * population)
        return min(population, max(1, wanted))

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Read a number, or a percentage such as `5%`. Raises ValueError."""
        number = float(text[:-1]) / 100 if text.endswith("%") else int(text)
        if not number > 0 or (text.endswith("%") and number > 1):
            raise ValueError(f"{text} is no size of a sample")
        return cls(share=float(number)) if text.endswith("%") else cls(count=int(number))


def choose(population: int, size: int, seed: int) -> frozenset[int]:
    """Return so many different numbers below `population`; the same for the same seed."""
    from random import Random  # the option's type is read by commands that choose nothing

    return frozenset(Random(seed).sample(range(population), size))


def odds(population: int, changed: int, sample: int) -> float:
    """Return how likely a sample holds at least one of `changed` records.

    Exactly: one less the share of samples that miss them all (hypergeometric, without replacement).
    """
    if changed <= 0:
        return 0.0
    if changed > population - sample:
        return 1.0
    missed = prod((population - sample - i) / (population - i) for i in range(changed))
    return 1.0 - missed
