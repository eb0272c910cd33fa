"""What a file's name says of its format."""

from pathlib import PurePath

from rnn_cli.data.reading.remote import is_remote
from rnn_cli.formats import COMPRESSIONS, FORMATS_BY_SUFFIX, Format


def format_of(path: str) -> Format | None:
    """The format by a file's name."""
    return FORMATS_BY_SUFFIX.get(suffix_of(path))


def suffix_of(path: str) -> str:
    """The suffix that names a format, in lower case: .csv for reviews.CSV.gz."""
    name = PurePath((path.partition("?")[0] if is_remote(path) else path).lower())
    return (name.with_suffix("") if name.suffix in COMPRESSIONS else name).suffix
