"""The processes that a process has started."""

import os
from pathlib import Path


def children(process: int | None = None) -> list[int]:
    """Those of this process, or another's, that have not ended, and those whose end nobody has asked for."""
    parent = str(process or os.getpid())
    numbers = [int(each.name) for each in Path("/proc").glob("[0-9]*")]
    return [number for number in numbers if _stat(number)[1:2] == [parent]]


def has_ended(process: int) -> bool:
    """Whether it is gone, or nobody has asked for its end yet."""
    return _stat(process)[:1] in ([], ["Z"])


def _stat(process: int) -> list[str]:
    """Its state, its parent and what follows in proc(5); nothing where it is gone."""
    try:
        # Before them stands its name, which may hold spaces.
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
