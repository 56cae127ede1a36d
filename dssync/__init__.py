"""Offline sync and backup for PostHog datasets."""


def version() -> str:
    """Return the program's version."""
    from importlib.metadata import version as installed

    return installed("dssync")
