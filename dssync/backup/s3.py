"""Storage behind S3's API as a place for copies, by the library `obstore` (the extra `s3`)."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dssync.errors import (
    AccessError,
    CopyDamaged,
    DssyncError,
    KeyMissing,
    TemporaryError,
    UsageError,
    WrongTarget,
)
from dssync.policy import S3 as SCHEME
from dssync.policy import Offsite

if TYPE_CHECKING:
    from obstore.store import S3Store

PIECE = 1 << 20

PATIENCE = timedelta(seconds=60)
"""How long the storage may say nothing, and how long a request is tried again."""

LONGEST = timedelta(hours=2)
"""How long one request may take in all: a copy comes back in one."""

CREDENTIALS = (
    ("access_key_id", ("AWS_ACCESS_KEY_ID",)),
    ("secret_access_key", ("AWS_SECRET_ACCESS_KEY",)),
    ("session_token", ("AWS_SESSION_TOKEN",)),
    ("region", ("AWS_REGION", "AWS_DEFAULT_REGION")),
    ("endpoint", ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")),
)
"""What the library is told, and the variables that say so; the first that is set counts."""

OTHERS = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Where credentials may come from instead; the library reads these itself."""

NO_BUCKET = "NoSuchBucket"

_CODE = re.compile(r"<Code>(\w{1,80})</Code>")
_STATUS = re.compile(r"status code: ([0-9]{3})")
_REFUSAL = re.compile(r"status code: 40[13]")


@dataclass(frozen=True, slots=True)
class S3:
    """A bucket, or what lies under a prefix of it."""

    place: str
    bucket: str
    store: "S3Store"

    @classmethod
    def of(cls, offsite: Offsite, env: Mapping[str, str]) -> "S3":
        """Return the place that the settings mean; it is not asked yet.

        Raises UsageError where the extra is missing, KeyMissing without credentials.
        """
        try:
            from obstore.store import S3Store
        except ImportError:
            raise UsageError(
                "S3 storage is reached by a library that is not installed here",
                hint="pip install 'dssync[s3]'",
            ) from None
        bucket, _, prefix = offsite.to.removeprefix(SCHEME).partition("/")
        config = _config(offsite, env)
        plain = config.get("endpoint", "").startswith("http://")
        store = S3Store(
            bucket,
            prefix=prefix or None,
            config=config,  # type: ignore[arg-type]
            client_options={
                "allow_http": plain,
                "timeout": LONGEST,
                "read_timeout": PATIENCE,
            },
            retry_config={"max_retries": 5, "retry_timeout": PATIENCE},
        )
        return cls(offsite.to, bucket, store)

    def gone(self) -> bool:
        """Tell that nothing has to be made: a bucket that is missing is a refusal."""
        return False

    def names(self) -> list[str]:
        """Return the names of all files."""
        with self._told("listed"):
            found = self.store.list_with_delimiter()["objects"]
        return [each["path"].rpartition("/")[2] for each in found]

    def put(self, file: Path, name: str) -> None:
        """Store a file, in several parts where it is long; it has its name when all are there."""
        with self._told(f"given {name}"):
            self.store.put(name, file)

    def read(self, name: str) -> Iterator[bytes]:
        """Yield what the storage has of a file."""
        with self._told(f"asked for {name}"):
            try:
                for piece in self.store.get(name).stream(min_chunk_size=PIECE):
                    yield bytes(piece)
            except FileNotFoundError as error:
                if _code(error) == NO_BUCKET:
                    raise
                raise CopyDamaged(f"{self.place}/{name} is missing") from None

    def remove(self, name: str) -> None:
        """Remove a file."""
        with self._told(f"asked to remove {name}"):
            self.store.delete(name)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Turn the library's errors into sentences.

        Nothing of its own text is told but the server's code: it quotes addresses and requests.
        """
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError) as error:
            raise self._sentence(what, error) from None

    def _sentence(self, what: str, error: Exception) -> DssyncError:
        code = _code(error)
        if code == NO_BUCKET:
            return WrongTarget(
                f"there is no bucket {self.bucket} where {self.place} is looked for",
                hint="make it, or mend `to` and `endpoint` of [offsite]",
            )
        told = f"{self.place} cannot be {what}"
        if _REFUSAL.search(str(error)):
            return AccessError(
                f"{told}: the storage refuses the key{f' ({code})' if code else ''}",
                hint="see AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION, and what the key"
                " may do",
            )
        status = _STATUS.search(str(error))
        answer = f"it answers {status[1]} {code}".rstrip() if status else "it does not answer"
        return TemporaryError(f"{told}: {answer}")


def _code(error: Exception) -> str:
    """Return the server's own word for what is wrong, "" where it gave none."""
    found = _CODE.search(str(error))
    return found[1] if found else ""


def _config(offsite: Offsite, env: Mapping[str, str]) -> dict[str, str]:
    """Gather what the library is told. Raises KeyMissing."""
    found = {
        name: env[variable]
        for name, variables in CREDENTIALS
        for variable in reversed(variables)
        if env.get(variable)
    }
    if not any(env.get(name) for name in OTHERS):
        for name, (variable, *_) in CREDENTIALS[:2]:
            if name not in found:
                raise KeyMissing(
                    f"no key for {offsite.to}: {variable} is not set",
                    hint="set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where dssync runs",
                )
    if offsite.endpoint:
        found["endpoint"] = offsite.endpoint
    return {"region": "us-east-1", **found}
