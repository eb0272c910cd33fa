"""The light install: less than 350 MB, nothing that trains, the same answers; and an export needs less than that.

The slow tests install it, and the packages it needs, in fresh environments.
"""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.errors import EXTRAS
from tests.data.sheets import workbook

FULL = EXTRAS["train"].libraries
"""What a light install lacks."""

ROOT = Path(__file__).parent.parent
RNN = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]
MOST_MEGABYTES = 350

TEXTS = ["a warm and lovely film", "dull, tedious plot", "", "zzz", "👩‍👩‍👧 فيلم İ warm", "the " * 40 + "dull"]


def settings(folder: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / folder / "pyproject.toml").read_text(encoding="utf-8"))


def names(requirements: list[str]) -> set[str]:
    return {each.partition(">=")[0] for each in requirements}


def test_what_both_installs_say_is_written_alike() -> None:
    full, light = settings("."), settings("light")
    assert set(light["project"]["dependencies"]) < set(full["project"]["dependencies"])  # with their floors
    added = [each for each in full["project"]["dependencies"] if each not in light["project"]["dependencies"]]
    extras, ours = (each["project"]["optional-dependencies"] for each in (full, light))
    assert set(ours) == set(extras) - {"dev"} == set(EXTRAS)  # so each pip line is right in both
    assert ours["train"] == added
    for extra, packages in ours.items():  # what the full one has anyway need not be said again
        assert set(extras[extra]) == set(packages) - (set() if extras[extra] else set(added)), extra
    for key in ("name", "dynamic", "license", "requires-python", "scripts"):
        assert light["project"][key] == full["project"][key], key
    assert light["build-system"] == full["build-system"]
    assert light["tool"]["hatch"]["version"]["path"] == f"../{full['tool']['hatch']['version']['path']}"
    wheel, whole = (each["tool"]["hatch"]["build"]["targets"]["wheel"] for each in (light, full))
    inside = {f"../{file}": place for file, place in whole["force-include"].items()}
    assert wheel["force-include"] == {f"../{package}": package for package in whole["packages"]} | inside


def test_each_library_the_light_install_lacks_has_its_message() -> None:
    imported = {"scikit-learn": "sklearn", "mlflow-skinny": "mlflow"}
    of_extras = settings("light")["project"]["optional-dependencies"]
    for extra in set(of_extras) - {"train"}:
        found = {each.partition("[")[0] for each in names(of_extras[extra])}
        packages = {imported.get(each, each.replace("-", "_")) for each in found}
        assert packages == EXTRAS[extra].libraries
    elsewhere = {library for extra in set(EXTRAS) - {"train"} for library in EXTRAS[extra].libraries}
    full = {imported.get(name, name.replace("-", "_")) for name in names(of_extras["train"])}
    assert full - elsewhere == FULL


BLOCKED = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in sys.argv[1].split(","):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Missing())
from rnn_cli.cli.main import run
sys.exit(run(sys.argv[2:]))
"""


def without(libraries: set[str], *words: str, at: Path) -> tuple[int, str, str]:
    ended = subprocess.run(
        [sys.executable, "-c", BLOCKED, ",".join(libraries), *words], cwd=at, capture_output=True, text=True, timeout=60
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["train"],
        ["train", "--resume"],
        ["train", "quick", "--set", "data.source=sample"],
        ["data", "check", "reviews.csv"],
        ["init", "reviews.csv"],
        ["inspect", "gradients"],
    ],
)
def test_what_needs_the_full_install_says_so(
    words: list[str], trained: Path, labelled_file: Path, tmp_path: Path
) -> None:
    named = {"MODEL": str(trained), "reviews.csv": str(labelled_file)}
    code, out, err = without(FULL, *(named.get(word, word) for word in words), at=tmp_path)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert re.fullmatch(
        r"Error: training and checks of data need the library \w+, which is not installed; "
        r"pip install 'rnn-cli\[train\]'\n",
        err,
    )
    assert not list(tmp_path.iterdir())


def test_the_estimator_needs_scikit_learn_and_says_so() -> None:
    code = BLOCKED.replace("from rnn_cli.cli.main import run\nsys.exit(run(sys.argv[2:]))", "import rnn_cli\n") + (
        "try:\n    from rnn_cli import RNNClassifier\nexcept rnn_cli.Error as error:\n    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, ",".join(FULL)], capture_output=True, text=True, timeout=60)
    assert (ended.stdout, ended.stderr) == (
        "training and checks of data need the library sklearn, which is not installed; pip install 'rnn-cli[train]'\n",
        "",
    )


def test_training_from_python_needs_the_full_install_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,label\n" + "".join(f"warm {n},good\ndull {n},bad\n" for n in range(100)))
    code = BLOCKED.replace("from rnn_cli.cli.main import run\nsys.exit(run(sys.argv[2:]))", "import rnn_cli\n") + (
        "try:\n    rnn_cli.train('quick', 'rows.csv')\nexcept rnn_cli.Error as error:\n    print(error)\n"
    )
    words = [sys.executable, "-c", code, ",".join(FULL)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, cwd=tmp_path)
    assert re.fullmatch(
        r"training and checks of data need the library \w+, which is not installed; pip install 'rnn-cli\[train\]'\n",
        ended.stdout,
    ), ended.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


@pytest.mark.parametrize(
    "words",
    [
        ["neighbours", "warm"],
        ["embedding", "--out", "vectors"],
        ["model"],
        ["behaviour"],
        ["reading", "a warm film", "--out", "reading.svg"],
    ],
)
def test_looking_inside_needs_no_full_install(words: list[str], trained: Path, tmp_path: Path) -> None:
    code, out, err = without(FULL, "inspect", *words, "--model", str(trained), at=tmp_path)
    assert (code, err) == (0, "") and out


@pytest.mark.parametrize(
    ("library", "words"),
    [
        ("pyarrow", ["evaluate", "--data", "rows.parquet"]),
        ("pyarrow", ["evaluate", "--data", "s3://bucket/rows.csv"]),
        ("pyarrow", ["score", "texts.csv", "--output", "answers.parquet"]),
        ("pyarrow", ["score", "rows.parquet", "--output", "answers.csv"]),
        ("zstandard", ["evaluate", "--data", "rows.csv.zst"]),
        ("openpyxl", ["score", "rows.xlsx", "--output", "answers.csv"]),
        ("openpyxl", ["evaluate", "--data", "rows.xlsx"]),
        ("defusedxml", ["score", "rows.xlsx", "--output", "answers.csv"]),
        ("ray", ["score", "texts.csv", "--output", "answers/", "--engine", "ray"]),
        ("zstandard", ["score", "texts.csv", "--output", "answers.csv.zst"]),
        ("starlette", ["serve"]),
        ("uvicorn", ["serve", "--workers", "2"]),
        ("prometheus_client", ["serve"]),
        ("httptools", ["serve"]),
    ],
)
def test_what_needs_one_library_more_says_which(library: str, words: list[str], trained: Path, tmp_path: Path) -> None:
    (tmp_path / "texts.csv").write_text("text\na warm film\n")
    (tmp_path / "rows.parquet").write_bytes(b"PAR1")
    (tmp_path / "rows.csv.zst").write_bytes(b"\x28\xb5\x2f\xfd")
    (tmp_path / "rows.xlsx").write_bytes(workbook({"S": [("text", "label"), ("a warm film", "good")]}))
    before = {file.name for file in tmp_path.iterdir()}
    code, out, err = without({library}, *words, "--model", str(trained), at=tmp_path)
    assert (code, out) == (2, "")
    purpose, extra = {
        "pyarrow": ("Parquet files and URLs need", "parquet"),
        "zstandard": (".zst files need", "zstd"),
        "openpyxl": ("Excel workbooks need", "excel"),
        "defusedxml": ("Excel workbooks need", "excel"),
        "ray": ("--engine ray needs", "ray"),
        **dict.fromkeys(
            ("starlette", "uvicorn", "prometheus_client", "httptools"), ("rnn serve and rnn label --page need", "serve")
        ),
    }[library]
    told = f"{purpose} the library {library}, which is not installed; pip install 'rnn-cli[{extra}]'"
    assert err == f"Error: {told}\n"
    assert {file.name for file in tmp_path.iterdir()} == before


def test_drift_needs_no_full_install(trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    code, out, err = without(FULL, "drift", "--model", str(trained), str(labelled_file), at=tmp_path)
    assert (code, err) == (0, "") and "words, all together" in out and "language" not in out


def test_a_library_that_is_broken_is_not_called_missing(trained: Path, tmp_path: Path) -> None:
    code, _, err = without({"onnxruntime"}, "predict", "--model", str(trained), "warm", at=tmp_path)
    assert code == 1
    assert "this is a fault of rnn" in err


def installed(home: Path, *requirements: str) -> Path:
    """A fresh environment with these installed, pip included."""
    subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, timeout=120)
    pip = [str(home / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *requirements], check=True, timeout=600, cwd=ROOT)
    return home


def megabytes(folder: Path) -> float:
    """What the folder takes on the disk."""
    return sum(file.lstat().st_blocks * 512 for file in folder.rglob("*")) / 2**20


def output(command: list[str], at: Path, *, stdin: str = "", alone: bool = True) -> str:
    """What a command prints; alone, it sees no packages but its own environment's."""
    kept = {key: value for key, value in os.environ.items() if not (alone and key.startswith("PYTHON"))}
    ended = subprocess.run(command, cwd=at, env=kept, input=stdin, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def assert_alike(ours: str, theirs: str) -> None:
    """The same text but for the last digits of its numbers, since the environments' releases may differ."""
    number = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
    assert number.sub("#", ours) == number.sub("#", theirs)
    found, expected = (list(map(float, number.findall(text))) for text in (ours, theirs))
    assert found == pytest.approx(expected, rel=1e-5, abs=2e-6)


@pytest.fixture(scope="module")
def light(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return installed(tmp_path_factory.mktemp("light") / "venv", "./light")


@pytest.mark.slow
def test_the_light_install_is_small_and_has_nothing_that_trains(light: Path) -> None:
    assert megabytes(light) < MOST_MEGABYTES
    full, few = (names(settings(folder)["project"]["dependencies"]) for folder in (".", "light"))
    found = distributions(light)
    assert {"tensorflow", "keras"} <= full - few
    assert not found & (full - few)
    assert found >= few | {"rnn-cli", "pip"}
    output([str(light / "bin" / "pip"), "check"], light)


def distributions(home: Path) -> set[str]:
    listed = json.loads(output([str(home / "bin" / "pip"), "list", "--format", "json"], home))
    return {each["name"].lower() for each in listed}


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ["predict", "--format", "plain", "--proba", *TEXTS],
        ["predict", "--format", "csv", *TEXTS],
        ["predict", "--explain", "--format", "jsonl", *TEXTS],
        ["score", "reviews.csv", "--output", "answers.jsonl.gz", "--prefix", "predicted_"],
        ["evaluate", "--json"],
        ["evaluate", "--data", "reviews.csv", "--by", "length"],
        ["evaluate", "--data", "reviews.csv", "--goal", "f1"],
        ["evaluate", "--data", "reviews.csv", "--report", "report.html", "--plots", "charts"],
        ["inspect", "tokens", "--json", *TEXTS],
        ["inspect", "model", "--json"],
        ["inspect", "behaviour", "--json"],
        ["inspect", "reading", "--json", TEXTS[0]],
        ["data", "list"],
        ["config", "schema"],
    ],
    ids=lambda words: " ".join(words[:4]),
)
def test_the_light_install_answers_as_the_full_one(
    words: list[str], light: Path, trained: Path, labelled_file: Path, tmp_path: Path
) -> None:
    words = [str(labelled_file) if word == "reviews.csv" else word for word in words]
    words += ["--model", str(trained)] if words[0] not in ("data", "config") else []
    ours, theirs = (tmp_path / name for name in ("light", "full"))
    for folder in (ours, theirs):
        folder.mkdir()
    found = output([str(light / "bin" / "rnn"), *words], ours)
    assert_alike(found, output([*RNN, *words], theirs, alone=False))
    written = [sorted(str(file.relative_to(at)) for file in at.rglob("*")) for at in (ours, theirs)]
    assert written[0] == written[1]
    assert ("report.html" in written[0]) == ("--report" in words)


@pytest.mark.slow
def test_the_light_install_compares_models(light: Path, trained: Path, labelled_file: Path, tmp_path: Path) -> None:
    words = ["compare", "--data", str(labelled_file), str(trained), str(trained), "--json"]
    found = output([str(light / "bin" / "rnn"), *words], tmp_path)
    assert_alike(found, output([*RNN, *words], tmp_path, alone=False))


@pytest.mark.slow
def test_an_export_of_the_light_install_needs_numpy_and_onnxruntime_only(
    light: Path, trained: Path, tmp_path: Path
) -> None:
    bare = installed(tmp_path / "venv", "numpy", "onnxruntime")
    assert not distributions(bare) & {"rnn-cli", "click", "pydantic", "tensorflow", "keras"}
    output([str(light / "bin" / "rnn"), "export", "--model", str(trained), "--to", "classifier"], tmp_path)
    lines = "\n".join(TEXTS)
    found = output([str(bare / "bin" / "python"), "classifier/predict.py"], tmp_path, stdin=lines)
    expected = output(
        [*RNN, "predict", "--format", "plain", "--model", str(trained)], tmp_path, stdin=lines, alone=False
    )
    assert_alike(found, expected)
    assert len(found.splitlines()) == len(TEXTS)
    asked = "from predict import predict; print(predict(['warm'])[0]['label'])"
    assert output([str(bare / "bin" / "python"), "-c", asked], tmp_path / "classifier") == "good\n"
