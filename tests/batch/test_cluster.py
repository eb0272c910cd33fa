"""`--engine ray`: the same bytes as the local engine's, whoever of the workers dies on the way."""

import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rnn_cli.batch.job import Job
from rnn_cli.scoring.predictor import Predictor
from rnn_cli.telemetry import NO_TELEMETRY

pytest.importorskip("ray")

from .conftest import write_table

COMMAND = [sys.executable, "-c", "from rnn_cli.cli.main import main; main()"]
# Ray's workers are processes of their own, so what is changed for a test is changed where Python starts.
CHANGED = """
import os, sys
if any("default_worker" in word or "rnn_cli" in word for word in sys.orig_argv):
    import json, time
    from rnn_cli.batch import to_folder as writing, windows
    windows.BLOCK_ROWS = 100
    write_part = writing.write_part
    def slowly(*arguments, **how):
        if folder := os.environ.get("SETTINGS_TO"):
            with open(f"{folder}/{os.getpid()}.json", "w") as file:
                json.dump(dict(os.environ), file)
        time.sleep(float(os.environ.get("SECONDS_A_PART", 0)))
        return write_part(*arguments, **how)
    writing.write_part = slowly
"""
ROWS = 4_000
PIPES: dict[str, Any] = {"text": True, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


def slowly() -> dict[str, str]:
    return os.environ | {"SECONDS_A_PART": "0.1"}


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


GOES_ON = re.compile(r" (so far|left)\b")
"""What a line has that only says how far a job is."""


@pytest.fixture(scope="module", autouse=True)
def changed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    folder = tmp_path_factory.mktemp("changed")
    (folder / "sitecustomize.py").write_text(CHANGED)
    with pytest.MonkeyPatch.context() as patch:
        path = os.environ.get("PYTHONPATH", "")
        patch.setenv("PYTHONPATH", os.pathsep.join([str(folder), *filter(None, [path])]))
        yield


def run(trained: Path, *words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    line = [*COMMAND, "score", "--model", str(trained), *words]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, **more)


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files of every format, with bad rows in one, of several chunks each."""
    folder = tmp_path_factory.mktemp("cluster") / "logs"
    (folder / "day=1").mkdir(parents=True)
    (folder / "day=2").mkdir()
    rows = [[str(n), f"warm film {n % 50}" if n % 3 else "dull, noisy\nthing"] for n in range(ROWS)]
    for name in ("day=1/a.csv", "day=1/b.jsonl", "day=2/a.parquet", "day=2/c.csv.gz"):
        write_table(str(folder / name), ["id", "text"], rows)
    with (folder / "day=1/a.csv").open("ab") as file:
        file.write(b'1,2,3\n"7",warm\n')
    return folder


@pytest.fixture(scope="module")
def local(logs: Path, trained: Path) -> Callable[[str], dict[str, bytes]]:
    """What the local engine makes of the folder, in a format."""
    made: dict[str, dict[str, bytes]] = {}

    def files(form: str) -> dict[str, bytes]:
        if form not in made:
            words = [
                "logs",
                "--output",
                f"local.{form}/",
                "--format",
                form,
                "--on-bad-row",
                "skip",
                "--coverage",
                "0.9",
            ]
            ended = run(trained, *words, cwd=logs.parent)
            assert ended.returncode == 0, ended.stderr
            made[form] = files_below(logs.parent / f"local.{form}")
        return made[form]

    return files


def on_ray(trained: Path, home: Path, form: str, *more: str, **how: Any) -> subprocess.CompletedProcess[str]:
    words = ["logs", "--output", f"ray.{form}/", "--format", form, "--on-bad-row", "skip", "--coverage", "0.9"]
    return run(trained, *words, "--engine", "ray", "--threads", "2", *more, cwd=home, **how)


def test_the_same_bytes_and_nothing_else(
    logs: Path, trained: Path, local: Callable[[str], dict[str, bytes]], tmp_path: Path
) -> None:
    for folder in ("home", "settings"):
        (tmp_path / folder).mkdir()
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH")}
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:  # of a short name, in which sockets have room
        folders = {"HOME": str(tmp_path / "home"), "SETTINGS_TO": str(tmp_path / "settings"), "TMPDIR": temporary}
        ended = on_ray(trained, logs.parent, "csv", env=kept | folders)
        assert not os.listdir(temporary)
    assert not os.listdir(tmp_path / "home")
    workers = [json.loads(file.read_text()) for file in (tmp_path / "settings").iterdir()]
    assert workers and all(NO_TELEMETRY.items() <= setting.items() for setting in workers)
    assert {setting["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] for setting in workers} == {"0"}  # no other machine is heard
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    begun, first, second = (
        line for line in ended.stderr.splitlines() if not GOES_ON.search(line) and "unknown to" not in line
    )
    assert begun == "starting Ray"
    assert re.fullmatch(r"16,001 rows scored in \d+\.\d s \([\d,]+ a second\) → ray.csv/", first)
    assert second == "16,002 rows in = 16,001 scored + 1 rejected → ray.csv/_rejected"
    made = files_below(logs.parent / "ray.csv")
    assert len(made) > 10 and made == local("csv")


@pytest.mark.slow
def test_parts_that_stand_are_not_made_again(
    logs: Path, trained: Path, local: Callable[[str], dict[str, bytes]]
) -> None:
    shutil.rmtree(out := logs.parent / "ray.csv", ignore_errors=True)
    shutil.copytree(logs.parent / "local.csv", out) if local("csv") else None
    gone = sorted(name for name in files_below(out) if name.endswith(".csv"))[::3]
    for name in gone:
        (out / name).unlink()
    before = {name: (out / name).stat().st_mtime_ns for name in files_below(out)}
    ended = on_ray(trained, logs.parent, "csv", "--resume")
    assert ended.returncode == 0, ended.stderr
    assert files_below(out) == local("csv")
    again = {name for name in files_below(out) if (out / name).stat().st_mtime_ns != before.get(name)}
    assert {name for name in again if not name.startswith("_")} == set(gone)


def test_of_parts_that_stand_no_rows_are_sent(logs: Path, predictor: Predictor, home: Path) -> None:
    from rnn_cli.batch import cluster
    from rnn_cli.batch.stores import Local
    from rnn_cli.batch.to_folder import open_job_folder, score_to_folder

    from .conftest import Heard, job_of

    job, store = job_of(str(logs / "day=1/b.jsonl"), "out.csv"), Local(home / "out")
    with open_job_folder(job, {}, store, resume=False, force=False) as folder:
        assert score_to_folder(job, predictor, folder, Heard()).rows == ROWS
    with open_job_folder(job, {}, store, resume=True, force=False) as folder:
        read = cluster._read({"file": [0]}, job=job, folder=folder, here=".")
        told = [pickle.loads(row["progress"][0]) for row in read]
    assert [each.windows for each in told] == [b""] * len(told)
    assert sum(each.counts.rows for each in told) == ROWS
    assert sum(each.read for each in told) == (logs / "day=1/b.jsonl").stat().st_size
    assert (told[-1].chunk, told[-1].chunks) == (None, len(told) - 1)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_the_same_bytes_in_other_formats(
    form: str, logs: Path, trained: Path, local: Callable[[str], dict[str, bytes]]
) -> None:
    ended = on_ray(trained, logs.parent, form)
    assert ended.returncode == 0, ended.stderr
    assert files_below(logs.parent / f"ray.{form}") == local(form)


def workers() -> set[int]:
    """The processes of this machine that are workers of ours."""
    found = set()
    for process in Path("/proc").iterdir():
        try:
            title = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if process.name.isdigit() and (b"ray::" in title and (b"MapWorker" in title or b"_Scorer" in title)):
            found.add(int(process.name))
    return found


def until(is_true: Callable[[], Any], child: "subprocess.Popen[str]", seconds: float = 60) -> Any:
    began = time.monotonic()
    while not (found := is_true()):
        assert child.poll() is None, child.communicate()
        assert time.monotonic() - began < seconds
        time.sleep(0.02)
    return found


@pytest.fixture
def killed(logs: Path, trained: Path) -> Iterator[Callable[[str, int], tuple[int, str]]]:
    """Runs a job in a format, whose workers are killed so many times: its exit code and what it said."""
    others = workers()

    def call(form: str, kills: int) -> tuple[int, str]:
        shutil.rmtree(out := logs.parent / f"ray.{form}", ignore_errors=True)
        words = ["logs", "--output", f"ray.{form}/", "--format", form, "--on-bad-row", "skip", "--coverage", "0.9"]
        line = [*COMMAND, "score", "--model", str(trained), *words, "--engine", "ray", "--threads", "2"]
        with subprocess.Popen(line, cwd=logs.parent, env=slowly(), **PIPES) as child:
            for done in range(1, kills + 1):
                until(lambda least=done: len(list(out.rglob(f"*-0*.{form}"))) >= 2 * least, child)
                pid = until(lambda: workers() - others, child).pop()
                os.kill(pid, signal.SIGKILL)
            out_told, err = child.communicate(timeout=120)
        assert out_told == ""
        return child.returncode, err

    yield call


@pytest.mark.slow
def test_a_worker_killed_on_the_way_costs_no_row(
    killed: Callable[[str, int], tuple[int, str]], logs: Path, local: Callable[[str], dict[str, bytes]]
) -> None:
    code, err = killed("csv", 1)
    assert code == 0, err
    told = [line for line in err.splitlines() if not GOES_ON.search(line) and "unknown to the model" not in line]
    assert "16,002 rows in = 16,001 scored + 1 rejected" in err and len(told) == 3
    assert files_below(logs.parent / "ray.csv") == local("csv")


@pytest.mark.slow
def test_workers_killed_again_and_again_cost_no_row(
    killed: Callable[[str, int], tuple[int, str]], logs: Path, local: Callable[[str], dict[str, bytes]]
) -> None:
    for form in ("jsonl", "parquet"):
        code, err = killed(form, 4)
        assert code == 0, err
        assert files_below(logs.parent / f"ray.{form}") == local(form)


@pytest.mark.slow
def test_a_job_killed_on_the_way_is_gone_on_with(
    logs: Path, trained: Path, local: Callable[[str], dict[str, bytes]]
) -> None:
    shutil.rmtree(out := logs.parent / "ray.csv", ignore_errors=True)
    words = ["logs", "--output", "ray.csv/", "--format", "csv", "--on-bad-row", "skip", "--engine", "ray"]
    line = [*COMMAND, "score", "--model", str(trained), *words, "--threads", "2"]
    others = workers()
    for number, code in ((signal.SIGKILL, -9), (signal.SIGTERM, 143), (signal.SIGINT, 130)):
        stood = len(list(out.rglob("*-0*.csv")))
        how = ["--resume"] if stood else []
        with subprocess.Popen([*line, *how], cwd=logs.parent, env=slowly(), **PIPES) as child:
            until(lambda least=stood + 2: len(list(out.rglob("*-0*.csv"))) >= least, child)
            child.send_signal(number)
            _, err = child.communicate(timeout=60)
        assert child.returncode == code
        while workers() - others:  # those of a process that was killed work on for a moment
            time.sleep(0.1)
        assert code < 0 or err.splitlines()[-1] in ("terminated", "interrupted")
        assert code < 0 or "; the same again with --resume goes on" in err
        assert "Traceback" not in err
    ended = on_ray(trained, logs.parent, "csv", "--resume")
    assert ended.returncode == 0, ended.stderr
    assert files_below(out) == local("csv")


@pytest.mark.slow
def test_a_bad_row_stops_it_with_the_same_line(trained: Path, home: Path) -> None:
    write_table("in.csv", ["id", "text"], [["1", "warm"]] * 5000)
    with open("in.csv", "a") as file:
        file.write("2,dull,3\n")
    told = {}
    for engine in ("local", "ray"):
        ended = run(trained, "in.csv", "--output", f"{engine}/", "--engine", engine)
        assert (ended.returncode, ended.stdout) == (2, "")
        *_, told[engine] = ended.stderr.splitlines()
    assert (
        told["ray"]
        == told["local"]
        == ("Error: in.csv:5002: 3 fields, expected 2; quote the text, or skip such rows: --on-bad-row skip")
    )


@pytest.mark.parametrize("address", ["127.0.0.1:1", "nonsense", "ray://127.0.0.1:1"])
def test_no_cluster_there_is_one_line(address: str, trained: Path, home: Path) -> None:
    write_table("in.csv", ["text"], [["warm"]])
    words = ["in.csv", "--output", "out/", "--engine", "ray", "--ray-address", address]
    ended = run(trained, *words)
    assert (ended.returncode, ended.stdout) == (2, "")
    error = rf"Error: {re.escape(address)}: no Ray cluster there \(.*\); check --ray-address"
    begun, failed = (line for line in ended.stderr.splitlines() if not GOES_ON.search(line))
    assert begun in ("connecting to Ray", "starting Ray") and re.fullmatch(error, failed)
    assert not (home / "out").exists()


def test_a_job_can_be_sent_to_a_worker() -> None:
    job = Job((), "csv", {"delimiter": ";"})
    assert pickle.loads(pickle.dumps(job)) == job
