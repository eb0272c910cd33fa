"""A teacher learns from labelled and unlabelled texts together, and gives the unlabelled ones probable labels.

It learns a vector of each text, without labels. A linear model of these vectors and one of n-grams are fitted to the
labelled rows and mixed by cross-validation. A network then learns from the probabilities that they give; its n-gram
part is fitted to their log-odds. The teacher itself is not kept. Takes no TensorFlow.

Source: Hinton, Vinyals and Dean (2015), Distilling the knowledge in a neural network.
"""

from dataclasses import replace
from time import monotonic

import numpy as np

from rnn_cli.arrays import Floats32
from rnn_cli.config.schema import TeacherConfig
from rnn_cli.linear.held_ngrams import held_ngrams
from rnn_cli.linear.ngrams import COUNTED_TEXTS, ngram_counts
from rnn_cli.training.documents import document_vectors
from rnn_cli.training.encoding import with_lessons
from rnn_cli.training.listener import Listener
from rnn_cli.training.prepare import Prepared
from rnn_cli.transfer.stacking import LEAST_ROWS, KnownRows, fit_stack

WITHOUT = "without --unlabelled, rnn train FILE has a config that suits few rows better"

VECTOR_PART = "document vectors"

SUREST = 8.0
"""Log-odds are kept this near zero: a text that a teacher is surer of teaches no more."""


def taught(run: Prepared, listener: Listener) -> Prepared:
    """The run with what its teacher says, if its config wants one and cross-validation finds that it pays."""
    config = run.config.training.teacher
    if config is None:
        return run
    weights = repr(run.config.training.class_weight)
    model = (run.config.model.ngrams, run.config.model.ngram_buckets, run.config.training.seed)
    key = (run.config.tokenizer.model_dump_json(), config.model_dump_json(), *model, weights)
    found = run.shared.once("lessons", key, lambda: _taught(run, config, listener))
    return run if found.to_learn is None else replace(run, to_learn=found.to_learn)


def _taught(run: Prepared, config: TeacherConfig, listener: Listener) -> Prepared:
    began, labelled = monotonic(), len(run.learned_rows)
    if labelled < LEAST_ROWS:
        listener.warn(f"no teacher: {labelled} training rows are too few to cross-validate it; {WITHOUT}")
        return run
    vectors = _vectors(run, config, listener)
    listener.doing("teacher: counting n-grams")
    model = run.config.model
    counts = ngram_counts(
        [*run.train.sequences, *run.taught_ids],
        longest=model.ngrams,
        vocab_size=run.tokenizer.vocab_size,
        buckets=model.ngram_buckets,
    )
    weights = run.train.weights.astype(np.float64)
    column = run.config.data.group_column
    stacked = fit_stack(
        KnownRows(vectors[:labelled].astype(np.float64), counts[:labelled], run.train.classes, weights),
        run.learned_rows.texts,
        run.labels,
        None,
        lambda what, done, total: listener.progress(f"teacher: {what}", done, total),
        run.learned_rows.further[column] if column else None,
        features=VECTOR_PART,
    )
    trial = stacked.trial
    if trial is None or stacked.held_out is None:
        listener.warn(f"no teacher: nearly all training texts are alike, so it cannot be cross-validated; {WITHOUT}")
        return run
    listener.note(
        f"teacher, cross-validated on {trial.rows:,} rows: {trial.accuracy:.1%} right, {trial.ngram_accuracy:.1%} by "
        f"n-grams alone; weights: {stacked.weights_in_words()}; {monotonic() - began:.0f}s"
    )
    if trial.accuracy < trial.ngram_accuracy:
        listener.warn(f"no teacher: the unlabelled texts do not help it; are they of another kind? {WITHOUT}")
        return run
    listener.doing("teacher: reading the unlabelled texts")
    head = stacked.head
    lessons = np.empty((len(vectors), len(run.labels)), np.float32)
    for start in range(0, len(vectors), COUNTED_TEXTS):
        some = slice(start, start + COUNTED_TEXTS)
        read = KnownRows(vectors[some].astype(np.float64), counts[some], np.empty(0, np.intp), np.empty(0))
        lessons[some] = head.logits(read, np.arange(read.counts.shape[0]))
    lessons[:labelled] = stacked.held_out
    np.clip(lessons, -SUREST, SUREST, out=lessons)
    return replace(run, to_learn=with_lessons(run.train, run.taught_ids, lessons))


NGRAMS_TO_READ, FEWEST_EPOCHS, MOST_EPOCHS = 230_000_000, 5, 40
"""How many n-grams are read in all, as far as that takes so many epochs. 70,000 film reviews are then read 8 times, as
in the trials with them. 23,000 shorter reviews of products are read 40 times: 200 labels on their vectors were right in
77.7 % after 8 times, in 80.6 % after 20 and in 81.2 % after 40."""


def _epochs(held: int) -> int:
    """How often to read texts that hold so many n-grams."""
    return min(max(round(NGRAMS_TO_READ / max(held, 1)), FEWEST_EPOCHS), MOST_EPOCHS)


def _vectors(run: Prepared, config: TeacherConfig, listener: Listener) -> Floats32:
    """The document vectors of the training rows and of all unlabelled texts."""
    began = monotonic()
    texts = [*run.learned_rows.texts, *run.taught_texts]
    listener.doing("document vectors: finding n-grams")
    held = held_ngrams(texts)
    vectors = document_vectors(
        held,
        dim=config.dim,
        epochs=config.passes or _epochs(held.nnz),
        seed=run.config.training.seed,
        on_progress=lambda done, total: listener.progress("document vectors: texts", done, total),
    )
    listener.note(
        f"document vectors of {len(texts):,} texts, from {held.shape[1]:,} words, pairs and triples of words, "
        f"{monotonic() - began:.0f}s"
    )
    return vectors
