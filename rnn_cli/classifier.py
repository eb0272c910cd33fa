"""A classifier as scikit-learn knows it: texts and labels in, for pipelines, cross-validation and searches.

It trains as `rnn.train` does and predicts as `rnn predict` does, to the last bit. The trained model lives in the
estimator, as the bytes of a bundle. Loads no TensorFlow before `fit`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from os import PathLike, fspath
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Self, overload

from rnn_cli.api import named_overrides, naming_extra, train_apart
from rnn_cli.errors import ConfigError, ConfigMistake, DataError, Error, UsageError

try:
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.exceptions import NotFittedError
    from sklearn.utils import check_random_state
    from sklearn.utils.validation import column_or_1d
except ModuleNotFoundError as error:
    raise naming_extra(error) from error

import numpy as np

from rnn_cli.arrays import AnyArray, Floats
from rnn_cli.bundle.in_memory import BundleInMemory
from rnn_cli.config.load import Override
from rnn_cli.config.schema import DataConfig
from rnn_cli.data.source import IN_MEMORY, from_memory, label_text
from rnn_cli.scoring.prediction import Part
from rnn_cli.scoring.predictor import Predictor, list_of_texts

if TYPE_CHECKING:
    from rnn_cli.training.listener import Listener

UNKNOWN_TYPE = "Unknown label type"
"""How scikit-learn's message for labels that are no classes begins."""


class SettingError(ConfigError, ValueError):
    """A key or a value that no config has, as the `ValueError` that scikit-learn expects."""


class RowsError(DataError, ValueError):
    """Texts or labels that cannot be used, as the `ValueError` that scikit-learn expects."""


class UnsupportedError(UsageError, TypeError):
    """An argument that `fit` does not take, as the `TypeError` that Python raises for one."""


class UnfittedError(UsageError, NotFittedError):
    """The classifier has learned nothing yet."""


class RNNClassifier(ClassifierMixin, BaseEstimator):
    """A text classifier: a recurrent network beside n-grams, as `rnn train` makes it.

    Parameters
    ----------
    recipe : str or path, default="default"
        A recipe's name (`rnn config list`) or a YAML file; None for the config that `rnn init` would write for the
        rows.
    random_state : int, RandomState or None, default=None
        The run's `training.seed`: an int as it is, of a RandomState one is drawn at each `fit`. None leaves the
        recipe's own seed, so that the same rows give the same network again.
    progress : bool, default=False
        Tell on stderr how far the training is. Nothing is ever printed otherwise.
    **config
        Keys of a config (`rnn config keys`), named by their last name (`epochs=3`) or whole
        (`**{"training.epochs": 3}`). Labels in `class_weight` (a dict, "balanced" or None) and `positive_label` are of
        the type that `y` has. `test` is 0 unless it is given, and `baseline` False: cross-validation measures.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels in sorted order, of the type that `y` has.
    model_ : Predictor
        The trained model, as `rnn.load` gives it.
    warnings_ : tuple of str
        What was worth a second look in training.

    A name that is no key raises `ValueError` at once, in the constructor and in `set_params`; values are looked at in
    `fit`. All errors are `rnn.Error`, and those of parameters and rows `ValueError`, too.
    """

    _bundle: BundleInMemory
    _predictor: Predictor | None

    def __init__(
        self,
        recipe: "str | PathLike[str] | None" = "default",
        *,
        random_state: "int | np.random.RandomState | None" = None,
        progress: "bool | Listener" = False,
        **config: Any,
    ) -> None:
        with _value_errors():
            _whole_names(config)
        self.recipe = recipe
        self.random_state = random_state
        self.progress = progress
        self._config = config

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name; of the config's keys, those that were given."""
        return {**super().get_params(deep=deep), **self._config}

    def set_params(self, **params: Any) -> Self:
        """Change parameters, any key of a config among them. Raises `ValueError` for a name that is none."""
        own = {name: value for name, value in params.items() if name in self._get_param_names()}
        config = {name: value for name, value in params.items() if name not in own}
        with _value_errors("Invalid parameter"):
            changed = _whole_names(config)
        for name, value in own.items():
            setattr(self, name, value)
        kept = {
            name: self._config[name] for name, key in _whole_names(self._config).items() if key not in changed.values()
        }
        self._config = {**kept, **config}
        return self

    def fit(self, X: Iterable[str], y: Iterable[Any], **unsupported: Any) -> Self:
        """Train on texts `[rows]` and their labels `[rows]`, and forget what was learned before.

        Texts are str, in a list, an array or a Series; labels are str, int or bool. Validation rows (`validation`, a
        tenth unless the recipe says otherwise) are dealt from them and choose the best epoch. Raises `ValueError`
        (which is an `rnn.Error`) for rows or values that cannot be used, `rnn.Error` for a run that fails, and
        `TypeError` for `sample_weight`, which is not supported. What stood before stays then.
        """
        if unsupported:
            raise _refused(next(iter(unsupported)))
        with _value_errors():
            texts = _texts(X)
            labels, classes = _labels(y, texts)
            overrides = self._overrides()
            if numbers := [each for each in overrides if each.key == "data.labels" and each.value == "number"]:
                what = "numbers are no classes, so RNNClassifier does not take them; use rnn.train"
                raise ConfigError([ConfigMistake(what, numbers[0].key)])
            if several := [
                each for each in overrides if each.key in _OF_SEVERAL and each.value not in (None, "single", "ordered")
            ]:
                what = "several labels for a text, which RNNClassifier does not take yet"
                raise ConfigError([ConfigMistake(f"{what}; use rnn.train", several[0].key)])
            if beside := [each for each in overrides if each.key == "data.extra_columns" and each.value]:
                what = "texts come without other columns here; use rnn.train with a DataFrame"
                raise ConfigError([ConfigMistake(what, beside[0].key)])
            with TemporaryDirectory(prefix="rnn-") as folder:
                recipe = None if self.recipe is None else fspath(self.recipe)
                run = train_apart(recipe, (texts, labels), Path(folder), progress=self.progress, overrides=overrides)
                bundle = BundleInMemory.of(run.bundle)
        self._bundle, self._predictor = bundle, Predictor(bundle)
        self.classes_ = classes
        self.warnings_ = run.warnings
        return self

    def predict(self, X: Iterable[str]) -> AnyArray:
        """The label of each text, `[texts]`, of the type that `y` had."""
        model, probabilities = self._scored(X)
        order = self._places(model)
        return self.classes_[np.argsort(order)[model.decision.choose(probabilities)]]

    def predict_proba(self, X: Iterable[str]) -> Floats:
        """The probability of each label, `[texts, classes]` in the order of `classes_`; rows sum to 1."""
        model, probabilities = self._scored(X)
        return probabilities[:, self._places(model)]

    @overload
    def explain(self, X: str) -> tuple[Part, ...]: ...  # type: ignore[overload-overlap]
    @overload
    def explain(self, X: Iterable[str]) -> list[tuple[Part, ...]]: ...
    def explain(self, X: Any) -> Any:
        """The words of a text and what each does to the predicted label, or a list of that for several texts.

        It is what `Predictor.explain` gives. Raises `ValueError` for what is no text.
        """
        model = self.model_
        with _value_errors():
            return model.explain(X if isinstance(X, str) else _texts(X))

    def save(self, path: "str | PathLike[str]", *, force: bool = False) -> Path:
        """Write the model as a folder, as `rnn train --out` does: for `rnn.load`, and `rnn predict --model`.

        With `force` a model that stands there is replaced. Raises `BundleError` where anything else does, and
        `WriteError`.
        """
        return self._fitted().write(Path(path), force=force).path

    @property
    def model_(self) -> Predictor:
        """The trained model, ready to predict, as `rnn.load` gives it."""
        opened = self._fitted()
        if self._predictor is None:
            self._predictor = Predictor(opened)
        return self._predictor

    def __sklearn_is_fitted__(self) -> bool:
        """Whether it has been trained."""
        return hasattr(self, "_bundle")

    def __sklearn_tags__(self) -> Any:
        """Texts in one dimension, labels of two or more kinds."""
        tags = super().__sklearn_tags__()
        tags.input_tags = replace(tags.input_tags, one_d_array=True, two_d_array=False, string=True)
        tags.no_validation = True  # of numbers; texts are looked at
        tags.target_tags.one_d_labels = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        """All but what is made again of the bundle: a session of ONNX Runtime cannot be pickled."""
        return {**super().__getstate__(), **({"_predictor": None} if self.__sklearn_is_fitted__() else {})}

    def _fitted(self) -> BundleInMemory:
        if not self.__sklearn_is_fitted__():
            raise UnfittedError("this RNNClassifier has not been trained yet", hint="call fit first")
        return self._bundle

    def _scored(self, X: Iterable[str]) -> tuple[Predictor, Floats]:
        model = self.model_
        with _value_errors():
            return model, model.score(_texts(X)).probabilities

    def _places(self, model: Predictor) -> list[int]:
        """Where each of `classes_` stands among the model's labels."""
        return [model.labels.index(str(label_text(label))) for label in self.classes_]

    def _overrides(self) -> list[Override]:
        """The config's keys, ours before the user's; raises `ConfigError`."""
        given = named_overrides(self._config)
        if source := [each for each in given if each.key == "data.source"]:
            raise ConfigError([ConfigMistake("the rows are those that fit is given; remove the key", source[0].key)])
        changes = [Override("data.test", 0), Override("training.baseline", False), *map(_by_text, given)]
        if self.random_state is not None:
            if any(each.key == "training.seed" for each in given):
                raise ConfigError([ConfigMistake("is what random_state sets; leave one of them out", "training.seed")])
            changes += named_overrides({"training.seed": _seed(self.random_state)})
        return changes


def _whole_names(config: Mapping[str, Any]) -> dict[str, str]:
    """The whole name of each key; raises `ConfigError` for one that is none, or is given by both of its names."""
    names = {name: change.key for name, change in zip(config, named_overrides(config), strict=True)}
    if twice := [name for name, key in names.items() if name != key and key in config]:
        raise ConfigError([ConfigMistake(f"is {names[twice[0]]}, which is given too; leave one of them out", twice[0])])
    return names


def _by_text(change: Override) -> Override:
    """The override with its labels as a config has them, as text."""
    if change.key == "training.class_weight" and isinstance(change.value, Mapping):
        return replace(change, value={label_text(label): weight for label, weight in change.value.items()})
    return replace(change, value=label_text(change.value)) if change.key == "data.positive_label" else change


def _seed(random_state: Any) -> Any:
    if isinstance(random_state, np.random.RandomState):
        return check_random_state(random_state).randint(np.iinfo(np.int32).max)
    return random_state


def _texts(X: Any) -> list[str]:
    """Texts as a list; raises `DataError` for a single one, for a table, and for what is no text."""
    if isinstance(X, str):
        raise DataError("expected texts, got one text", hint="put it into a list")
    if not isinstance(X, Iterable):
        raise DataError(f"expected texts, got {type(X).__name__}", hint="give a list, an array or a Series of str")
    return list_of_texts(X)


def _labels(y: Any, texts: Sequence[str]) -> tuple[list[str], AnyArray]:
    """Each row's label as text, and the labels in sorted order as they are; raises `DataError`."""
    if _are_several(y):
        what = "y should be a 1d array: RNNClassifier does not take several labels for a text yet"
        raise DataError(what, hint="train with rnn.train((texts, labels)), which does")
    if y is None:
        raise DataError("requires y to be passed, but the target y is None")
    try:
        values = column_or_1d(_as_array(y), warn=True)
    except ValueError as error:
        raise DataError(str(error), hint="give one label for each text") from None
    # What a config says of NUL is heeded when the run reads the rows.
    labels = from_memory((texts, values), DataConfig(strip_nul=True)).labels
    if values.dtype.kind == "f" and not (values == np.floor(values)).all():
        what = f"{UNKNOWN_TYPE}: continuous; these are numbers, not labels"
        raise DataError(what, where=IN_MEMORY, hint="make strings of them if they name classes")
    try:
        classes = np.unique(values)
    except TypeError:
        kinds = ", ".join(sorted({type(value).__name__ for value in values}))
        raise DataError(f"labels of more than one type: {kinds}", where=IN_MEMORY, hint="make them all str") from None
    if len(classes) < 2:
        what = f"one class only: every row has the label {labels[0]!r}"
        raise DataError(what, where=IN_MEMORY, hint="training needs at least two labels")
    if len(classes) != len(set(labels)):
        raise DataError("different labels are written alike", where=IN_MEMORY, hint="make them all str")
    return labels, classes


_OF_SEVERAL = ("data.labels", "data.label_separator", "data.label_columns")
"""Keys of texts with several labels."""


def _are_several(y: Any) -> bool:
    """Whether there is a list of labels for each text, or a column for each label."""
    if len(getattr(y, "shape", ())) == 2 and y.shape[1] > 1:
        return True
    return isinstance(y, list | tuple) and any(isinstance(each, list | tuple | set) for each in y)


def _as_array(y: Any) -> Any:
    """The labels as an array; of a list of several types one of objects, where NumPy would make text of numbers."""
    if hasattr(y, "to_numpy"):  # scikit-learn would make floats of pandas' Int64
        return y.to_numpy()
    listed = list(y) if isinstance(y, list | tuple) else y
    is_mixed = isinstance(listed, list) and len({isinstance(value, str) for value in listed}) > 1
    return np.array(listed, dtype=object) if is_mixed else listed


def _refused(name: str) -> Error:
    if name == "sample_weight":
        hint = "use class_weight, or give rows more than once"
        return UnsupportedError("rows have no weights of their own in training", where=name, hint=hint)
    return UnsupportedError("fit takes texts and labels alone", where=name)


@contextmanager
def _value_errors(begins: str = "") -> Iterator[None]:
    """What is wrong with parameters and rows becomes the `ValueError` that scikit-learn expects.

    A library that is not installed has its own message. A mistake's message begins with a word of the caller's.
    """
    try:
        yield
    except ConfigError as error:
        mistakes = [replace(each, where=begins or each.where) for each in error.mistakes]
        raise SettingError(mistakes) from None
    except DataError as error:
        raise RowsError(error.what, where=error.where, hint=error.hint) from None
    except ModuleNotFoundError as error:
        raise naming_extra(error) from None
