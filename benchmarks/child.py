"""Run one contestant in a process of its own and print what it cost.

Run as `python -m benchmarks.child CONTESTANT URL FILE ROWS_A_PAGE IN_FLIGHT`.
"""

import json
import resource
import sys
import time
from pathlib import Path

CONTESTANTS = ("floor", "script", "dssync")


def main() -> None:
    name, url, path, rows, in_flight = sys.argv[1:]
    if name == "floor":
        from benchmarks import floor

        started = time.perf_counter()
        floor.run(url, Path(path), int(rows), int(in_flight))
    elif name == "script":
        from benchmarks import script

        started = time.perf_counter()
        script.run(url, Path(path))
    else:
        from benchmarks import ours

        started = time.perf_counter()
        ours.run(url, Path(path), int(rows), int(in_flight))
    wall = time.perf_counter() - started
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        json.dumps(
            {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024}
        )
    )


if __name__ == "__main__":
    main()
