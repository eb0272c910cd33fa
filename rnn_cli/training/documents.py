"""What a finished run tells people, as files of its bundle: the report and the model card."""

from collections import Counter
from collections.abc import Mapping

from rnn_cli.bundle import CARD, REPORT, Bundle
from rnn_cli.evaluation.against import Against
from rnn_cli.evaluation.evaluate import Evaluation
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import Prepared


def documents(
    opened: Bundle,
    predictor: Predictor,
    run: Prepared,
    sides: Mapping[str, Evaluation],
    against: Mapping[str, Against],
    listener: Listener,
) -> dict[str, str]:
    """The files' contents by their names; `sides` are `validation` and, if there are such rows, `test`.

    They are of the last side. A fault in making them is told, and costs the documents, not the run.
    """
    name = list(sides)[-1]
    splits = run.splits
    rows = {"train": splits.train, "validation": splits.validation} | (
        {"test": splits.test} if len(splits.test) else {}
    )
    try:
        from rnn_cli.reporting.card import model_card
        from rnn_cli.reporting.content import gather
        from rnn_cli.reporting.page import page

        report = gather(opened, predictor, sides[name], name, against.get(name))
        counts = {side: Counter(dataset.labels) for side, dataset in rows.items() if len(dataset)}
        return {REPORT: page(report), CARD: model_card(report, counts)}
    except Exception as error:
        listener.warn(f"no {REPORT} and no {CARD}: {type(error).__name__}: {error}")
        return {}
