"""The proposed config: fit for its file, loadable as written, and trainable."""

import csv
import json
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rnn_cli.checks import word_pieces
from rnn_cli.checks.suggest_config import commented_yaml, propose
from rnn_cli.checks.word_pieces import ALL_WORDS, PIECES
from rnn_cli.config.load import load_config, parse_config, parse_override, recipes
from rnn_cli.config.schema import FEW_STEPS, EarlyStopping, TeacherConfig
from rnn_cli.data.source import load_rows
from rnn_cli.errors import DataError
from rnn_cli.training.encoding import epoch_steps


def write(file: Path, texts: list[str], labels: list[str], head: tuple[str, str] = ("text", "label")) -> str:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *zip(texts, labels, strict=True)])
    return str(file)


def texts(rows: int, words: int) -> list[str]:
    chance = random.Random(1)
    return [" ".join(chance.choices([f"w{number}" for number in range(200)], k=words)) for _ in range(rows)]


@pytest.mark.parametrize(
    ("rows", "words", "recipe"), [(60, 10, "quick"), (1200, 10, "short-text"), (1200, 150, "default")]
)
def test_the_recipe_suits_rows_and_lengths(rows: int, words: int, recipe: str, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(rows, words), ["a", "b"] * (rows // 2))
    proposal = propose(file)
    assert proposal.recipe == recipe
    assert proposal.config.tokenizer.max_length >= words
    recipes_own = load_config(recipe).model
    assert proposal.config.model == recipes_own.model_copy(update={"char_ngrams": PIECES})


def test_many_or_long_texts_learn_from_words_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(word_pieces, "MOST_TOKENS_IN_PIECES", 1_000 * 150 - 1)
    config = propose(write(tmp_path / "rows.csv", texts(1_000, 150), ["a", "b"] * 500)).config
    assert config.model == load_config("default").model


def test_with_pieces_words_that_occur_once_are_known_where_rows_are_few(tmp_path: Path) -> None:
    sizes = {}
    for rows in 1_200, 6_000:
        config = propose(write(tmp_path / "rows.csv", texts(rows, 10), ["a", "b"] * (rows // 2))).config
        assert config.model.char_ngrams == PIECES
        sizes[rows] = config.tokenizer.vocab_size
    assert sizes[1_200] == ALL_WORDS > sizes[6_000]


def test_spellings_of_one_label_are_told(tmp_path: Path) -> None:
    found = propose(write(tmp_path / "rows.csv", texts(60, 9), ["a", "b"] * 25 + ["a ", "b"] * 5)).found
    assert any("1 label looks like another spelling of one: 'a ' for 'a'" in line for line in found)
    assert not any(
        "spelling" in line for line in propose(write(tmp_path / "r.csv", texts(60, 9), ["a", "b"] * 30)).found
    )


@pytest.mark.parametrize("rows", [20, 60, 160, 400, 900, 1000, 1200, 2000, 5000])
@pytest.mark.parametrize("words", [10, 150])
def test_no_config_trains_in_too_few_steps(rows: int, words: int, tmp_path: Path) -> None:
    config = propose(
        write(tmp_path / "rows.csv", texts(rows, words), ["a", "b"] * (rows // 2)), may_build_on_base=False
    ).config
    share = 0.6 if rows < 1000 else 0.8
    least = 1.5 * FEW_STEPS if rows < 1000 else 450
    assert epoch_steps(int(rows * share), config.training.batch_size) * config.training.epochs >= least


def test_with_rows_enough_the_training_is_the_recipes(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(18_200, 10), ["a", "b"] * 9_100)
    assert propose(file, may_build_on_base=False).config.training == load_config("short-text").training


def test_more_labels_take_more_steps(tmp_path: Path) -> None:
    labels = [str(row % 40) for row in range(4000)]
    training = propose(write(tmp_path / "rows.csv", texts(4000, 10), labels)).config.training
    assert 1_500 <= epoch_steps(3200, training.batch_size) * training.epochs <= 2_500


def test_a_share_for_the_test_leaves_fewer_rows_and_steps_enough(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(3000, 10), ["a", "b"] * 1500)
    training = propose(file, [parse_override("data.test=0.8")]).config.training
    assert epoch_steps(int(3000 * 0.1), training.batch_size) * training.epochs >= 1.5 * FEW_STEPS


def test_characters_are_read_where_there_are_no_spaces(tmp_path: Path) -> None:
    chance = random.Random(1)
    rows = ["".join(chance.choices("日本語映画面白退屈俳優音楽", k=20)) for _ in range(40)]
    proposal = propose(write(tmp_path / "rows.csv", rows, ["a", "b"] * 20))
    assert (proposal.recipe, proposal.config.tokenizer.level) == ("char", "char")


def test_characters_are_read_where_words_do_not_come_again(tmp_path: Path) -> None:
    rows = [f"x{number}y z{number}q" for number in range(40)]
    assert propose(write(tmp_path / "rows.csv", rows, ["a", "b"] * 20)).recipe == "char"


@pytest.mark.parametrize(
    ("labels", "positive"),
    [
        (["pos", "zero"], "pos"),
        (["ham", "spam"], "spam"),
        (["0", "1"], "1"),
        (["no", "off"], "off"),
        (list("abc"), None),
    ],
)
def test_the_written_config_is_the_one_proposed(labels: list[str], positive: str | None, tmp_path: Path) -> None:
    rows = 30 * len(labels)
    file = write(tmp_path / "my: #file.csv", texts(rows, 8), labels * 30, head=("remarks", "the class"))
    given = ["data.text_column=remarks", "data.label_column=the class"]
    proposal = propose(file, [*map(parse_override, given)])
    config = tmp_path / "config.yaml"
    config.write_text(commented_yaml(proposal), encoding="utf-8")
    assert load_config(str(config)) == proposal.config
    assert None not in yaml.safe_load(config.read_text(encoding="utf-8")).values()  # no section without a key
    assert (proposal.config.data.source, proposal.config.data.text_column) == (file, "remarks")
    assert (proposal.config.data.label_column, proposal.config.data.positive_label) == ("the class", positive)


def test_columns_that_were_found_are_named(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [
        json.dumps({"id": 1, "Review": text, "Stars": 1, "sentiment": "ab"[at % 2]})
        for at, text in enumerate(texts(60, 9))
    ]
    file.write_text("\n".join(lines), encoding="utf-8")
    data = propose(str(file)).config.data
    assert (data.text_column, data.label_column) == ("Review", "sentiment")


def test_labels_may_hold_anything(tmp_path: Path) -> None:
    names = ["a\nb", "\x85\x07", "c: # d"]
    file = write(tmp_path / "rows.csv", texts(60, 8), names * 20)
    assert "labels:" in commented_yaml(propose(file))


def test_imbalance_is_a_hint_and_no_change(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(100, 8), ["a"] * 90 + ["b"] * 10)
    proposal = propose(file)
    assert proposal.config.training.class_weight is None
    assert "# class_weight: balanced" in commented_yaml(proposal)


def test_a_file_called_like_a_recipe_is_not_the_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    quick = load_config("quick")
    for name in recipes():
        Path(name).write_text("training: {early_stopping: {patience: 9}, epochs: 77}")
    proposal = propose(write(tmp_path / "rows.csv", texts(60, 8), ["a", "b"] * 30))
    assert (
        proposal.config.model.units == quick.model.units and proposal.config.training.early_stopping == EarlyStopping()
    )


def test_keys_of_a_section_in_a_section_are_written_too(tmp_path: Path) -> None:
    proposal = propose(write(tmp_path / "rows.csv", texts(60, 8), ["a", "b"] * 30))
    training = proposal.config.training
    for stopping in (EarlyStopping(patience=9), None):
        changed = {"training": training.model_copy(update={"early_stopping": stopping})}
        other = replace(proposal, config=proposal.config.model_copy(update=changed))
        assert parse_config(commented_yaml(other), "f.yaml") == other.config


@pytest.mark.parametrize("key", ["data.validation", " data. test "])
@pytest.mark.parametrize("share", ["0.85", ".3"])
def test_a_share_that_is_given_leaves_rows_to_train_on(key: str, share: str, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(600, 8), ["a", "b"] * 300)
    proposal = propose(file, [*map(parse_override, [f"{key}={share}"])])
    data = parse_config(commented_yaml(proposal), "f.yaml").data
    assert data == proposal.config.data
    given, other = (data.validation, data.test)[:: 1 if "validation" in key else -1]
    assert given == float(share) and given + other < 0.95


@pytest.mark.parametrize(
    ("head", "labels", "told"),
    [
        (("words", "label"), ["a", "b"], "columns: 'words', 'label'"),
        (("text", "label"), ["a", "a"], "every row has the label 'a'"),
        (("text", "label"), None, "60 different labels in 60 rows"),
    ],
)
def test_what_suits_no_training_is_refused(
    head: tuple[str, str], labels: list[str] | None, told: str, tmp_path: Path
) -> None:
    each = labels * 30 if labels else [str(number) for number in range(60)]
    with pytest.raises(DataError, match=told):
        propose(write(tmp_path / "rows.csv", texts(60, 8), each, head))


@pytest.mark.parametrize(
    ("name", "content", "how"),
    [
        ("f.csv", "text;label\n" + "{};{}\n" * 40, {"delimiter": ";"}),
        ("f.tsv", "text\tlabel\n" + '"well" {}\t{}\n' * 40, {"quoting": "none"}),
        ("f.csv", "{},{}\n" * 40, {"header": False}),
        ("f.csv", "text,label\n" + "caf\u00e9 {},{}\n" * 40, {"encoding": "utf-16"}),
    ],
)
def test_the_config_says_how_the_file_was_read(name: str, content: str, how: dict[str, object], tmp_path: Path) -> None:
    pairs = [part for row in range(40) for part in (f"some text {row}", "ab"[row % 2])]
    file = tmp_path / name
    file.write_text(content.format(*pairs), encoding=str(how.get("encoding", "utf-8")))
    named = ["data.header=false", "data.text_column=1", "data.label_column=2"] if "header" in how else []
    proposal = propose(str(file), [*map(parse_override, named)])
    config = parse_config(commented_yaml(proposal), "config.yaml")
    assert {key: getattr(config.data, key) for key in how} == how
    again = load_rows(str(file), config.data)
    assert again.fingerprint() == proposal.dataset.fingerprint() and len(again) == 40
    assert not again.notes


def built_in(name: str, step: int = 1) -> tuple[list[str], list[str]]:
    """Texts and labels of a built-in set, or every so many of them."""
    rows = load_rows(name, load_config("quick").data)
    return list(rows.texts)[::step], list(rows.labels)[::step]


def test_few_opinions_build_on_the_general_model_where_it_pays(tmp_path: Path) -> None:
    opinions, labels = built_in("sample")
    file = write(tmp_path / "rows.csv", opinions, labels)
    proposal = propose(file)
    assert proposal.recipe == "few-labels" and proposal.config.model.base == "general"
    assert any("right on the base general" in line and "the config builds on it" in line for line in proposal.found)
    written = commented_yaml(proposal)
    assert parse_config(written, "f.yaml") == proposal.config and "base: general" in written
    assert propose(file, may_build_on_base=False).recipe == "quick"


def test_the_figures_are_said_where_a_base_does_not_pay(tmp_path: Path) -> None:
    proposal = propose(write(tmp_path / "rows.csv", texts(60, 8), ["a", "b"] * 30))
    assert proposal.config.model.base is None
    assert any("no clear gain, so no base is used" in line for line in proposal.found)


def test_of_many_rows_a_sample_is_tried_and_only_a_clear_gain_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path / "rows.csv", *built_in("sample"))
    monkeypatch.setattr("rnn_cli.checks.suggest_config.ROWS_TO_TRY", 150)
    proposal = propose(file)
    assert proposal.config.model.base == "general"
    assert any(line.startswith("Cross-validated on 150 rows in ") for line in proposal.found)
    monkeypatch.setattr("rnn_cli.checks.suggest_config.CLEAR_GAIN", 0.9)
    proposal = propose(file)
    assert proposal.config.model.base is None
    assert any("210 rows teach a network of their own as much" in line for line in proposal.found)
    monkeypatch.setattr("rnn_cli.checks.suggest_config.MOST_ROWS_ON_BASE", 299)
    assert not any("general" in line for line in propose(file).found)


def test_rows_that_the_general_model_learned_from_say_nothing_of_it(tmp_path: Path) -> None:
    sentences, labels = built_in("templates", 90)
    proposal = propose(write(tmp_path / "rows.csv", sentences, labels))
    assert proposal.config.model.base is None
    assert "The model general has learned from all training rows, so it is not tried as a base." in proposal.found


def test_so_few_rows_are_new_to_the_general_model(tmp_path: Path) -> None:
    sentences, labels = built_in("templates", 60)
    file = write(tmp_path / "rows.csv", sentences + texts(12, 8), labels + ["a", "b"] * 6)
    (line,) = [line for line in propose(file).found if "to try it as a base" in line]
    assert re.fullmatch(
        r"Only \d+ of \d+ training rows are new to the model general: too few to try it as a base.", line
    )


def test_many_labels_are_not_tried_on_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(tmp_path / "rows.csv", texts(60, 8), ["a", "b"] * 30)
    monkeypatch.setattr("rnn_cli.checks.suggest_config.MOST_TO_TRY", 119)
    (line,) = [line for line in propose(file).found if "would take long to try" in line]
    assert line.startswith("2 labels of 60 rows ")
    monkeypatch.setattr("rnn_cli.checks.suggest_config.MOST_TO_TRY", 120)
    assert not any("would take long to try" in line for line in propose(file).found)


def test_one_row_repeats(tmp_path: Path) -> None:
    rows = texts(30, 8)
    found = propose(write(tmp_path / "rows.csv", [*rows, rows[0]], [*["a", "b"] * 15, "a"])).found
    assert any(line.startswith("1 row repeats an earlier text;") for line in found)


def test_texts_without_labels_have_a_teacher_and_the_recipes_vocabulary(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(120, 9), ["a", "b"] * 60)
    proposal = propose(file, [parse_override("data.unlabelled=more.txt")])
    assert proposal.recipe == "short-text" and proposal.config.model.base is None
    training = load_config("short-text").training.model_copy(update={"teacher": TeacherConfig()})
    assert proposal.config.training == training
    assert proposal.config.tokenizer == load_config("short-text").tokenizer
    asked = [parse_override("data.unlabelled=more.txt"), parse_override("data.transductive=true")]
    assert propose(file, asked).config.data.transductive
    assert "teacher: " in commented_yaml(proposal) and "unlabelled: more.txt" in commented_yaml(proposal)


def test_texts_of_several_labels_have_no_teacher_and_it_says_so(tmp_path: Path) -> None:
    file = write(tmp_path / "rows.csv", texts(120, 9), ['["a"]', '["a", "b"]', "[]", '["b"]'] * 30)
    proposal = propose(file, [parse_override("data.unlabelled=more.txt")])
    assert proposal.config.data.several and proposal.config.training.teacher is None
    assert any(line.startswith("The unlabelled texts serve the vocabulary") for line in proposal.found)
