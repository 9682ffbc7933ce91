"""Comments there and back through two translation models, for more rows of other words that say the same.

What was translated is kept on disk text by text, so that a stop loses nothing. Safetensors only, no code of a model is
run. transformers takes seconds to import, so it is imported where it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import torch

from trainer import paths
from trainer.corpus.augment import Translate
from trainer.corpus.augmented import model_fingerprint
from trainer.corpus.interrupt import Cancelled
from trainer.corpus.pair import ADVICE, find_pair
from trainer.encoders import Encoder
from trainer.errors import ModelError
from trainer.learn.device import choose_device
from trainer.learn.memory import release
from trainer.model.classifier import quiet

BATCH = 32
LONGEST = 200
"""Tokens of a comment that are translated, and written, at most."""

BETWEEN = 20.0
"""Seconds between two reports of how far it is."""

Say = Callable[[str], None]


def translator(
    pair: str, device: str = "auto", say: Say = lambda text: None, stop: Callable[[], bool] = lambda: False
) -> Translate:
    """Texts there and back through the models that `pair` names; `say` is told now and then how far it is.

    The models are found now and loaded once they are needed, one at a time. What it returns raises Cancelled when
    `stop` says so, and ModelError for a model that cannot translate.
    """
    models = find_pair(pair)
    where = choose_device(device)

    def translate(texts: Sequence[str]) -> list[str]:
        for step, model in zip(("there", "back"), models, strict=True):
            texts = _through(model, texts, where, lambda text, step=step: say(f"translating {step}: {text}"), stop)  # type: ignore[misc]
        return list(texts)

    return translate


def _through(
    model: Encoder, texts: Sequence[str], device: torch.device, say: Say, stop: Callable[[], bool]
) -> list[str]:
    """The texts in the other language, from the translation memory where they are known."""
    memory = Memory(model)
    missing = sorted({text for text in texts if text not in memory.known}, key=lambda text: (len(text), text))
    if missing:
        run = _load(model, device)
        done, said = 0, time.monotonic()
        for part in _parts(missing):
            if stop():
                raise Cancelled("asked to stop")
            memory.add(part, run(part))
            done += len(part)
            if time.monotonic() - said >= BETWEEN:
                said = time.monotonic()
                say(f"{done:,} of {len(missing):,} comments")
        del run
        release(device)
    return [memory.known[text] for text in texts]


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    left = iter(texts)
    while part := list(islice(left, BATCH)):
        yield part


def _load(model: Encoder, device: torch.device) -> Callable[[list[str]], list[str]]:
    """A translation model, ready. Raises ModelError for a folder that is none."""
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    options: Any = {"trust_remote_code": False, "local_files_only": True}
    try:
        with quiet(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # sacremoses is recommended; punctuation is as good as it comes
            tokenizer = AutoTokenizer.from_pretrained(model.folder, **options)
            network = AutoModelForSeq2SeqLM.from_pretrained(model.folder, use_safetensors=True, **options)
    except Exception as error:  # transformers, safetensors and sentencepiece each raise their own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise ModelError(f"{model.folder} cannot be used for a translation: {reason}. {ADVICE}") from error
    network = network.to(device).eval()

    @torch.inference_mode()
    def run(texts: list[str]) -> list[str]:
        given = tokenizer(texts, return_tensors="pt", padding=True, truncation=True, max_length=LONGEST).to(device)
        most = min(LONGEST, 2 * given["input_ids"].shape[1] + 10)
        made = network.generate(
            input_ids=given["input_ids"], attention_mask=given["attention_mask"],
            num_beams=1, do_sample=False, max_length=None, max_new_tokens=most,
        )  # fmt: skip
        return [" ".join(text.split()) for text in tokenizer.batch_decode(made, skip_special_tokens=True)]

    return run


class Memory:
    """What a model translated before: `known[text]`. One JSON line a pair, appended batch by batch."""

    def __init__(self, model: Encoder) -> None:
        about = f"{model_fingerprint(str(model.folder))} {LONGEST}"
        self.file = paths.cache_folder() / "translations" / f"{hashlib.sha256(about.encode()).hexdigest()[:32]}.jsonl"
        self.known: dict[str, str] = dict(_lines(self.file))

    def add(self, texts: Sequence[str], translated: Sequence[str]) -> None:
        """Keep these too. A disk that refuses costs no more than their being kept."""
        pairs = list(zip(texts, translated, strict=True))
        self.known.update(pairs)
        lines = "".join("\n" + json.dumps(pair, ensure_ascii=False) for pair in pairs).encode()
        with suppress(OSError):
            paths.private_folder(self.file.parent)
            handle = os.open(self.file, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, lines + b"\n")
            finally:
                os.close(handle)


def _lines(file: Path) -> Iterator[tuple[str, str]]:
    """The pairs of a file; a line that is half there, or no pair, is passed over."""
    try:
        text = file.read_text("utf-8", "replace")
    except OSError:
        return
    for line in text.split("\n"):
        with suppress(ValueError):
            pair = json.loads(line) if line else None
            if isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair):
                yield pair[0], pair[1]
