import json
import shutil
from pathlib import Path

import pytest

from rnn_cli.bundle.model_folder import Bundle
from rnn_cli.config.load import parse_override
from rnn_cli.config.schema import DecisionConfig
from rnn_cli.errors import ConfigError, DataError
from rnn_cli.evaluation.compare import kept_choice
from rnn_cli.evaluation.evaluate import evaluate_predictor, kept_test_rows, labelled_rows
from rnn_cli.evaluation.standing import with_standing
from rnn_cli.scoring.predictor import Predictor


def test_the_kept_test_rows_give_the_figures_of_training(trained: Path) -> None:
    opened = Bundle.open(trained)
    evaluation = with_standing(
        evaluate_predictor(Predictor(opened), kept_test_rows(opened)), kept_choice(opened)[0], DecisionConfig(), None
    )
    written = json.loads(opened.read("metrics.json"))["test"]
    assert json.loads(json.dumps(evaluation.to_dict())) == written


def test_test_rows_were_not_trained_on(trained: Path, labelled_file: Path) -> None:
    opened = Bundle.open(trained)
    rows = opened.manifest.data["rows"]
    assert rows == {"train": 48, "validation": 16, "test": 16}
    kept = set(kept_test_rows(opened).texts)
    assert len(kept) == 16
    assert len(set(labelled_rows(opened, str(labelled_file)).texts) - kept) == 64


def test_changed_data_is_refused(of_own_file: tuple[Path, Path]) -> None:
    model, file = of_own_file
    assert len(kept_test_rows(Bundle.open(model))) == 16
    file.write_bytes(file.read_bytes().replace(b"warm", b"cold", 1))
    with pytest.raises(DataError, match="the rows have changed since the model was trained"):
        kept_test_rows(Bundle.open(model))


def test_a_label_the_model_does_not_know_is_named_with_its_line(trained: Path, tmp_path: Path) -> None:
    file = tmp_path / "new.csv"
    file.write_text("text,label\nwarm,good\ndull,awful\n")
    opened = Bundle.open(trained)
    with pytest.raises(DataError, match=r"new.csv:3: label 'awful' is none of the model's \(bad, good\)"):
        evaluate_predictor(Predictor(opened), labelled_rows(opened, str(file)))


def test_a_read_only_bundle_can_be_used(trained: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    for path in (*copy.iterdir(), copy):
        path.chmod(path.stat().st_mode & ~0o222)
    opened = Bundle.open(copy)
    assert evaluate_predictor(Predictor(opened), kept_test_rows(opened)).metrics.rows == 16


def test_data_that_is_gone_is_told_with_the_way_out(of_own_file: tuple[Path, Path]) -> None:
    model, file = of_own_file
    file.unlink()
    with pytest.raises(DataError, match=r"cannot be read again \(no such file.*; restore .* data=FILE"):
        kept_test_rows(Bundle.open(model))


def test_an_override_without_effect_is_refused(trained: Path, labelled_file: Path) -> None:
    opened = Bundle.open(trained)
    assert len(labelled_rows(opened, str(labelled_file), [*map(parse_override, ["data.text_column=text"])])) == 80
    with pytest.raises(ConfigError, match="--set data.source=x: has no effect here; use one of data.text_column"):
        labelled_rows(opened, str(labelled_file), [*map(parse_override, ["data.source=x"])])
