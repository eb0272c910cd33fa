"""Whether the labels of a file look like numbers to predict, and not like names; and what is odd about such numbers."""

from collections.abc import Collection

import numpy as np

from rnn_cli.arrays import Floats
from rnn_cli.checks.find_ordered import MOST_ORDERED, look_ordered
from rnn_cli.checks.findings import Finding, Hit, Severity, counted
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.data.numbers import number_in, numbers_in_words
from rnn_cli.data.reading.table import LABEL_NAMES
from rnn_cli.errors import Setting

MOST_CODES = 200
"""Up to so many different whole numbers in a column that is called `label` or the like may be codes of names."""

FAR_FROM_HALF = 5.0
"""An outlier is farther than so many times the range of the middle half of the numbers from that half."""

SKEWED = 20.0
"""Numbers above 0 whose largest hundredth is so many times the median spread over orders of magnitude."""


def look_like_numbers(labels: Collection[str], column: str | None) -> bool:
    """Whether different labels, of a column of that name, are numbers to predict.

    They are where some have decimals, or where there are more than ratings have: many more, if the column is called as
    columns of names are, as these may be codes.
    """
    if len(labels) <= MOST_ORDERED or look_ordered(labels):
        return False
    numbers = [number_in(label) for label in labels]
    found = [number for number in numbers if number is not None]
    if len(found) < len(numbers):
        return False
    are_whole = all(number.is_integer() for number in found)
    may_be_codes = column is None or column.lower() in LABEL_NAMES
    return not are_whole or len(set(found)) > (MOST_CODES if may_be_codes else MOST_ORDERED)


def read_as_numbers(numbers: Floats) -> str:
    """What was found, and what to set where it is wrong."""
    return (
        f"The labels are {numbers_in_words(numbers)}: they are predicted as numbers (data.labels: number; if they are "
        "names, data.labels: single)."
    )


def find_odd_numbers(rows: CheckedRows) -> list[Finding]:
    """The findings about labels that are numbers."""
    numbers = rows.numbers
    different = len(np.unique(numbers))
    if different == 1:
        what = f"Every row has the number {rows.labels[0]}."
        hint = "Training needs numbers that differ; check data.label_column."
        return [Finding("one number", Severity.ERROR, what, hint)]
    findings = [*_outliers(rows, numbers)]
    middle, top = np.quantile(numbers, (0.5, 0.99))
    if different <= MOST_ORDERED:
        what = f"There are {different} different numbers."
        order = Setting("data.labels", "ordered", "If they are ratings, {} gives the probability of each.")
        findings.append(Finding("few numbers", Severity.NOTE, what, order))
    if numbers.min() > 0 and top > SKEWED * middle:
        spread = f"half are up to {middle:.6g}, one in a hundred from {top:.6g}"
        what = f"The numbers spread over orders of magnitude: {spread}."
        hint = "The largest then make most of the error; logarithms, in a column of their own, may suit more."
        findings.append(Finding("skewed numbers", Severity.NOTE, what, hint))
    return findings


def _outliers(rows: CheckedRows, numbers: Floats) -> list[Finding]:
    """The rows whose numbers are far from all others, the farthest first."""
    low, middle, high = np.quantile(numbers, (0.25, 0.5, 0.75))
    reach = FAR_FROM_HALF * (high - low)
    far = np.flatnonzero((numbers < low - reach) | (numbers > high + reach))
    if not reach or not len(far):
        return []
    order = far[np.argsort(-np.abs(numbers[far] - middle), kind="stable")]
    what = (
        f"{counted(len(far), 'row has a number', 'rows have numbers')} far from all others, of which half are from "
        f"{low:.6g} to {high:.6g}."
    )
    hint = "Correct slips and units: training bounds what one row does, but the measured errors count it whole."
    hits = tuple(Hit(row, f"{numbers[row]:.6g}") for row in order.tolist())
    return [Finding("outliers", Severity.WARNING, what, hint, hits)]
