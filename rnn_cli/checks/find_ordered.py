"""Whether the labels of a file look like ratings: whole numbers in a short range."""

import re
from collections.abc import Collection

from rnn_cli.kinds import LEAST_ORDERED

MOST_ORDERED = 11
"""Up to so many whole numbers look like ratings: 0 to 10."""

RATING = re.compile(r"-?(0|[1-9][0-9]?)")


def look_ordered(labels: Collection[str]) -> bool:
    """Whether labels are whole numbers, as many as ratings have, of which few in between are missing."""
    if not LEAST_ORDERED <= len(labels) <= MOST_ORDERED or not all(map(RATING.fullmatch, labels)):
        return False
    numbers = list(map(int, labels))
    return max(numbers) - min(numbers) < MOST_ORDERED


def ordered_in_words(labels: Collection[str]) -> str:
    """What was found, and what to set where it is wrong."""
    numbers = sorted(map(int, labels))
    return (
        f"The labels are whole numbers from {numbers[0]} to {numbers[-1]}, read as ratings: a prediction that is "
        "nearer counts as better (data.labels: ordered; if they are mere names, data.labels: single)."
    )
