"""`python -m dssync` is `dssync`."""

from dssync.cli import main

main()
