"""JSON Lines that are broken, or that Python's json would read by guessing."""

import json

import pytest

from rnn_cli.errors import DataError
from tests.data.conftest import read_rows

# case: (the file's name, its content, part of what is said, where after the path, part of the mend)
CORPUS = {
    "blank jsonl": ("f.jsonl", b"\n\n", "has no rows", "", "add rows"),
    "NUL in JSON": ("f.jsonl", b'{"text": "a\\u0000", "label": "b"}', "a NUL character", ":1", "strip_nul=True"),
    "NUL in a label": (
        "f.jsonl",
        b'{"text": "a", "label": "b\\u0000"}',
        "a NUL character",
        ":1",
        "strip_nul=True",
    ),
    "null label": ("f.jsonl", b'{"text": "a", "label": null}', "1 row has no label (line 1)", "", "label"),
    "broken JSON": (
        "f.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": "a" "label": "b"}\n',
        "broken JSON (Expecting ',' delimiter)",
        ":2:14",
        "write one JSON object per line",
    ),
    "cut JSON": ("f.jsonl", b'{"text": "a', "broken JSON (Unterminated string", ":1:10", "one JSON object"),
    "JSON over lines": ("f.jsonl", b'[\n{"text": "a"}\n]', "broken JSON (", ":1:", "one JSON object per line"),
    "control in JSON": (
        "f.jsonl",
        b'{"text": "a\tb", "label": "c"}',
        "Invalid control character",
        ":1:",
        "one",
    ),
    "two objects": (
        "f.jsonl",
        b'{"text": "a"} {"text": "b"}',
        "broken JSON (Extra data)",
        ":1:15",
        "one JSON",
    ),
    "doubled key": (
        "f.jsonl",
        b'{"text": "a", "label": "b", "text": "c"}',
        "the key 'text' appears twice in one object",
        ":1",
        "correct the line",
    ),
    "doubled key inside": (
        "f.jsonl",
        b'{"text": "a", "x": {"k": 1, "k": 2}}',
        "'k' appears twice",
        ":1",
        "correct",
    ),
    "NaN": ("f.jsonl", b'{"text": "a", "label": NaN}', "NaN is not JSON", ":1", "correct the line"),
    "-Infinity": ("f.jsonl", b'{"text": "a", "label": -Infinity}', "-Infinity is not JSON", ":1", "correct"),
    "1e999": (
        "f.jsonl",
        b'{"text": "a", "label": 1e999}',
        "'label' is an infinite number",
        ":1",
        "labels must",
    ),
    "100,000 deep": (
        "f.jsonl",
        b'{"text": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        "nested too deeply",
        ":1",
        "one",
    ),
    "5,000 digits": (
        "f.jsonl",
        b'{"text": "a", "label": ' + b"9" * 5000 + b"}",
        "a number with too many digits",
        ":1",
        "write it as a string",
    ),
    "number as text": (
        "f.jsonl",
        b'{"text": 1, "label": "b"}',
        "'text' is a number",
        ":1",
        "texts must be strings",
    ),
    "boolean as text": (
        "f.jsonl",
        b'{"text": true, "label": "b"}',
        "'text' is true or false",
        ":1",
        "strings",
    ),
    "null as text": (
        "f.jsonl",
        b'{"text": null, "label": "b"}',
        "'text' is null",
        ":1",
        "texts must be strings",
    ),
    "list as text": ("f.jsonl", b'{"text": ["a"], "label": "b"}', "'text' is a list", ":1", "strings"),
    "object as label": (
        "f.jsonl",
        b'{"text": "a", "label": {}}',
        "'label' is an object",
        ":1",
        "labels must be",
    ),
    "list, no object": ("f.jsonl", b'["a", "b"]', "a list, not an object", ":1", "one JSON object per line"),
    "missing key": (
        "f.jsonl",
        b'{"text": "a", "label": "b"}\n{"text": "a"}\n',
        "the key 'label' is missing (keys: 'text')",
        ":2",
        "give every object the same keys",
    ),
    "lone surrogate": (
        "f.jsonl",
        b'{"text": "\\ud800", "label": "b"}',
        "half of a surrogate pair",
        ":1",
        "remove",
    ),
    "surrogate in a label": (
        "f.jsonl",
        b'{"text": "a", "label": "\\udc00"}',
        "half of a surrogate",
        ":1",
        "remove",
    ),
}


@pytest.mark.parametrize(("name", "content", "what", "place", "hint"), CORPUS.values(), ids=CORPUS)
def test_bad_file(refused, name, content, what, place, hint):
    refused(name, content, what, place, hint)


def test_broken_json_is_told_whatever_the_place(write):
    """Every truncation of a line is refused, or, if nothing is left, is no row."""
    line = json.dumps({"text": "a b", "label": "c", "n": [1, 2.5, None, True]})
    for cut in range(1, len(line)):
        with pytest.raises(DataError, match="broken JSON"):
            list(read_rows(write("f.jsonl", line[:cut])))
