"""The formats that rows are read and written in, and what files of them are called. Loads nothing."""

import os
import re
from typing import Literal, get_args

Format = Literal["csv", "tsv", "jsonl", "parquet", "xlsx"]

FORMATS: tuple[Format, ...] = get_args(Format)

WRITTEN: tuple[Format, ...] = tuple(name for name in FORMATS if name != "xlsx")
"""Those that rows are written in."""

FORMATS_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "xlsx",
    ".xlsm": "xlsx",
}
"""What a name says of a file's format."""

COMPRESSIONS = {".gz": "gz", ".zst": "zst"}
"""What a name says, behind that, of how the file is compressed."""

FOREIGN = (".xls", ".xlsb", ".ods", ".numbers")
"""The ends of names of spreadsheets that are not read, but that the reader says the way out of."""

DATA_FILE = re.compile(
    rf"({'|'.join(map(re.escape, [*FORMATS_BY_SUFFIX, *FOREIGN]))})({'|'.join(map(re.escape, COMPRESSIONS))})?$"
)
"""The end of a name, in lower case, that a file of rows has, and a config never."""

PASSED_OVER = (".", "_", "~$")
"""The beginnings of names in a folder that are passed over: hidden ones, those of other programs' own files, such as
_SUCCESS, and the locks of workbooks that are open."""

PATTERN = frozenset("*?[")
"""What a pattern of file names has, and a name seldom."""


def is_pattern(name: str) -> bool:
    """Whether this is a pattern of names of local files, and not the name of one."""
    return bool(PATTERN & set(name)) and "://" not in name and not os.path.lexists(name)


DELIMITERS = {"csv": ",", "tsv": "\t"}
"""What stands between the fields of a format, unless another is named."""

DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
"""Words for a delimiter that is hard to type."""
