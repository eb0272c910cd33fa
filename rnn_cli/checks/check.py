"""The whole check: from rows to findings and measurements. Prints nothing."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from rnn_cli.checks.damaged import find_damaged
from rnn_cli.checks.duplicates import find_repeats
from rnn_cli.checks.extra_columns import find_extra_columns
from rnn_cli.checks.find_numbers import find_odd_numbers
from rnn_cli.checks.findings import LEAKS, Finding, counted, worst_first
from rnn_cli.checks.labels import find_labels
from rnn_cli.checks.languages import find_languages
from rnn_cli.checks.learning_curve import LearningCurve
from rnn_cli.checks.lengths import Lengths, find_lengths, fit_tokenizer, measure_lengths
from rnn_cli.checks.rows import CheckedRows
from rnn_cli.checks.scripts import find_scripts, script_of
from rnn_cli.checks.typography import find_typography
from rnn_cli.config.schema import Config
from rnn_cli.copies.words import learn_words, split_words
from rnn_cli.text.plain import html_table

if TYPE_CHECKING:
    import pandas

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, repr=False)
class CheckReport:
    """What a check found, the worst first. `curve` is None unless it was asked for and there are enough rows.

    `labels` counts the rows of each label, and is empty where labels are numbers. `lengths` is None if no row could be
    read.

    `judged` counts the rows whose labels the linear model judged: no rows of rare labels, and none if rows are too few.
    """

    source: str
    rows: CheckedRows
    labels: Mapping[str, int]
    findings: tuple[Finding, ...]
    lengths: Lengths | None
    judged: int
    curve: LearningCurve | None

    @property
    def leaks(self) -> bool:
        """Whether texts are, exactly or nearly, on two sides of a split."""
        return any(finding.name in LEAKS for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Everything except the texts, as plain values; a finding's rows by file and line."""
        return {
            "source": self.source,
            "rows": {name: len(side) for name, side in self.rows.sides.items()},
            "labels": dict(self.labels),
            "findings": [
                {
                    "name": finding.name,
                    "severity": finding.severity.value,
                    "what": finding.what,
                    "hint": str(finding.hint),
                    "rows": [
                        {"file": self.rows.file_of[hit.row], "line": self.rows.lines[hit.row], "note": hit.note}
                        for hit in finding.hits
                    ],
                }
                for finding in self.findings
            ],
            "lengths": asdict(self.lengths) if self.lengths else None,
            "judged": self.judged,
            "learning_curve": asdict(self.curve) if self.curve else None,
        }

    def to_frame(self) -> "pandas.DataFrame":
        """The rows of all findings as a table of pandas, with the columns of `table`."""
        import pandas

        head, *rows = self.table()
        return pandas.DataFrame(rows, columns=head)

    def __repr__(self) -> str:
        """The source, its rows and the names of the findings."""
        found = ", ".join(f"{each.name} ({each.severity.value})" for each in self.findings) or "nothing found"
        return f"CheckReport({self.source}, {counted(len(self.rows), 'row')}: {found})"

    def _repr_html_(self) -> str:
        """The findings as a table, for a notebook."""
        rows = [
            (each.severity.value, each.name, f"{len(each.hits):,}", each.what, str(each.hint)) for each in self.findings
        ]
        return html_table(("severity", "finding", "rows", "what", "hint"), rows)

    def table(self) -> Iterator[tuple[str, ...]]:
        """A head, and one line for each row of each finding."""
        yield "severity", "finding", "file", "line", "label", "note", "text"
        for finding in self.findings:
            for hit in finding.hits:
                row, rows = hit.row, self.rows
                position = rows.file_of[row], str(rows.lines[row] or "")
                yield finding.severity.value, finding.name, *position, rows.labels[row], hit.note, rows.texts[row]


def check_rows(
    source: str,
    config: Config,
    rows: CheckedRows,
    *,
    curve: bool = False,
    note: Callable[[str], None] = lambda _: None,
    progress: Progress = lambda *_: None,
) -> CheckReport:
    """Check rows as the config's tokenizer would read them.

    Calls `note` before each step that takes a while, and `progress` within the longest.
    """
    if not len(rows):
        return CheckReport(source, rows, {}, worst_first(rows.structure), None, 0, None)
    note(f"looking for duplicates among {len(rows):,} rows")
    of_labels = find_odd_numbers(rows) if rows.number else find_labels(rows)
    findings = [*rows.structure, *find_repeats(rows), *of_labels, *find_extra_columns(rows, config.data)]
    note("reading texts and counting tokens")
    tokenizer = fit_tokenizer(next(iter(rows.sides.values())).texts, config.tokenizer)
    lengths = measure_lengths(rows.texts, tokenizer, config.tokenizer)
    findings += [
        *find_damaged(rows, tokenizer),
        *find_typography(rows, config.tokenizer.splitting),
        *find_lengths(lengths),
    ]
    note("identifying languages")
    scripts = [script_of(text) for text in rows.texts]
    findings += [*find_scripts(rows, scripts), *find_languages(rows, scripts)]
    # Imported here, as it loads scikit-learn, which checks of small files do not need.
    from rnn_cli.checks.label_errors import find_label_errors, judged_rows

    words, _ = learn_words(rows.texts, split_words)
    judged = [] if rows.several or rows.number else judged_rows(rows, words)
    learned = None
    if judged:
        from rnn_cli.checks.learning_curve import learning_curve
        from rnn_cli.linear.tfidf import count_features

        counts = count_features(words.take(judged), len({rows.labels[row] for row in judged}))
        note(f"judging the labels of {len(judged):,} rows by a linear model")
        findings += find_label_errors(rows, judged, counts, partial(progress, "judging labels: parts done"))
        learned = learning_curve(rows, judged, counts, note) if curve else None
    return CheckReport(
        source=source,
        rows=rows,
        labels={} if rows.number else dict(rows.label_counts().most_common()),
        findings=worst_first(findings),
        lengths=lengths,
        judged=len(judged),
        curve=learned,
    )
