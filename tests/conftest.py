"""What the tests share: a small labelled file, and models trained on it once for all of pytest's processes."""

import csv
import fcntl
import gc
import json
import os
import random
from collections.abc import Callable, Sequence
from pathlib import Path

import hypothesis
import pytest

# Before any test loads TensorFlow: no start-up chatter in the tests' output.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BuiltOnce = Callable[[str, Callable[[Path], object]], Path]

# No test of time is one of properties: a first example may load TensorFlow.
UNTIMED = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("few", UNTIMED, max_examples=25)
hypothesis.settings.register_profile("many", UNTIMED, max_examples=2_000)


def pytest_configure(config: pytest.Config) -> None:
    """`pytest -m hypothesis` runs the property tests alone, and with many examples."""
    hypothesis.settings.load_profile("many" if config.option.markexpr == "hypothesis" else "few")


def pytest_xdist_auto_num_workers() -> int:
    """One more than cores: tests wait for commands they started, and for the disk."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_finish() -> None:
    """What is loaded stays: a search for cycles through all of TensorFlow, again and again, is a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


@pytest.fixture(autouse=True)
def charts_in_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Charts are made but not turned into SVG: for a report that takes as long as training a tiny network."""
    monkeypatch.setattr("rnn_cli.reporting.html.in_page", lambda chart: f"<svg>{chart.name}</svg>")


every_step = pytest.mark.parametrize("stride", [3, pytest.param(1, marks=pytest.mark.slow)], ids=["some", "each"])
"""Something befalls a command at every third of its steps, or, by hand, at each."""

WORDS = {
    "good": "warm funny lovely bright tender splendid".split(),
    "bad": "dull tedious bland clumsy dreadful noisy".split(),
    "so-so": "passable average usual middling ordinary plain".split(),
}
FILLER = "the film plot actors music scene story ending whole evening it was a an and with of".split()

TINY = {
    "tokenizer": {"vocab_size": 60, "max_length": 12},
    "model": {"embedding_dim": 8, "units": [6], "dense_units": [], "pooling": "max", "embeddings": None},
    "training": {"epochs": 12, "batch_size": 8, "learning_rate": 0.03, "early_stopping": None},
}
"""A config that learns the small file in a second or two."""


def labelled_texts(labels: Sequence[str], rows: int) -> list[tuple[str, str]]:
    """Short texts of which two words tell the label, in a fixed order."""
    chance = random.Random(5)
    texts = []
    for row in range(rows):
        label = labels[row % len(labels)]
        words = chance.choices(FILLER, k=chance.randint(2, 12)) + chance.choices(WORDS[label], k=2)
        chance.shuffle(words)
        texts.append((" ".join(words), label))
    return texts


def write_csv(file: Path, texts: list[tuple[str, str]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("text", "label"), *texts])
    return file


@pytest.fixture(scope="session")
def built_once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> BuiltOnce:
    """A folder by name, filled by the first of pytest's processes that asks for it; tests must not change it."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def build(name: str, fill: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # the others wait
            if not done.exists():
                folder.mkdir()
                fill(folder)
                done.touch()
        return folder

    return build


@pytest.fixture(scope="session")
def labelled_file(built_once: BuiltOnce) -> Path:
    """80 rows, half `bad`, half `good`."""
    texts = labelled_texts(["good", "bad"], 80)
    return built_once("labelled", lambda folder: write_csv(folder / "reviews.csv", texts)) / "reviews.csv"


@pytest.fixture(scope="session")
def trained(labelled_file: Path, built_once: BuiltOnce) -> Path:
    """A trained bundle; tests must not change it."""
    return built_once("trained", lambda home: _train(labelled_file, home)) / "model"


TOPICS = {
    "bill": "invoice charged refund price twice paid".split(),
    "parcel": "courier late delivery tracking lost box".split(),
    "broken": "cracked stopped fault repair scratched dead".split(),
}


def several_rows(rows: int) -> list[tuple[str, list[str]]]:
    """Short texts of which words tell the labels: none, one, two or three of `TOPICS`; in a fixed order."""
    chance = random.Random(8)
    found = []
    for row in range(rows):
        labels = sorted(chance.sample(list(TOPICS), row % 4 if row % 8 else 1))
        words = chance.choices(FILLER, k=chance.randint(3, 6))
        words += [word for label in labels for word in chance.choices(TOPICS[label], k=2)]
        chance.shuffle(words)
        found.append((" ".join(words), labels))
    return found


def write_lists(file: Path, rows: list[tuple[str, list[str]]]) -> Path:
    """A CSV file of texts and their labels as JSON lists."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([("text", "labels"), *((text, json.dumps(labels)) for text, labels in rows)])
    return file


@pytest.fixture(scope="session")
def several_file(built_once: BuiltOnce) -> Path:
    """160 rows of up to three labels each."""
    return built_once("several", lambda folder: write_lists(folder / "topics.csv", several_rows(160))) / "topics.csv"


AMOUNTS = {"superb": 30, "warm": 18, "fine": 6, "plain": 0, "dull": -12, "awful": -28}


def numbered_rows(rows: int) -> list[tuple[str, str]]:
    """Short texts of which three words tell a number, from about -60 to 140 with some noise; in a fixed order."""
    chance = random.Random(11)
    found = []
    for _ in range(rows):
        telling = chance.choices(list(AMOUNTS), k=3)
        words = [*telling, *chance.choices(FILLER, k=chance.randint(2, 6))]
        chance.shuffle(words)
        found.append((" ".join(words), f"{40 + sum(AMOUNTS[word] for word in telling) + chance.gauss(0, 6):.1f}"))
    return found


@pytest.fixture(scope="session")
def numbered_file(built_once: BuiltOnce) -> Path:
    """200 rows, each with a number of one decimal in the column `minutes`."""

    def fill(folder: Path) -> None:
        rows = [("text", "minutes"), *numbered_rows(200)]
        with (folder / "minutes.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows(rows)

    return built_once("numbered", fill) / "minutes.csv"


@pytest.fixture(scope="session")
def trained_number(numbered_file: Path, built_once: BuiltOnce) -> Path:
    """A trained bundle of numbers; tests must not change it."""
    more = {"labels": "number", "label_column": "minutes", "validation": 0.2, "test": 0.2}
    return built_once("trained_number", lambda home: _train(numbered_file, home, **more)) / "model"


@pytest.fixture(scope="session")
def trained_several(several_file: Path, built_once: BuiltOnce) -> Path:
    """A trained bundle of several labels a text; tests must not change it."""
    more = {"labels": "several"}
    return built_once("trained_several", lambda home: _train(several_file, home, **more)) / "model"


STARS = {
    "1": "awful dreadful worst terrible".split(),
    "2": "poor weak dull tired".split(),
    "3": "middling average ordinary passable".split(),
    "4": "good pleasant likeable solid".split(),
    "5": "superb brilliant perfect wonderful".split(),
}
"""Words that tell a rating."""


def rated_rows(rows: int) -> list[tuple[str, str]]:
    """Short texts with words of their rating, and sometimes one of the next; in a fixed order."""
    chance = random.Random(9)
    found = []
    for row in range(rows):
        stars = 1 + row % 5
        near = min(max(stars + chance.choice([-1, 0, 0, 0, 1]), 1), 5)
        words = chance.choices(FILLER, k=chance.randint(3, 6))
        words += [*chance.choices(STARS[str(stars)], k=2), chance.choice(STARS[str(near)])]
        chance.shuffle(words)
        found.append((" ".join(words), str(stars)))
    return found


@pytest.fixture(scope="session")
def rated_file(built_once: BuiltOnce) -> Path:
    """200 rows, rated 1 to 5."""

    def fill(folder: Path) -> None:
        write_csv(folder / "rated.csv", rated_rows(200))

    return built_once("rated", fill) / "rated.csv"


@pytest.fixture(scope="session")
def trained_ordered(rated_file: Path, built_once: BuiltOnce) -> Path:
    """A trained bundle of ordered labels; tests must not change it."""
    return built_once("trained_ordered", lambda home: _train(rated_file, home, labels="ordered")) / "model"


@pytest.fixture(scope="session")
def measured_by_folds(labelled_file: Path, built_once: BuiltOnce) -> Path:
    """A linear model measured by 2 folds, all of whose 80 rows it has learned from; tests must not change it."""
    return built_once("by_folds", lambda home: _train_by_folds(labelled_file, home)) / "model"


@pytest.fixture(scope="session")
def several_by_folds(several_file: Path, built_once: BuiltOnce) -> Path:
    """The same of several labels a text, of 160 rows."""
    return built_once("several_by_folds", lambda home: _train_by_folds(several_file, home, labels="several")) / "model"


def _train_by_folds(labelled_file: Path, home: Path, **data: object) -> None:
    from rnn_cli.config.schema import Config
    from rnn_cli.training.linear_run import train_linear
    from rnn_cli.training.prepare import prepare

    content = {
        "data": {"source": str(labelled_file), "validation": 0.2, **data},
        "model": {**TINY["model"], "kind": "linear", "ngrams": 2, "ngram_buckets": 512},
        "training": {**TINY["training"], "folds": 2},
    }
    config = Config.model_validate(TINY | content)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)  # a run writes runs/latest where it stands
        train_linear(prepare(config, Silent()), out=home / "model", name="tiny", force=False, listener=Silent())


@pytest.fixture
def of_own_file(trained: Path, labelled_file: Path, tmp_path: Path) -> tuple[Path, Path]:
    """The same bundle as if it had been trained on another file of the same rows, and that file, to be changed."""
    from tests.forge import Forged

    file = tmp_path / "own.csv"
    file.write_bytes(labelled_file.read_bytes())
    copy = Forged(trained, tmp_path / "of_own_file")
    config = (copy.path / "config.yaml").read_text()
    copy.write("config.yaml", config.replace(str(labelled_file), str(file)))
    return copy.path, file


def _train(labelled_file: Path, home: Path, model: dict[str, object] | None = None, /, **data: object) -> None:
    from rnn_cli.config.schema import Config
    from rnn_cli.training.prepare import prepare
    from rnn_cli.training.run import train_prepared

    config = Config.model_validate(
        TINY
        | {"data": {"source": str(labelled_file), "validation": 0.2, "test": 0.2, **data}}
        | {"model": {**TINY["model"], **(model or {})}}
    )
    before = Path.cwd()
    os.chdir(home)  # a run writes runs/latest where it stands
    try:
        train_prepared(prepare(config, Silent()), out=home / "model", name="tiny", force=False, listener=Silent())
    finally:
        os.chdir(before)


class Silent:
    """A listener that remembers what it hears."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.warnings: list[str] = []
        self.fits: list[tuple[str, int, int]] = []
        self.epochs: list[object] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def doing(self, what: str) -> None:
        pass

    def progress(self, what: str, done: int, total: int) -> None:
        self.fits.append((what, done, total))

    def epoch_starts(self, epoch: int, epochs: int, steps: int, done: int) -> None:
        pass

    def step_done(self, loss: float, accuracy: float) -> None:
        pass

    def epoch_done(self, metrics: object, *, best: bool) -> None:
        self.epochs.append(metrics)


@pytest.fixture
def listener() -> Silent:
    return Silent()


@pytest.fixture(scope="session")
def tiny() -> dict[str, dict[str, object]]:
    return TINY


@pytest.fixture(scope="session")
def make_labelled_file(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    """Writes a labelled file: labels, rows → path."""

    def make(labels: Sequence[str], rows: int) -> Path:
        return write_csv(tmp_path_factory.mktemp("data") / "rows.csv", labelled_texts(labels, rows))

    return make


PRICED = ("text", "label", "price", "country")


def priced_rows(rows: int) -> list[dict[str, str]]:
    """Short texts of which a word or two hint at the label, and the price and the country tell the rest.

    Some rows have no price, some no country, and three a country that no other has. In a fixed order.
    """
    chance = random.Random(12)
    found = []
    for row in range(rows):
        label = ("good", "bad")[row % 2]
        words = chance.choices(FILLER, k=chance.randint(3, 8)) + chance.choices(WORDS[label], k=row % 3)
        price = chance.gauss(12 if label == "good" else 6, 2)
        country = chance.choice(["FR", "FR", "DE"] if label == "good" else ["DE", "IT", "IT"])
        found.append(
            {
                "text": " ".join(words),
                "label": label,
                "price": "" if row % 11 == 3 else f"{price:.2f}",
                "country": "" if row % 13 == 5 else f"X{row}" if row in (8, 21, 34) else country,
            }
        )
    return found


@pytest.fixture(scope="session")
def priced_file(built_once: BuiltOnce) -> Path:
    """120 rows with two other columns."""

    def fill(folder: Path) -> None:
        with (folder / "priced.csv").open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, PRICED)
            writer.writeheader()
            writer.writerows(priced_rows(120))

    return built_once("priced", fill) / "priced.csv"


BESIDE = {"extra_columns": ["price", "country"]}
"""Other columns of the rows as inputs, in a config's data."""


@pytest.fixture(scope="session")
def trained_columns(priced_file: Path, built_once: BuiltOnce) -> Path:
    """A trained network with n-grams that reads two other columns; tests must not change it."""
    return built_once("trained_columns", lambda home: _train(priced_file, home, {"ngrams": 1}, **BESIDE)) / "model"
