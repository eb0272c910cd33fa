"""`rnn check-model`: what it shows, writes and exits with."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.conftest import labelled_texts, write_csv

from .conftest import Rnn

NEW = [(f"{text} {row}", label) for row, (text, label) in enumerate(labelled_texts(["good", "bad"], 60))]


@pytest.fixture
def new(home: Path) -> str:
    write_csv(home / "new.csv", NEW)
    return "new.csv"


def gates(home: Path, text: str) -> str:
    (home / "gates.yaml").write_text(text, encoding="utf-8")
    return "gates.yaml"


def test_all_gates_pass(rnn: Rnn, newest: Path, home: Path, new: str) -> None:
    file = gates(home, "- accuracy >= 0.8 (lower bound)\n- f1[good] >= 0.9\n- size <= 20 MB\n")
    code, out, err = rnn("check-model", "--gate", file, "--data", new)
    assert (code, err) == (0, "")
    assert "Rows   60 rows of new.csv" in out
    assert [line.split()[:2] for line in out.splitlines() if line.startswith(("pass", "FAIL"))] == [
        ["pass", "accuracy"],
        ["pass", "f1[good]"],
        ["pass", "size"],
    ]


def test_a_gate_that_fails_ends_with_1_and_the_whole_table(rnn: Rnn, newest: Path, home: Path, new: str) -> None:
    file = gates(home, "- accuracy >= 0.8\n- {name: small, gate: size <= 1 KB}\n- rows >= 61\n")
    code, out, err = rnn("check-model", "--gate", file, "--data", new)
    assert code == 1
    assert err == "Error: 2 gates fail: small, rows >= 61\n"
    assert [line[:4] for line in out.splitlines() if line.startswith(("pass", "FAIL"))] == ["pass", "FAIL", "FAIL"]


def test_without_data_it_measures_on_the_own_test_rows(rnn: Rnn, newest: Path, home: Path) -> None:
    code, out, err = rnn("check-model", "--gate", gates(home, "- accuracy >= 0.1\n"), "--json")
    assert (code, err) == (0, "")
    told = json.loads(out)
    metrics = json.loads((newest / "metrics.json").read_text())["test"]
    assert (told["rows"], told["data"], told["passed"]) == (16, None, True)
    assert told["outcomes"][0]["value"] == metrics["accuracy"]


def test_rows_that_it_learned_from_are_left_out_and_counted(
    rnn: Rnn, newest: Path, home: Path, labelled_file: Path
) -> None:
    file = gates(home, "- accuracy >= 0.1\n")
    code, out, _ = rnn("check-model", "--gate", file, "--data", str(labelled_file))
    assert code == 0
    assert "The model learned from 64 of these 80 rows: they are left out" in out
    code, out, _ = rnn("check-model", "--gate", file, "--data", str(labelled_file), "--include-seen", "--json")
    assert (code, json.loads(out)["rows"]) == (0, 80)


def test_files_for_a_build_server(rnn: Rnn, newest: Path, home: Path, new: str) -> None:
    file = gates(home, "golden: golden.csv\ngates:\n  - accuracy >= 0.8\n")
    write_csv(home / "golden.csv", [("a warm lovely film", "good"), ("a dull and <b>\x0b tedious plot", "good")])
    words = ["check-model", "--gate", file, "--data", new, "--junit", "g.xml", "--markdown", "g.md"]
    code, out, err = rnn(*words)
    assert (code, err) == (1, "Error: 1 gate fails: golden golden.csv\n")
    assert "golden.csv:3: good expected, bad" in out
    suite = ElementTree.parse(home / "g.xml").getroot()
    assert (suite.attrib["tests"], suite.attrib["failures"]) == ("2", "1")
    assert "&lt;b&gt;" in (home / "g.md").read_text(encoding="utf-8")
    again = rnn(*words)
    assert again.code == 2 and again.err.startswith("Error: g.xml: exists; use --force to replace it")
    assert rnn(*words, "--force").code == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- acuracy >= 0.9\n", "gates.yaml:1:3: acuracy >= 0.9: no such figure: acuracy; did you mean accuracy?"),
        ("golden: none.csv\n", "none.csv: no such file"),
        ("- not worse than runs/none by more than 0.1\n", "runs/none: no such folder"),
        ("behaviour: none.yaml\ngates: [behaviour >= 0.5]\n", "none.yaml: cannot be read"),
    ],
)
def test_what_cannot_be_checked_ends_with_2_and_writes_nothing(
    text: str, told: str, rnn: Rnn, newest: Path, home: Path, new: str
) -> None:
    code, out, err = rnn("check-model", "--gate", gates(home, text), "--data", new, "--junit", "g.xml")
    assert (code, out) == (2, "")
    assert told in err
    assert not (home / "g.xml").exists()


def test_the_file_of_gates_is_never_replaced(rnn: Rnn, newest: Path, home: Path) -> None:
    file = gates(home, "- size <= 1 GB\n")
    code, _, err = rnn("check-model", "--gate", file, "--junit", file, "--force")
    assert (code, err) == (2, "Error: gates.yaml: is the input; choose another --junit\n")


def test_latency_needs_texts_of_any_kind(rnn: Rnn, newest: Path, home: Path) -> None:
    code, out, err = rnn("check-model", "--gate", gates(home, "- latency <= 1000 s\n"), "--json")
    assert (code, err) == (0, "")
    (found,) = json.loads(out)["outcomes"]
    assert 0 < found["value"] < 1000


def test_behaviour_tests_take_the_labels_that_are_named(rnn: Rnn, newest: Path, home: Path) -> None:
    file = gates(home, "labels: {positive: good, negative: bad}\ngates: [behaviour.plain_praise >= 0]\n")
    assert rnn("check-model", "--gate", file).code == 0
    code, _, err = rnn("check-model", "--gate", gates(home, "labels: {glad: good}\ngates: [behaviour >= 0]\n"))
    assert code == 2 and err.startswith("Error: no test expects the label glad")
    code, out, _ = rnn("check-model", "--gate", gates(home, "- behaviour.plain_praise >= 0\n"))
    assert code == 1
    assert "plain praise was not run, as the model has no label positive." in " ".join(out.split())


def test_a_model_of_several_labels(rnn: Rnn, trained_several: Path, home: Path, several_file: Path) -> None:
    file = gates(home, f"- micro_f1 >= 0.5\n- not worse than {trained_several} by more than 0.5 (paired)\n")
    code, out, err = rnn("check-model", "--model", str(trained_several), "--gate", file)
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("name", "figures"),
    [("measured_by_folds", ["accuracy", "macro_f1", "log_loss"]), ("several_by_folds", ["micro_f1", "exact_match"])],
    ids=["one", "several"],
)
def test_a_run_measured_by_folds_is_judged_by_their_rows(
    name: str, figures: list[str], rnn: Rnn, home: Path, request: pytest.FixtureRequest
) -> None:
    run = request.getfixturevalue(name)
    label = "good" if name == "measured_by_folds" else "bill"
    lines = [f"{figure} {'<= 9' if figure == 'log_loss' else '>= 0'}" for figure in figures]
    file = gates(home, "".join(f"- {line}\n" for line in [*lines, f"f1[{label}] >= 0", "rows >= 80"]))
    code, out, err = rnn("check-model", "--model", str(run), "--gate", file, "--json", "--markdown", "g.md")
    assert (code, err) == (0, "")
    told, kept = json.loads(out), json.loads((run / "metrics.json").read_text())["folds"]
    found = [each["value"] for each in told["outcomes"]]
    assert found == [*(kept[figure] for figure in figures), kept["per_class"][label]["f1"], kept["rows"]]
    assert found[-1] == told["rows"] and told["by_folds"]
    said = f"{kept['rows']} out-of-fold rows, predicted by models that had not seen them"
    assert f"Rows   {said}\n" in rnn("check-model", "--model", str(run), "--gate", file).out
    assert said in (home / "g.md").read_text().replace("\\", "")


def test_gates_without_rows_need_none(rnn: Rnn, home: Path, measured_by_folds: Path) -> None:
    file = gates(home, "- latency <= 1000 s\n- size <= 1 GB\n")
    code, out, err = rnn("check-model", "--model", str(measured_by_folds), "--gate", file)
    assert (code, err) == (0, "")
    assert "Rows" not in out
