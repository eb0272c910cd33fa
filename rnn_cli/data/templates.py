"""The sentences of the built-in set `templates`, made from its file."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

from rnn_cli.config.strict_yaml import parse_yaml

SENTENCES = 4_000
"""About so many sentences are made of each label, equally many of each of its templates, before equal ones go."""

SEED = 5

_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeio]|un(?!i)|ug)")  # but a useful one, a unique one


def made_sentences(file: Path) -> Iterator[tuple[int, str, str]]:
    """The number, the text and the label of each sentence, all different; the same ones every time."""
    content = parse_yaml(file.read_text(encoding="utf-8"), str(file))
    slots, groups = content["slots"], content["groups"]
    templates = [(text, group["label"]) for group in groups for text in group["templates"]]
    of_label = {label: sum(each == label for _, each in templates) for _, label in templates}
    chance, made = random.Random(SEED), dict[str, str]()
    for template, label in templates:
        for _ in range(round(SENTENCES / of_label[label])):
            text = _SLOT.sub(lambda slot: str(chance.choice(slots[slot[1]])), template)
            text = _ARTICLE.sub(r"\1n ", text)
            made.setdefault(text[0].upper() + text[1:], label)
    for number, (text, label) in enumerate(made.items(), start=1):
        yield number, text, label
