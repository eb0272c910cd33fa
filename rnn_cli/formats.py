"""The formats that rows are read and written in, and what files of them are called. Loads nothing."""

import re
from typing import Literal, get_args

Format = Literal["csv", "tsv", "jsonl", "parquet"]

FORMATS: tuple[Format, ...] = get_args(Format)

FORMATS_BY_SUFFIX: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
"""What a name says of a file's format."""

COMPRESSIONS = {".gz": "gz", ".zst": "zst"}
"""What a name says, behind that, of how the file is compressed."""

DATA_FILE = re.compile(rf"({'|'.join(map(re.escape, FORMATS_BY_SUFFIX))})({'|'.join(map(re.escape, COMPRESSIONS))})?$")
"""The end of a name, in lower case, that a file of rows has, and a config never."""

DELIMITERS = {"csv": ",", "tsv": "\t"}
"""What stands between the fields of a format, unless another is named."""

DELIMITER_NAMES = {"tab": "\t", "\\t": "\t"}
"""Words for a delimiter that is hard to type."""
