"""`rnn drift`: what it shows and exits with."""

import json
from pathlib import Path

from tests.conftest import labelled_texts, write_csv

from .conftest import Rnn

ROWS = labelled_texts(["good", "bad"], 160)[80:]
OTHERS = [(f"parcel number {number} never came, where is the courier", "bad") for number in range(40)]


def test_the_same_source_gives_no_alarm(rnn: Rnn, newest: Path, home: Path) -> None:
    write_csv(home / "new.csv", ROWS)
    code, out, err = rnn("drift", "new.csv", "--fail-on-drift")
    assert (code, err) == (0, "")
    assert "Nothing differs beyond chance" in out
    assert "Rows   80 of new.csv" in out


def test_drift_is_named_with_words_and_rows_and_fails_only_if_asked(rnn: Rnn, newest: Path, home: Path) -> None:
    write_csv(home / "new.csv", ROWS[:40] + OTHERS)
    code, out, err = rnn("drift", "new.csv")
    assert (code, err) == (0, "")
    assert "Drift beyond chance" in out and "More texts have: " in out and "Least like the training texts:" in out
    code, _, err = rnn("drift", "new.csv", "--fail-on-drift")
    assert code == 1 and err.startswith("Error: drift in ") and "words" in err


def test_labels_are_read_only_if_asked(rnn: Rnn, newest: Path, home: Path) -> None:
    write_csv(home / "new.csv", ROWS)
    (home / "texts.csv").write_text("text\n" + "".join(f"{text}\n" for text, _ in ROWS))
    (home / "lines.txt").write_text("".join(f"{text}\n\n" for text, _ in ROWS))
    told = [json.loads(rnn("drift", name, "--json").out) for name in ("new.csv", "texts.csv", "lines.txt")]
    assert told[0]["shifts"] == told[1]["shifts"] == told[2]["shifts"]
    assert (told[0]["drift"], told[0]["rows"]) == (False, 80)
    code, out, err = rnn("drift", "new.csv", "--labelled")
    assert (code, err) == (0, "") and "predicted right" in out
    assert "predicted right" not in rnn("drift", "new.csv").out
    code, out, err = rnn("drift", "texts.csv", "--labelled")
    assert (code, out) == (2, "") and "label" in err


def test_too_few_rows_and_older_models_get_a_clear_word(rnn: Rnn, newest: Path, home: Path) -> None:
    write_csv(home / "new.csv", ROWS[:5])
    assert rnn("drift", "new.csv") == (
        2,
        "",
        "Error: new.csv: 5 rows are too few to tell drift from chance; give 30 or more\n",
    )
    code, out, err = rnn("drift", "new.csv", "--model", "general")
    assert (code, out) == (2, "") and "keeps no summary of its texts" in err
