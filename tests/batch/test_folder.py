"""A folder of answers: a file a chunk, whose it is, what may be replaced, and that it is gone on with."""

from pathlib import Path
from typing import Any

import fsspec
import pytest

from rnn_cli.batch.job import Counts, Job
from rnn_cli.batch.stores import Local, Store, store_of
from rnn_cli.batch.to_folder import open_job_folder, score_to_folder
from rnn_cli.errors import BundleError, DataError, RunFailed, UsageError
from rnn_cli.scoring.predictor import Predictor

from .conftest import MODEL, Heard, job_of, read_table, write_table

pytestmark = pytest.mark.usefixtures("small_windows")
ROWS = [[str(n), f"warm film {n}" if n % 3 else "dull, noisy"] for n in range(100)]


@pytest.fixture(params=["here", "local://", "memory://"])
def place(request: pytest.FixtureRequest, home: Path) -> Store:
    urls = {"here": "out/", "local://": f"local://{home}/out/", "memory://": f"memory://{home.name}/out/"}
    return store_of(urls[request.param])


@pytest.fixture
def job() -> Job:
    (Path("in") / "deep").mkdir(parents=True)
    write_table("in/a.csv", ["id", "text"], ROWS)
    write_table("in/deep/a.jsonl.gz", ["id", "text"], ROWS[:30])
    return job_of("in", "x.csv", on_bad_row="skip")


def work(job: Job, predictor: Predictor, place: Store, **how: bool) -> Counts:
    with open_job_folder(job, MODEL, place, **{"resume": False, "force": False, **how}) as folder:
        counts = score_to_folder(job, predictor, folder, Heard())
        folder.finish(job, counts)
    return counts


def begin(job: Job, place: Store, *, force: bool = False) -> None:
    """As a job that was killed before its first chunk."""
    with open_job_folder(job, MODEL, place, resume=False, force=force):
        pass


NAMES = [*(f"a-0000{n}.csv" for n in range(5)), "deep/a-00000.csv", "deep/a-00001.csv"]


def test_the_files_hold_all_rows_in_order(job: Job, predictor: Predictor, place: Store, home: Path) -> None:
    assert work(job, predictor, place) == Counts(rows=130)
    assert sorted(place.names()) == sorted(["_job.json", *NAMES])
    for stem, rows in (("a", ROWS), ("deep/a", ROWS[:30])):
        found = []
        for name in sorted(name for name in place.names() if name.rpartition("-")[0] == stem):
            (home / "part.csv").write_bytes(place.read(name) or b"")
            found += read_table(home / "part.csv")[1]
        assert [row[:2] for row in found] == rows


def test_parts_that_stand_are_kept_and_the_others_made(job: Job, predictor: Predictor, place: Store) -> None:
    counts = work(job, predictor, place)
    whole = {name: place.read(name) for name in place.names()}
    place.clear(NAMES[1::2])
    place.write(NAMES[0], b"another's hand")
    with pytest.raises(
        UsageError, match="out: holds the predictions of a job; go on with resume=True, or start .* force=True$"
    ):
        work(job, predictor, place)
    assert work(job, predictor, place, resume=True) == counts
    assert place.read(NAMES[0]) == b"another's hand"
    assert {name: place.read(name) for name in NAMES[1:]} == {name: whole[name] for name in NAMES[1:]}
    work(job, predictor, place, force=True)
    assert {name: place.read(name) for name in place.names()} == whole


def test_what_earlier_calls_counted_is_counted_at_the_end(
    predictor: Predictor, place: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table("in.csv", ["text"], [["xyzzy" if n % 5 else "warm"] for n in range(100)])
    job = job_of("in.csv", "x.csv")
    write, left = type(place).write, 3

    def stopping(store: Store, name: str, content: bytes) -> None:
        nonlocal left
        write(store, name, content)  # type: ignore[arg-type]
        left -= name[0] != "_"
        if not left:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(type(place), "write", stopping)
        work(job, predictor, place)
    for _ in range(2):
        assert work(job, predictor, place, resume=True) == Counts(rows=100, unknown=80)
    assert not [name for name in place.names() if name.startswith("_marks")]
    place.clear(["in-00001.csv"])
    assert work(job, predictor, place, resume=True) == Counts(rows=100, unknown=80)


def test_another_job_does_not_go_on_in_it(job: Job, predictor: Predictor, place: Store) -> None:
    work(job, predictor, place)
    other = job_of("in/a.csv", "x.jsonl", on_bad_row="skip")
    with pytest.raises(UsageError, match="out: was begun with another (input, or it has changed|format)"):
        work(other, predictor, place, resume=True)
    work(other, predictor, place, force=True)
    assert sorted(place.names()) == sorted(["_job.json", *(f"a-0000{n}.jsonl" for n in range(5))])


@pytest.mark.parametrize("force", [False, True])
def test_other_files_are_left_alone(force: bool, job: Job, predictor: Predictor, place: Store) -> None:
    place.write("thesis.txt", b"years of work")
    with pytest.raises(UsageError, match="out: holds other files; name a new folder"):
        work(job, predictor, place, force=force)
    place.clear(["thesis.txt"])
    work(job, predictor, place)
    place.write("thesis.txt", b"years of work")
    with pytest.raises(UsageError, match="out: holds"):
        work(job, predictor, place, force=force)
    assert place.read("thesis.txt") == b"years of work" and NAMES[0] in place.names()


def test_what_a_killed_process_left_half_written_goes(job: Job, predictor: Predictor, home: Path) -> None:
    for url, left in (("out/", ".a-00000.csv.abc.part"), (f"local://{home}/far/", ".a-00000.csv.abc.part")):
        place = store_of(url)
        begin(job, place)
        file = home / ("out" if url == "out/" else "far") / left
        file.write_bytes(b"half")
        work(job, predictor, place, resume=True)
        assert not file.exists()
        file.write_bytes(b"half")
        work(job, predictor, place, force=True)
        assert sorted(place.names()) == sorted(["_job.json", *NAMES])


def test_a_replaced_job_is_known_until_all_of_it_is_gone(
    job: Job, predictor: Predictor, place: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(job, predictor, place)
    cleared: list[list[str]] = []
    with monkeypatch.context() as patch:
        patch.setattr(type(place), "clear", lambda self, names: cleared.append(names))
        begin(job, place, force=True)
    assert cleared[-1][-1] == "_job.json" and sorted(cleared[-1]) == sorted(["_job.json", *NAMES])


def test_a_damaged_record_is_told(job: Job, predictor: Predictor, place: Store) -> None:
    work(job, predictor, place)
    place.write("_job.json", b"{\xff")
    with pytest.raises(BundleError, match="out/_job.json: damaged, .*; start again with force=True"):
        work(job, predictor, place, resume=True)
    work(job, predictor, place, force=True)


def test_bad_rows_stand_in_files_of_their_own(predictor: Predictor, place: Store) -> None:
    write_table("in.csv", ["id", "text"], ROWS[:30])
    with open("in.csv", "a") as file:
        file.write("bad\n")
    counts = work(job_of("in.csv", "x.csv", on_bad_row="skip"), predictor, place)
    assert (counts.rows, counts.rejected) == (31, 1)
    assert sorted(place.names()) == ["_job.json", "_rejected/in-00001.jsonl", "in-00000.csv", "in-00001.csv"]
    work(job_of("in.csv", "x.csv", on_bad_row="skip"), predictor, place, force=True)
    with pytest.raises(DataError, match="^in.csv:32: 1 field"):
        work(job_of("in.csv", "x.csv"), predictor, place, force=True)
    assert work(job_of("in.csv", "x.csv", on_bad_row="skip"), predictor, place, resume=True) == counts


def test_no_rows_at_all_and_equal_names(predictor: Predictor, place: Store) -> None:
    Path("none.csv").write_text("text\n")
    with pytest.raises(DataError, match="^none.csv: has no rows"):
        work(job_of("none.csv", "x.csv"), predictor, place)
    Path("deep").mkdir()
    Path("none.tsv").write_text("text\n")
    with pytest.raises(DataError, match="^two files would have their predictions in none-00000; score them apart"):
        work(job_of(["none.csv", "none.tsv"], "x.csv"), predictor, place, force=True)


def test_a_store_that_refuses_is_told(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(fsspec.filesystem("memory")), "_open", full)
    with pytest.raises(RunFailed, match="^memory://full/a: cannot be written .*; make room or choose another place$"):
        store_of("memory://full/").write("a", b"x")
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(RunFailed, match=r"^\S*out/a: cannot be written \(no space left on device\); make room or "):
        Local(home / "out").write("a", b"x")
    assert [path.name for path in (home / "out").iterdir()] == []


def test_a_file_is_no_folder(home: Path) -> None:
    (home / "out").write_text("x")
    with pytest.raises(UsageError, match="out: is not a folder; choose another output"):
        store_of("out/")


def test_files_that_look_like_answers_are_left_alone_too(job: Job, predictor: Predictor, place: Store) -> None:
    place.write(".draft.csv.a1b2.part", b"another program's")
    place.write("b.part", b"another program's")
    with pytest.raises(UsageError, match="out: holds other files"):
        work(job, predictor, place)
    assert sorted(place.names()) == [".draft.csv.a1b2.part", "b.part"]
    place.clear(place.names())
    work(job, predictor, place)
    for name in ("sales-20240101.csv", "a-00000.jsonl", ".sales-20240101.csv.a1b2.part"):
        place.write(name, b"a year of sales")
        with pytest.raises(UsageError, match="which the job did not write; move it, or name a new folder"):
            work(job, predictor, place, force=True)
        assert place.read(name) == b"a year of sales"
        place.clear([name])


def test_what_stands_is_kept_only_where_the_job_goes_on(job: Job, predictor: Predictor, place: Store) -> None:
    work(job, predictor, place)
    place.write(NAMES[0], b"of another model")
    work(job, predictor, place, force=True)
    assert place.read(NAMES[0]) != b"of another model"


def test_a_job_that_fails_before_its_first_chunk_leaves_nothing(predictor: Predictor, home: Path) -> None:
    with pytest.raises(DataError, match="none.csv: no such file"):
        work(job_of("none.csv", "x.csv"), predictor, store_of("out/"))
    assert not (home / "out").exists()


def test_a_second_process_is_refused(job: Job, predictor: Predictor) -> None:
    with open_job_folder(job, MODEL, store_of("out/"), resume=False, force=False):
        with pytest.raises(UsageError, match="^out: another process is working on it"):
            work(job, predictor, store_of("out/"), force=True)
    assert work(job, predictor, store_of("out/"), resume=True).rows == 130


@pytest.mark.parametrize("pattern", ["in/*/../../far/*.csv", "in/../far/../in/deep/../../*.csv"])
def test_no_answer_lies_outside(pattern: str, job: Job, predictor: Predictor, home: Path) -> None:
    Path("far").mkdir()
    write_table("far/b.csv", ["text"], [["warm"]])
    write_table("c.csv", ["text"], [["warm"]])
    try:
        work(job_of(pattern, "x.csv"), predictor, store_of("out/"))
    except DataError as error:
        assert "outside the folder" in str(error)
    assert {path.name for path in home.iterdir()} <= {"in", "far", "c.csv", "out"}
    assert not list(Path("far").glob("*-0*"))
