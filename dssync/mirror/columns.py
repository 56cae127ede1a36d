"""The columns of the tables of each kind, derived from `core.fields`."""

from collections.abc import Mapping

from dssync.core.fields import KINDS, KindName

SERVER = ("created_at", "updated_at", "created_by", "rest", "absent_since", "run", "digest")
"""What describes theirs, never ours."""

COLUMNS: Mapping[KindName, tuple[str, ...]] = {
    name: ("key", "id", "remote", *kind.names, *SERVER) for name, kind in KINDS.items()
}
"""The working copy's columns, in the table's order; the other tables of a kind have them, too."""
