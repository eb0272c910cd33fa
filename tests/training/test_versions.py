"""The releases that are noted, however the libraries were installed."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError

import pytest

from rnn_cli import __version__
from rnn_cli.training import checkpointing


@pytest.fixture(autouse=True)
def afresh() -> Iterator[None]:
    checkpointing._version.cache_clear()
    yield
    checkpointing._version.cache_clear()


@pytest.mark.parametrize(
    "lost", [{"tensorflow"}, {"rnn-cli", *checkpointing.LIBRARIES}], ids=["tensorflow-cpu", "frozen"]
)
def test_they_are_known_without_what_packaging_leaves(lost: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    known, whole = checkpointing.version, checkpointing.versions()

    def version(name: str) -> str:
        if name in lost:
            raise PackageNotFoundError(name)
        return known(name)

    checkpointing._version.cache_clear()
    monkeypatch.setattr(checkpointing, "version", version)
    assert checkpointing.versions() == whole
    assert whole["rnn-cli"] == __version__ and "missing" not in whole.values()


@pytest.mark.parametrize("error", [ImportError("numpy 2 is too new"), AttributeError("_ARRAY_API not found")])
def test_a_library_that_cannot_be_loaded_is_missing(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    def fail(name: str) -> object:
        raise error

    monkeypatch.setattr(checkpointing, "import_module", fail)
    monkeypatch.setattr(checkpointing, "version", unknown)
    assert {checkpointing.versions()[name] for name in checkpointing.LIBRARIES} == {"missing"}
