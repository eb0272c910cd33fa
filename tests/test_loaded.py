"""Which libraries a command may have loaded when it ends: what makes it start at once."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.data.sheets import workbook

ENDED = """
import sys
from rnn_cli.cli.main import run
code = run(sys.argv[1:])
sys.stdout.flush()
print(code, *{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)
"""

NETWORK = {"tensorflow", "keras", "onnx", "numba"}
MEASURING = {"pandas", "sklearn", "scipy", "matplotlib", "jinja2", "pyarrow", "py3langid"}
CONFIG = {"pydantic", "yaml"}
SCORING = {"numpy", "onnxruntime"}


def loaded(folder: Path, *words: str) -> tuple[int, set[str]]:
    """The exit code of a command line run in `folder`, and the libraries it loaded."""
    ended = subprocess.run(
        [sys.executable, "-c", ENDED, *words], cwd=folder, capture_output=True, text=True, timeout=60
    )
    code, *names = ended.stderr.splitlines()[-1].split()
    return int(code), set(names)


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["init", "--help"],
        ["label", "--help"],
        ["label", "start", "--help"],
        ["data", "check", "--help"],
        ["train", "--help"],
        ["tune", "--help"],
        ["compare", "--help"],
        ["check-model", "--help"],
        ["drift", "--help"],
        ["predict", "--help"],
        ["score", "--help"],
        ["serve", "--help"],
        ["export", "--help"],
        ["inspect", "gradients", "--help"],
        ["inspect", "reading", "--help"],
        ["inspect", "behaviour", "--help"],
    ],
)
def test_help_loads_nothing_but_click(words: list[str], tmp_path: Path) -> None:
    _, names = loaded(tmp_path, *words)
    assert not names & (NETWORK | MEASURING | CONFIG | SCORING | {"rich", "zstandard"})


@pytest.mark.parametrize(
    "words", [["config", "list"], ["config", "keys"], ["config", "show", "quick"], ["config", "schema"]]
)
def test_config_loads_nothing_that_computes(words: list[str], tmp_path: Path) -> None:
    code, names = loaded(tmp_path, *words)
    assert code == 0
    assert not names & (NETWORK | MEASURING | SCORING)


def test_data_list_loads_nothing_that_computes(tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "data", "list")
    assert code == 0
    assert not names & (NETWORK | MEASURING | SCORING)


@pytest.mark.parametrize(
    ("words", "unneeded"), [(["data", "check"], {"onnxruntime"}), (["init"], {"sklearn.metrics", "pandas"})]
)
def test_what_looks_at_data_loads_no_tensorflow(
    words: list[str], unneeded: set[str], labelled_file: Path, tmp_path: Path
) -> None:
    code, names = loaded(tmp_path, *words, str(labelled_file))
    assert code == 0
    assert not names & (NETWORK | {"matplotlib"} | unneeded)


def test_how_far_labelling_is_loads_nothing_that_learns(tmp_path: Path) -> None:
    log = '{"format": 1, "source": "a.csv", "rows": 2, "fingerprint": "", "labels": ["x", "y"]}\n'
    (tmp_path / "a.csv.labels.jsonl").write_text(log + '{"do": "label", "row": 0, "label": "x", "guess": "x"}\n')
    code, names = loaded(tmp_path, "label", "status", "a.csv")
    assert code == 0
    assert not names & (NETWORK | MEASURING | CONFIG | {"onnxruntime"})


def test_findings_in_the_way_are_told_before_anything_loads(labelled_file: Path, tmp_path: Path) -> None:
    (tmp_path / "found.csv").write_text("mine")
    code, names = loaded(tmp_path, "data", "check", str(labelled_file), "--out", "found.csv")
    assert code == 2
    assert not names & (NETWORK | MEASURING | CONFIG | SCORING)


@pytest.mark.parametrize("style", ["human", "jsonl", "csv", "tsv", "plain"])
def test_predict_loads_only_what_scores(style: str, trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "predict", "--model", str(trained), "--format", style, "a warm film")
    assert code == 0
    assert names >= SCORING
    assert not names & (NETWORK | MEASURING | CONFIG)


def test_predict_in_8_bits_loads_only_what_scores(trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "predict", "--model", str(trained), "--precision", "int8", "a warm film")
    assert code == 0
    assert names >= SCORING
    assert not names & (NETWORK | MEASURING | CONFIG)


@pytest.mark.parametrize("output", ["out.csv.gz", "out.jsonl", "out/"])
def test_scoring_files_of_text_loads_only_what_scores(
    output: str, trained: Path, labelled_file: Path, tmp_path: Path
) -> None:
    words = ["score", "--model", str(trained), str(labelled_file), "--prefix", "p_", "--output", output]
    code, names = loaded(tmp_path, *words)
    assert code == 0
    assert names >= SCORING
    assert not names & (NETWORK | MEASURING | {"ray", "fsspec"})


def test_scoring_parquet_loads_pyarrow_too(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    words = ["score", "--model", str(trained), "--prefix", "p_"]
    code, names = loaded(tmp_path, *words, str(labelled_file), "--output", "in.parquet")
    assert code == 0 and "pyarrow" in names
    code, also = loaded(tmp_path, *words, "--prefix", "q_", "in.parquet", "--output", "out.csv")
    assert code == 0
    # pyarrow itself loads pandas, where it is installed, to make an array of a list.
    assert not (names | also) & (NETWORK | (MEASURING - {"pyarrow", "pandas"}) | {"ray", "fsspec"})


def test_only_a_workbook_loads_what_reads_workbooks(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    (tmp_path / "in.xlsx").write_bytes(workbook({"S": [("text", "label"), ("a warm film", "good"), ("dull", "bad")]}))
    words = ["score", "--model", str(trained), "--prefix", "p_", "--format", "csv"]
    for file, is_loaded in ((str(labelled_file), False), ("in.xlsx", True)):
        code, names = loaded(tmp_path, *words, file)
        assert code == 0
        assert names & {"openpyxl", "defusedxml"} == ({"openpyxl", "defusedxml"} if is_loaded else set())
        assert not names & (NETWORK | MEASURING - {"pandas"} | {"ray", "fsspec"})


@pytest.mark.parametrize("words", [["none.csv"], ["x.csv", "--resume"], ["x.csv", "--output", "x.csv"]])
def test_mistakes_in_files_are_told_before_the_model_loads(words: list[str], trained: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("text\nwarm\n")
    code, names = loaded(tmp_path, "score", "--model", str(trained), *words)
    assert code == 2
    assert not names & (NETWORK | MEASURING | ({"onnxruntime"} if "none.csv" not in words else set()))


def test_a_server_that_scores_no_files_loads_only_what_scores(trained: Path, tmp_path: Path) -> None:
    made = """
import sys
from rnn_cli.serving import server
from rnn_cli.serving.app import create_app
from rnn_cli.serving.settings import ServerSettings
create_app(ServerSettings((("default", sys.argv[1]),)), print)
print(*{name.partition('.')[0] for name in sys.modules})
"""
    command = [sys.executable, "-c", made, str(trained)]
    names = set(subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split())
    assert names >= SCORING | {"starlette", "uvicorn"}
    assert not names & (NETWORK | MEASURING | CONFIG)


@pytest.mark.parametrize("style", ["human", "jsonl"])
def test_explaining_loads_only_what_scores(style: str, trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "predict", "--model", str(trained), "--explain", "--format", style, "a warm film")
    assert code == 0
    assert names >= SCORING
    assert not names & (NETWORK | MEASURING | CONFIG)


def test_exporting_loads_what_scores_and_reads_a_config(trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "export", "--model", str(trained), "--to", "classifier")
    assert code == 0
    assert not names & (NETWORK | MEASURING - {"jinja2"})


def test_a_folder_in_the_way_of_an_export_is_told_before_anything_loads(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "classifier").mkdir()
    code, names = loaded(tmp_path, "export", "--model", str(trained), "--to", "classifier")
    assert code == 2
    assert not names & (NETWORK | MEASURING | CONFIG | SCORING)


def test_evaluate_loads_only_what_scores_and_reads(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    assert labelled_file.exists()
    code, names = loaded(tmp_path, "evaluate", "--model", str(trained))
    assert code == 0
    assert not names & (NETWORK | MEASURING)


def test_gates_load_only_what_scores_and_reads(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    lines = ["accuracy >= 0", "behaviour >= 0", f"not worse than {trained} by more than 0", "latency <= 100 s"]
    (tmp_path / "gates.yaml").write_text("labels: {positive: good, negative: bad}\ngates:\n")
    with (tmp_path / "gates.yaml").open("a") as file:
        file.writelines(f"  - {line}\n" for line in lines)
    code, names = loaded(tmp_path, "check-model", "--model", str(trained), "--gate", "gates.yaml", "--junit", "g.xml")
    assert code == 0
    assert not names & (NETWORK | MEASURING)


def test_drift_loads_only_what_scores_reads_and_tells_languages(
    trained: Path, labelled_file: Path, tmp_path: Path
) -> None:
    code, names = loaded(tmp_path, "drift", "--model", str(trained), str(labelled_file))
    assert code == 0
    assert not names & (NETWORK | MEASURING - {"py3langid"})


def test_a_report_loads_what_draws_besides(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    assert labelled_file.exists()
    code, names = loaded(tmp_path, "evaluate", "--model", str(trained), "--report", "report.html", "--plots", "charts")
    assert code == 0
    assert names >= {"matplotlib", "jinja2"}
    assert not names & (NETWORK | MEASURING - {"matplotlib", "jinja2"})


def test_a_report_in_the_way_is_told_before_anything_loads(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    code, names = loaded(tmp_path, "evaluate", "--model", str(trained), "--report", "report.html", "--force")
    assert code == 2
    assert not names & (NETWORK | MEASURING | CONFIG | SCORING)


def test_compare_loads_what_scores_only_to_score(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "compare", str(trained), str(trained))
    assert code == 0
    assert not names & (NETWORK | MEASURING | {"onnxruntime"})
    code, names = loaded(tmp_path, "compare", "--data", str(labelled_file), str(trained), str(trained))
    assert code == 0
    assert not names & (NETWORK | MEASURING)


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_inspect_tokens_loads_less_than_predict(words: list[str], trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "inspect", "tokens", "--model", str(trained), *words, "a warm film")
    assert code == 0
    assert not names & (NETWORK | MEASURING | CONFIG | {"onnxruntime"})


@pytest.mark.parametrize(
    "words", [["model"], ["model", "--json"], ["reading", "a warm film"], ["behaviour"], ["behaviour", "--json"]]
)
def test_inspect_reads_a_model_without_tensorflow(words: list[str], trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "inspect", *words, "--model", str(trained))
    assert code == 0
    assert not names & (NETWORK | MEASURING)


@pytest.mark.parametrize("words", [["neighbours", "warm"], ["embedding", "--out", "projector"]])
def test_inspect_reads_vectors_without_tensorflow(words: list[str], trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "inspect", *words, "--model", str(trained))
    assert code == 0
    assert not names & (NETWORK | MEASURING | CONFIG | {"onnxruntime"})


@pytest.mark.parametrize(
    "words", [["--set", "training.epohcs=2"], ["--set", "data.source=none.csv"], ["--out", "no/chart.png"]]
)
def test_inspect_gradients_tells_mistakes_before_tensorflow_loads(words: list[str], tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "inspect", "gradients", *words)
    assert code == 2
    assert not names & NETWORK


def test_a_config_mistake_is_told_before_tensorflow_loads(tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "train", "quick", "--set", "training.epohcs=2")
    assert code == 2
    assert not names & (NETWORK | MEASURING | SCORING)


@pytest.mark.parametrize("words", [["--from", "MODEL", "--set", "tokenizer.max_length=7"], ["--resume", "MODEL"]])
def test_a_mistake_in_going_on_is_told_before_tensorflow_loads(words: list[str], trained: Path, tmp_path: Path) -> None:
    code, names = loaded(tmp_path, "train", *(str(trained) if word == "MODEL" else word for word in words))
    assert code == 2
    assert not names & NETWORK - {"onnx"}


def test_what_checkpoints_and_further_training_need_loads_no_tensorflow() -> None:
    found = "import sys, rnn_cli.training.finetune; print('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", found], capture_output=True, text=True).stdout == "False\n"


@pytest.mark.parametrize("words", [["runs"], ["runs", "--json"], ["runs", "rm", "--force", "quick-1"]])
def test_runs_are_listed_and_removed_without_what_computes(words: list[str], trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "runs" / "quick-1")
    code, names = loaded(tmp_path, *words)
    assert code == 0
    assert not names & (NETWORK | MEASURING | SCORING)


def test_a_folder_in_the_way_is_told_before_tensorflow_loads(trained: Path, tmp_path: Path) -> None:
    shutil.copytree(trained, tmp_path / "model")
    code, names = loaded(tmp_path, "train", "quick", "--out", "model")
    assert code == 2
    assert not names & (NETWORK | MEASURING | SCORING)
