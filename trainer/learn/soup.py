"""The mean of the weights of several runs as one model ("model soup"): near to what the runs say together, at the price of one.

It works where the runs began at the same weights, as trainings over one encoder do. Thresholds are fitted anew on dev.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

import trainer
from trainer.beside import free, made_beside
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.row_hashes import RowHashes
from trainer.corpus.tokens import load_tokenizer, tokenize
from trainer.encoders import find_encoder, read_json
from trainer.errors import ConfigError, CorpusError, ModelError, NotFoundError
from trainer.learn import validation
from trainer.learn.device import choose_device
from trainer.learn.task import Rows
from trainer.model import classifier, metrics
from trainer.model.card import card
from trainer.modelfolder import read_max_length
from trainer.runs.run import Run

SAME = (
    "model_type", "architectures", "num_hidden_layers", "hidden_size", "num_attention_heads", "intermediate_size",
    "vocab_size", "id2label",
)  # fmt: skip
"""What config.json must say alike of each."""


def soup(
    runs: Sequence[str],
    into: Path,
    data: str | None = None,
    device: str = "auto",
    say: Callable[[str], None] = lambda text: None,
) -> dict[str, Any]:
    """Write the mean of the models of `runs` into the folder `into`, which must not be there; its scores on dev.

    `data` is the corpus whose dev split thresholds are fitted on, left out: that of the first run. What is returned are
    the scores of a `validation` event; `say` is told where dev has too few rows to fit thresholds on, which are 0.3 then.
    Raises ConfigError, NotFoundError, ModelError, CorpusError, and GoemoError where the disk refuses.
    """
    found = [Run.open(name) for name in dict.fromkeys(runs)]
    if len(found) < 2:
        raise ConfigError("name two runs or more: the mean of one model is that model")
    free(into)
    if not into.absolute().parent.is_dir():
        raise ConfigError(f"the folder {into.absolute().parent} is not there; make it first", key="into")
    folders = [_model_of(run) for run in found]
    config = found[0].config
    weights = mean_weights(folders)
    corpus = load_corpus(data or config.data).under(config.taxonomy)
    if "dev" not in corpus.splits:
        raise CorpusError(f"{corpus.path} has no dev split, and without one no threshold can be fitted")
    names = tuple(read_json(folders[0] / "config.json")["id2label"].values())
    if names != corpus.labels.names:
        raise ModelError(
            f"{found[0].id} knows other labels than {corpus.path}: name the corpus it was trained on, --data"
        )
    model = classifier.load(folders[0])
    model.load_state_dict(weights)
    dev, tokenizer, longest = corpus.splits["dev"], load_tokenizer(folders[0]), read_max_length(folders[0])
    rows = Rows(tokenize(dev.text, tokenizer, longest), metrics.multi_hot(dev.labels, len(names)))
    on = choose_device(device)
    threshold = config.threshold
    if not threshold and not metrics.can_cross_fit(rows.truth):
        threshold = metrics.CLASSIC
        say(f"{too_few(len(dev.text), corpus)}: 0.3 for each label")
    scored = validation.score(model.to(on), rows, corpus.labels, on, threshold, config.threshold_fit, lambda: False)
    about = {
        "split": "dev",
        "metric": "f1" if not threshold else "fixed",
        "fitted_on": {
            "corpus": corpus.name, "sha256": corpus.fingerprint.get("dev", ""), "rows": len(dev.text),
            "macro_f1": scored.macro_f1, "way": config.threshold_fit if not threshold else "fixed",
            "mean_of": [run.id for run in found], **({} if threshold else RowHashes.of(dev.text).told()),
        },
        "thresholds": scored.thresholds,
    }  # fmt: skip
    encoder = find_encoder(config.encoder, allow_download=False)
    text = card(config, encoder.source, corpus.fingerprint, scored.fields, trainer.__version__)
    text = text.replace("## Scores on dev", f"The mean of the weights of {len(found)} runs.\n\n## Scores on dev", 1)
    with made_beside(into) as fresh:
        classifier.save(model.to("cpu"), folders[0], fresh, longest, about, text)
    return scored.fields


def too_few(rows: int, corpus: Corpus) -> str:
    """That no threshold can be fitted on so few rows, in words."""
    return f"dev of {corpus.path} has {rows:,} row{'s' if rows != 1 else ''}, too few to fit thresholds on"


def _model_of(run: Run) -> Path:
    if run.model is None:
        raise NotFoundError(f"run {run.id} has no model yet: the first one is kept after its first epoch")
    return run.model


def mean_weights(folders: Sequence[Path]) -> dict[str, Tensor]:
    """The mean, in fp32, of each weight of the classifiers in `folders`. Raises ModelError where they are not of one kind."""
    first = read_json(folders[0] / "config.json")
    tokenizer = (folders[0] / "tokenizer.json").read_bytes()
    total: dict[str, Tensor] = {}
    for folder in folders:
        said = read_json(folder / "config.json")
        other = next((name for name in SAME if said.get(name) != first.get(name)), None)
        if other or (folder / "tokenizer.json").read_bytes() != tokenizer:
            raise ModelError(
                f"{folder} and {folders[0]} differ in {other or 'their tokenizer'}: only models of one encoder, one kind of "
                f"pooling and the same labels have a mean"
            )
        try:
            weights = load_file(folder / "model.safetensors")
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{folder / 'model.safetensors'} cannot be read: {error}") from error
        for name, value in weights.items():
            total[name] = total[name].add_(value) if name in total else value.to(torch.float32, copy=True)
    return {name: value / len(folders) for name, value in total.items()}
