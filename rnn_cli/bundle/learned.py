"""The texts that a bundle's model learned from, as it keeps them: read only where rows are measured or trained on."""

from rnn_cli.bundle.model_folder import LEARNED, Bundle
from rnn_cli.copies.learned import LearnedTexts
from rnn_cli.errors import BundleError


def learned_texts(opened: Bundle) -> LearnedTexts | None:
    """What a model learned from; None where an earlier release wrote the bundle, or it is an export.

    Raises `BundleError` where the file is damaged.
    """
    if LEARNED not in opened.manifest.files:
        return None
    try:
        return LearnedTexts.from_bytes(opened.read(LEARNED))
    except ValueError as error:
        what = f"not the texts' hashes as this rnn writes them ({error})"
        raise BundleError(what, where=str(opened.path / LEARNED)) from None
