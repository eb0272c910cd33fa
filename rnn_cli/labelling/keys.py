"""What a person meets in every sitting, in a terminal and on a page: the keys of labels, and why a text is asked."""

from collections.abc import Sequence

from rnn_cli.labelling.answers import AFTER, CHANCE, DOUBT, HINT, REST, SEARCH, VARIED

LETTERS = "abcdefhijklmoprtvwxyz"
"""Keys of labels behind the ninth; the others are commands."""

ASKED_BECAUSE = {
    CHANCE: "drawn by chance: the accuracy is measured on such texts alone, and the model never learns from them",
    VARIED: "one of its kind: the first texts are spread over all kinds",
    DOUBT: "the model is unsure of it",
    HINT: "a hint finds it",
    SEARCH: "your search found it",
    AFTER: "another person has labelled it",
    REST: "one of those that are left",
}


def keys_of(labels: Sequence[str]) -> dict[str, str]:
    """The label of each key: 1 to 9, then letters."""
    keys = [*"123456789", *LETTERS]
    return dict(zip(keys, labels, strict=False))
