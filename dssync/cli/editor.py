"""Let a person edit a text in the editor of their choice."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from dssync.errors import UsageError

_HINT = "set VISUAL or EDITOR to the editor of your choice"


def edit_text(text: str, name: str, env: Mapping[str, str] = os.environ) -> str:
    """Open a text in a file of this name, and return it as it was saved.

    Raises UsageError when the editor cannot be run, ends with an error, or saves what is no text.
    """
    command = env.get("VISUAL") or env.get("EDITOR") or ("notepad" if os.name == "nt" else "vi")
    with TemporaryDirectory(prefix="dssync-") as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8", newline="\n")
        _run(command, path)
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"what {command} saved cannot be read: {error}") from error


def _run(command: str, path: Path) -> None:
    try:
        done = subprocess.run([*shlex.split(command), str(path)], check=False)
    except (OSError, ValueError) as error:
        raise UsageError(f"the editor {command!r} cannot be run: {error}", hint=_HINT) from error
    if done.returncode:
        raise UsageError(
            f"the editor {command!r} ended with {done.returncode}, so nothing was changed",
            hint=_HINT,
        )
