"""What a report calls the network, its tokens and the rows, in a few words."""

from pathlib import Path

from rnn_cli.config.schema import Config
from rnn_cli.evaluation.metrics import Metrics
from rnn_cli.reporting.report import Report


def network(config: Config) -> str:
    """The network in a few words."""
    model = config.model
    cell = {"lstm": "LSTM", "gru": "GRU", "rnn": "simple recurrent"}[model.cell]
    units = " and ".join(map(str, model.units))
    linear = f" beside a linear model of up to {model.ngrams} tokens in a row" if model.ngrams else ""
    return f"{'Bidirectional ' if model.bidirectional else ''}{cell} network of {units} units{linear}"


def unit_of(report: Report) -> str:
    """What a token is, in a word."""
    level = report.config.tokenizer.level
    return {"subword": "piece", "char": "character"}.get(level, level)


def rows_in_words(report: Report) -> str:
    """Which rows the figures are of."""
    if report.side == "test":
        return "test rows, which training did not see"
    if report.side == "validation":
        return "validation rows, which chose the best epoch: on other rows it may do a little worse"
    return f"labelled rows of {Path(report.evaluation.dataset.name).name}"


def models(report: Report) -> dict[str, Metrics]:
    """The figures that stand side by side, by the name of what they are of."""
    of_baseline = {} if report.against is None else {"linear baseline": report.against.metrics}
    return {"network": report.evaluation.metrics, **of_baseline}
