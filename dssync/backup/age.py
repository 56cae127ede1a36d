"""Encryption to age recipients, by the library `pyrage`, which the extra `age` brings."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dssync.errors import AccessError, CopyDamaged, TemporaryError, UsageError

SECRET = "AGE-SECRET-KEY-"


def _library() -> Any:
    try:
        import pyrage
    except ImportError:
        raise UsageError(
            "copies are encrypted by a library that is not installed here",
            hint="pip install 'dssync[age]'",
        ) from None
    return pyrage


def recipients_of(texts: Sequence[str]) -> list[Any]:
    """Read public keys. Raises UsageError, which shows the one that is none."""
    pyrage, found = _library(), []
    for text in texts:
        if SECRET in text.upper():
            raise UsageError(
                "recipients of [offsite] holds a secret key, where public ones belong",
                hint="`age-keygen -y key.txt` prints the public one; keep the secret one elsewhere",
            )
        kind = pyrage.ssh if text.startswith("ssh-") else pyrage.x25519
        try:
            found.append(kind.Recipient.from_str(text.strip()))
        except pyrage.RecipientError:
            raise UsageError(
                f"{text!r} in recipients of [offsite] is no public key of age",
                hint="`age-keygen -o key.txt` makes one, and prints it: age1...",
            ) from None
    return found


def encrypt(plain: Path, sealed: Path, recipients: Sequence[Any]) -> None:
    """Write a file that only these recipients can read."""
    pyrage = _library()
    try:
        pyrage.encrypt_file(str(plain), str(sealed), list(recipients))
    except pyrage.EncryptError as error:  # the keys were read before: it is the disk
        raise TemporaryError(f"{sealed} cannot be written: {error}") from None


def identities_in(file: Path) -> list[Any]:
    """Read the secret keys of a file of age, or of SSH. Raises UsageError; shows no key."""
    pyrage = _library()
    try:
        text = file.read_text(encoding="utf-8")
        if text.startswith("-----BEGIN"):
            return [pyrage.ssh.Identity.from_buffer(text.encode())]
        lines = [line.strip() for line in text.splitlines()]
        found = [
            pyrage.x25519.Identity.from_str(line)
            for line in lines
            if line and not line.startswith("#")
        ]
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from None
    except (UnicodeError, ValueError, pyrage.IdentityError):
        raise UsageError(
            f"{file} is no file of secret keys of age",
            hint="it is what `age-keygen -o FILE` writes; one with a passphrase is no such file",
        ) from None
    if not found:
        raise UsageError(f"{file} holds no secret key")
    return found


def decrypt(sealed: Path, plain: Path, identities: Sequence[Any]) -> None:
    """Write what a file says to whoever has the key. Raises AccessError, CopyDamaged."""
    pyrage = _library()
    try:
        pyrage.decrypt_file(str(sealed), str(plain), list(identities))
    except pyrage.DecryptError as error:
        if "matching key" in str(error).lower():
            raise AccessError(
                f"none of these keys opens {sealed.name}",
                hint="its manifest names the public keys that it was encrypted to",
            ) from None
        raise CopyDamaged(f"{sealed.name} cannot be decrypted: {error}") from None
    except OSError as error:
        if error.errno is not None:
            raise  # the disk's, not the library's
        raise CopyDamaged(f"{sealed.name} cannot be decrypted: {error}") from None
