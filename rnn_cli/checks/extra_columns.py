"""Checks of the other columns that a config names as inputs beside the text."""

from rnn_cli.checks.findings import Finding, Severity
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.columns import ExtraColumns
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.giveaways import giveaways
from rnn_cli.errors import DataError

_WITHOUT = "leave it out of data.extra_columns"


def find_extra_columns(rows: CheckedRows, config: DataConfig) -> list[Finding]:
    """What the columns are, as the first side shows them, and which give the label away; nothing where none is named.

    A column that training would refuse is an error.
    """
    side = next(iter(rows.sides.values()))
    kinds = {name: kind for name, kind in (config.extra_columns or {}).items() if name in side.further}
    if not kinds:
        return []
    found = []
    for name, kind in kinds.items():
        try:
            (column,) = ExtraColumns.fit({name: kind}, side.further).columns
        except DataError as error:
            what = f"{error.what[0].upper()}{error.what[1:]}."
            found.append(Finding("column", Severity.ERROR, what, error.hint or _WITHOUT))
        else:
            found.append(Finding("column", Severity.NOTE, f"Column {column.in_words()}.", "it is read beside the text"))
    for line in giveaways(side, kinds):
        found.append(Finding("column gives away", Severity.WARNING, f"{line[0].upper()}{line[1:]}", _WITHOUT))
    return found
