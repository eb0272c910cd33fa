"""The whole check: rows in, findings out, and the figures that belong to them. Prints nothing."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rnn_cli.checks.damaged import find_spoiled
from rnn_cli.checks.duplicates import find_repeats
from rnn_cli.checks.findings import LEAKS, Finding, worst_first
from rnn_cli.checks.labels import find_labels
from rnn_cli.checks.languages import find_languages
from rnn_cli.checks.learning_curve import LearningCurve
from rnn_cli.checks.lengths import Lengths, find_lengths, fit_tokenizer, measure_lengths
from rnn_cli.checks.rows import Rows
from rnn_cli.checks.scripts import find_scripts, script_of
from rnn_cli.config.schema import Config
from rnn_cli.linear.words import number_words

Note = Callable[[str], None]


@dataclass(frozen=True)
class Report:
    """What a check found, the worst first. `curve` is None unless it was asked for and there are enough rows.

    `judged` counts the rows whose labels the linear model looked at: not those of rare labels, and none where rows are
    too few.
    """

    source: str
    rows: Rows
    labels: Mapping[str, int]
    findings: tuple[Finding, ...]
    lengths: Lengths
    judged: int
    curve: LearningCurve | None

    @property
    def leaks(self) -> bool:
        """Whether texts stand, exactly or nearly, on two sides."""
        return any(finding.name in LEAKS for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the texts, as plain values; a finding's rows by file and line."""
        return {
            "source": self.source,
            "rows": {name: len(side) for name, side in self.rows.sides.items()},
            "labels": dict(self.labels),
            "findings": [
                {
                    "name": finding.name,
                    "severity": finding.severity.value,
                    "what": finding.what,
                    "mend": finding.hint,
                    "rows": [
                        {"file": self.rows.file_of[hit.row], "line": self.rows.lines[hit.row], "note": hit.note}
                        for hit in finding.hits
                    ],
                }
                for finding in self.findings
            ],
            "lengths": self.lengths.to_dict(),
            "judged": self.judged,
            "learning_curve": self.curve.to_dict() if self.curve else None,
        }

    def table(self) -> Iterator[tuple[str, ...]]:
        """A head and one line for each row of each finding."""
        yield "severity", "finding", "file", "line", "label", "note", "text"
        for finding in self.findings:
            for hit in finding.hits:
                row = hit.row
                place = (self.rows.file_of[row], str(self.rows.lines[row]))
                about = (self.rows.labels[row], hit.note, self.rows.texts[row])
                yield (finding.severity.value, finding.name, *place, *about)


def check(source: str, config: Config, rows: Rows, *, curve: bool = False, note: Note = lambda _: None) -> Report:
    """Examine rows as the config's tokenizer would see them; `note` hears of what takes a while."""
    note(f"looking for duplicates among {len(rows):,} rows")
    words = number_words(rows.texts)
    findings = [*find_repeats(rows, words), *find_labels(rows)]
    note("reading texts and counting tokens")
    tokenizer = fit_tokenizer(next(iter(rows.sides.values())).texts, config.tokenizer)
    lengths = measure_lengths(rows.texts, tokenizer, config.tokenizer)
    findings += [*find_spoiled(rows, tokenizer), *find_lengths(lengths)]
    note("telling languages")
    scripts = [script_of(text) for text in rows.texts]
    findings += [*find_scripts(rows, scripts), *find_languages(rows, scripts)]
    # Imported here, as it loads scikit-learn, which small and spoiled files need not wait for.
    from rnn_cli.checks.label_errors import as_finding, find_suspects, judged_rows

    judged = judged_rows(rows, words)
    told = None
    if judged:
        from rnn_cli.checks.learning_curve import learning_curve
        from rnn_cli.linear.tfidf import count_features

        counts = count_features(words.take(judged), len({rows.labels[row] for row in judged}))
        note(f"judging {len(judged):,} labels by a linear model")
        findings += as_finding(find_suspects(rows, judged, counts))
        told = learning_curve(rows, judged, counts, note) if curve else None
    return Report(
        source=source,
        rows=rows,
        labels=dict(Counter(rows.labels).most_common()),
        findings=worst_first(findings),
        lengths=lengths,
        judged=len(judged),
        curve=told,
    )
