"""Finds the two models of a translation there and back: folders here, the Hub's cache, else a download. No torch."""

from __future__ import annotations

from trainer.config import translation_pair
from trainer.encoders import Encoder, Progress, find_encoder
from trainer.errors import ModelError, NotFoundError

KIND = "translation model"
ADVICE = (
    "back_translation takes any two translation models that transformers opens, the one there and the one back: "
    "translation=THERE+BACK with Hub names, or folders saved by save_pretrained. Without them: augment=synonyms+deletion"
)


def find_pair(text: str, progress: Progress | None = None, allow_download: bool = True) -> tuple[Encoder, Encoder]:
    """The folders of the two models that `text` names. Raises ConfigError, NotFoundError or ModelError with what to do."""
    there, back = translation_pair(text)
    return _find(there, progress, allow_download), _find(back, progress, allow_download)


def _find(name: str, progress: Progress | None, allow_download: bool) -> Encoder:
    try:
        return find_encoder(name, progress, allow_download, KIND)
    except NotFoundError as error:
        reason = str(error).partition(". An encoder is")[0]  # what is looked for is another kind of model
        if reason.startswith(KIND):
            reason = reason.partition(" is ")[2]
        raise NotFoundError(f"the translation model {name} is not here: {reason}. {ADVICE}") from None
    except ModelError as error:
        raise ModelError(f"the translation model {name} cannot be used: {error}. {ADVICE}") from None
