"""A key that cannot be shown by accident."""

from typing import NoReturn


class Secret:
    """Hold a key; only `reveal` gives it away, neither `str`, `repr`, a format nor a pickle."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is never written anywhere")
