"""The exported folder's `predict.py`: of a template, the parts that one model needs. Knows nothing of files.

The template is a Python file between whose lines stand marks. A line `#[word marks]` says that what follows, up to the
next mark, is for models that are one of these; `#[]` that it is for all. CLEANED stands for what `_cleaned` answers.
"""

from collections.abc import Iterator
from pathlib import Path

from rnn_cli.bundle import Manifest
from rnn_cli.text.tokenizer import Tokenizer

TEMPLATE = "predict.py.txt"


def render(manifest: Manifest, tokenizer: Tokenizer) -> str:
    """The text of `predict.py` for a model of this manifest and tokenizer."""
    template = Path(__file__).with_name(TEMPLATE).read_text(encoding="utf-8")
    return "".join(_kept(template, _traits(manifest, tokenizer))).replace("CLEANED", _cleaned(tokenizer))


def _traits(manifest: Manifest, tokenizer: Tokenizer) -> set[str]:
    """What a model is, in the words of the template's marks."""
    level = "marks" if tokenizer.punctuation == "keep" else tokenizer.level
    traits = {level, tokenizer.truncate, manifest.task}
    traits.add("abstaining" if manifest.unsure_below else "sure")
    traits.add(f"{manifest.task}-{'abstaining' if manifest.unsure_below else 'sure'}")
    if level == "subword":  # whether the unknown token may stand within a word that is written in lower case
        within = not tokenizer.lowercase or tokenizer.oov_token == tokenizer.oov_token.lower()
        traits.add("within" if within else "apart")
    return traits | ({"filtering"} if tokenizer.filters else set())


def _cleaned(tokenizer: Tokenizer) -> str:
    """The code for a `text` in lower case, with spaces for what is filtered."""
    lowered = ".lower()" if tokenizer.lowercase else ""
    filtered = '.translate(tokenizer["spaces"])' if tokenizer.filters else ""
    # A lone surrogate, which no UTF-8 file can hold, is read as a question mark.
    return f'text{lowered}.encode("utf-8", "replace").decode(){filtered}'


def _kept(template: str, traits: set[str]) -> Iterator[str]:
    keep = True
    for line in template.splitlines(keepends=True):
        if line.startswith("#["):
            wanted = line.strip()[2:-1].split()
            keep = not wanted or not traits.isdisjoint(wanted)
        elif keep:
            yield line
