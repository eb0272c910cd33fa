"""What a run's network was measured against, on rows of one side, and how it is kept in the run's bundle."""

import json
from dataclasses import dataclass

from pydantic import TypeAdapter

from rnn_cli.bundle import FURTHER, METRICS, Bundle
from rnn_cli.errors import BundleError
from rnn_cli.evaluation.comparison import Comparison
from rnn_cli.evaluation.metrics import Figures


@dataclass(frozen=True)
class Against:
    """The linear baseline's figures on some rows, and the network (the first) compared with it (the second).

    `knew_more` says that the network had learned from other rows before, which the baseline has not seen.
    """

    figures: Figures
    comparison: Comparison
    knew_more: bool


def kept_against(opened: Bundle, side: str) -> Against | None:
    """What a run found on its `validation` or `test` rows; None where it fitted no baseline. Raises `BundleError`."""
    try:
        baseline = json.loads(opened.read(METRICS)).get("baseline")
        if baseline is None:
            return None
        comparison, figures = Comparison.from_dict(baseline["comparison"][side]), Figures.from_dict(baseline[side])
        # They have the right names by now; here, each gets its type, or is refused.
        comparison = TypeAdapter(Comparison).validate_python(comparison.to_dict())
        figures = TypeAdapter(Figures).validate_python(figures.to_dict())
        return Against(figures, comparison, FURTHER in opened.manifest.data)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        where, reason = str(opened.path / METRICS), str(error).replace("\n", " ")[:200]
        raise BundleError(f"not figures this rnn understands ({reason})", where=where) from None
