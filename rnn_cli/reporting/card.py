"""The model card: what a model is for, what it learned from, how good it is and where it is not, as Markdown.

Source: Mitchell et al. (2019), Model cards for model reporting.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rnn_cli.bundle import FURTHER, INT8_MODEL, METRICS, REPORT
from rnn_cli.data.builtin import BUILTIN
from rnn_cli.evaluation.wording import FIGURES, bounds, decision_in_words, sure_in_words, value, verdict
from rnn_cli.reporting.content import Report
from rnn_cli.reporting.escape import in_markdown as md
from rnn_cli.reporting.escape import shortened
from rnn_cli.reporting.words import network, rows_in_words, unit_of
from rnn_cli.scoring.decision import Decision

MOST_LABELS = 50
"""Labels that are counted in a table of their own; of more only the number is told."""

Counts = Mapping[str, Mapping[str, int]]
"""How many rows of each label each side of the data has: side → label → rows."""


def model_card(report: Report, counts: Counts) -> str:
    """The card as Markdown; `counts` are those of the sides `train`, `validation` and, if there is one, `test`."""
    parts = [
        f"# {_title(report)}",
        _what(report),
        "## Intended use",
        _use(report),
        "## Data",
        *_data(report, counts),
        "## How good it is",
        *_figures(report),
        "## Limits",
        "\n".join(f"- {each}" for each in _limits(report)),
        "## How to use it",
        _commands(report),
    ]
    return "\n\n".join(parts) + "\n"


def _title(report: Report) -> str:
    names = [md(label) for label in report.labels[:4]]
    more = f" and {len(report.labels) - 4} more labels" if len(report.labels) > 4 else ""
    return f"Text classifier: {', '.join(names)}{more}"


def _what(report: Report) -> str:
    versions = report.manifest.versions
    further = "" if FURTHER not in report.manifest.data else " It began as another model, which it trained further."
    return (
        f"{network(report.config)}, trained by `rnn` {md(versions.get('rnn-cli', ''))} on "
        f"{report.manifest.data['rows']['train']:,} texts.{further} It answers a text with one of {len(report.labels)} "
        f"labels and the probability of each. [{REPORT}]({REPORT}) shows more."
    )


def _use(report: Report) -> str:
    words = ", ".join(md(shortened(token, 24)) for token in report.frequent)
    return (
        f"For texts like those it learned from: same language, same kind, same time. Its most frequent "
        f"{unit_of(report)}s are: {words}. It is not meant for texts of another kind, nor to decide about people with "
        "nobody looking at its answers."
    )


def _data(report: Report, counts: Counts) -> Iterator[str]:
    source = report.config.data.source
    known = BUILTIN.get(source)
    told = f"{known.description}; {known.origin}. Licence: {known.licence}." if known else "A file of the user's own."
    yield f"Source: {md(Path(source).name)}. {md(told)}"
    sides = list(counts)
    totals = [sum(counts[side].values()) for side in sides]
    rows = [["all", *(f"{total:,}" for total in totals)]]
    if len(report.labels) <= MOST_LABELS:
        rows += [[md(label), *(f"{counts[side].get(label, 0):,}" for side in sides)] for label in report.labels]
    yield _table(["rows", *sides], rows)
    yield (
        "Validation rows chose the best epoch; test rows were looked at once, at the end. "
        f"Fingerprint of the rows (SHA-256): `{report.manifest.data.get('fingerprint', 'none')}`."
    )


def _figures(report: Report) -> Iterator[str]:
    columns = {"network": report.evaluation.figures}
    if report.against is not None:
        columns["linear baseline"] = report.against.figures
    yield f"On the {report.evaluation.figures.rows:,} {rows_in_words(report)}, with 95% intervals:"
    head = ["", *(cell for name in columns for cell in (name, "95% interval"))]
    rows = []
    for field, (name, written) in FIGURES.items():
        cells = [(value(of, field, written), bounds(of, field, written)) for of in columns.values()]
        rows.append([name, *(cell for pair in cells for cell in pair)])
    yield _table(head, rows)
    if report.against is not None and report.side is not None:
        yield verdict(report.side, report.against)
    if report.evaluation.sure is not None:
        yield sure_in_words(report.evaluation.sure)


def _limits(report: Report) -> Iterator[str]:
    found, tokenizer, unit = report.evaluation.reading, report.config.tokenizer, unit_of(report)
    yield (
        f"It knows {tokenizer.vocab_size:,} {unit}s at most. Of those it read in these rows {found.unknown_share:.1%} "
        "were unknown, and to it all unknown ones are alike. A text without one it knows is marked (`no_known_words`), "
        "since its answer means little."
    )
    which = {"head": "first", "tail": "last", "both": "first and last"}[tokenizer.truncate]
    yield (
        f"Of a longer text it reads the {which} {tokenizer.max_length:,} {unit}s"
        f"{' together' if tokenizer.truncate == 'both' else ''}: {found.cut_share:.1%} of these rows were cut."
    )
    yield "It knows the language of its training texts only, and answers texts of any other all the same."
    yield (
        "The figures are of rows dealt from the same source as the training rows. They do not tell how good it is on "
        "texts from elsewhere or of later years, nor whether it treats groups of people alike; "
        "`rnn evaluate --data FILE` measures that on labelled rows of your own."
    )
    yield (
        "The intervals say what other rows of this source might give. Another seed or another split would move the "
        "figures, too, and wrong labels in the rows count as mistakes."
    )
    decided = decision_in_words(report.evaluation.decision, report.labels)
    yield f"How probabilities become answers: {md(decided)}."
    if len(report.labels) == 2 and report.evaluation.decision.threshold == Decision().threshold:
        yield (
            "Where one kind of mistake costs more than the other, another threshold is better; `rnn evaluate --goal` "
            "shows what it would come to."
        )


def _commands(report: Report) -> str:
    quicker = (
        "With `--precision int8` the first two compute in 8 bits, which is faster and answers nearly the same "
        f"(`{METRICS}`, `int8`).\n\n"
    )
    return (
        "In this folder, or with its path instead of the dot:\n\n"
        "```sh\n"
        'rnn predict --model . "A sentence of your own."\n'
        "rnn evaluate --model . --data labelled.csv\n"
        "rnn train --from . --set data.source=more.csv\n"
        f"```\n\n{quicker if INT8_MODEL in report.manifest.files else ''}"
        "From Python:\n\n"
        "```python\n"
        "from pathlib import Path\n\n"
        "from rnn_cli.scoring.predictor import Predictor\n\n"
        'print(Predictor.open(Path(".")).predict(["A sentence of your own."]))\n'
        "```"
    )


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))
