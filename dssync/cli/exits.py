"""Exit codes, as each command's help lists them."""

from collections.abc import Mapping, Sequence

MEANINGS: Mapping[int, str] = {
    0: "done",
    1: "something unexpected",
    2: "wrong usage, or a value that cannot be used",
    3: "partial: some records failed, are in doubt, or cannot be read",
    4: "conflicts kept records out of the push",
    5: "temporary: run the same command again later",
    6: "refused: not the target that was meant, or the answer was No",
    7: "the key, its scopes or its access",
    8: "stopped before a suspiciously large loss",
    9: "the mirror is damaged, or a verification failed",
    10: "there is no mirror here",
    11: "another run holds the mirror",
    20: "there are differences",
    130: "interrupted by Ctrl-C; what was done is kept",
    143: "ended by SIGTERM; what was done is kept",
}

ALWAYS = (0, 1, 2, 130, 143)
OPENING = (6, 9, 10, 11)
"""What opening a mirror may end with."""

ASKING = (3, 5, 6, 7)
"""What talking to a server may end with."""


def explained(codes: Sequence[int]) -> list[tuple[str, str]]:
    """Return each code with its meaning, those that every command has included."""
    return [(str(code), MEANINGS[code]) for code in sorted({*codes, *ALWAYS})]
