"""`goemo-tui import`: a model saved elsewhere becomes one of ours, with safetensors, names for its outputs and thresholds."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainer import paths
from trainer.beside import free, made_beside
from trainer.config import TrainConfig
from trainer.corpus import Corpus, load_corpus
from trainer.corpus.row_hashes import RowHashes
from trainer.corpus.tokens import load_tokenizer
from trainer.errors import ConfigError, CorpusError, GoemoError, ModelError, NotFoundError
from trainer.infer.matching import matched
from trainer.infer.output_names import ORDERS, Named, name_outputs, official, order_doubt
from trainer.infer.predictor import Predictor
from trainer.labels import EMOTIONS, LabelSet
from trainer.learn import validation
from trainer.learn.soup import too_few
from trainer.model import classifier, convert, foreign
from trainer.model.card import imported_card, license_of
from trainer.model.metrics import CLASSIC, can_cross_fit, multi_hot
from trainer.modelfolder import (
    STARTER,
    ModelFolder,
    file_digest,
    is_imported_name,
    read_max_length,
    read_thresholds,
)

Array = np.ndarray[Any, np.dtype[Any]]

ORIGINAL = "README.original.md"
"""The card that the model came with."""

SINGLE = "single_label_classification"


def adopt(
    source: str,
    into: str | None = None,
    name: str | None = None,
    labels: str | None = None,
    data: str | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Import the model in the folder `source`; the JSON document of `goemo-tui import`.

    It is written to the folder `into`, else to `paths.models_folder()` under `name` (left out: as its folder is called).
    `labels`: `emotions`, `alphabetical` or a file with a name a line, in the order of the outputs. `data`: a corpus whose
    dev split thresholds are fitted on. `tell` hears what takes long. Raises NotFoundError, ModelError, CorpusError,
    ConfigError, and GoemoError for a target that is there or cannot be written.
    """
    found = foreign.look(source)
    target = _target(found.folder, into, name)
    if labels is not None and labels not in ORDERS and not paths.expanded(labels).is_file():
        raise NotFoundError(
            f"{labels}: no such file. --labels takes emotions, alphabetical or a file with a name a line"
        )
    corpus = _with_dev(data) if data else None
    try:
        if into is None:
            paths.private_folder(target.parent)
    except OSError as error:
        raise GoemoError(f"{target} cannot be written: {error.strerror or error}") from error
    with made_beside(target) as fresh:
        made = _make(found, fresh, labels, corpus, tell)
    return {
        "model": target.name if into is None else str(target),
        "folder": str(target),
        "source": str(found.folder),
        **made,
    }


def _target(folder: Path, into: str | None, name: str | None) -> Path:
    """Where to. Raises ConfigError for a name that cannot be, GoemoError for a place that is taken."""
    if into is not None and name is not None:
        raise ConfigError("--into names a folder of yours, --name one among the imported models: give one of them")
    if into is not None:
        target = paths.expanded(into).resolve()
        remedy = "name a folder that is not"
    else:
        called = name if name is not None else re.sub(r"[^\w.-]+", "-", folder.name, flags=re.ASCII).strip("-._")
        if not is_imported_name(called) or called == STARTER:
            raise ConfigError(
                f"{called!r} is no name for a model: letters, digits, - _ and . are, up to 64 of them, and not {STARTER}. "
                "Give one with --name"
            )
        if (paths.runs_folder() / called).exists():
            raise GoemoError(f"a run is called {called}: give the model another name, --name")
        target = paths.models_folder() / called
        remedy = "give another name with --name, or remove it: goemo-tui models rm " + called
    free(target, remedy)
    return target


def _with_dev(data: str) -> Corpus:
    corpus = load_corpus(data)
    if "dev" not in corpus.splits or not len(corpus.splits["dev"].text):
        raise CorpusError(f"{corpus.path} has no dev split, and without one no threshold can be fitted")
    return corpus


def _make(
    found: foreign.Foreign, fresh: Path, labels: str | None, corpus: Corpus | None, tell: Callable[[str], None]
) -> dict[str, Any]:
    """Write the folder `fresh`, and what comes before it beside it; what the document says of it."""
    beside = fresh.parent
    notes = list(foreign.write_tokenizer(found, beside / "tokenizer"))
    if found.pickled:
        tell(
            f"{', '.join(p.name for p in found.weights)}: pickled, so it is read by a process of its own, with weights_only and "
            "without network; nothing else in this program reads such a file"
        )
    else:
        tell("importing torch and transformers")
    (beside / "weights").mkdir()
    read = convert.read(found, beside / "weights")
    outputs = convert.head_of(found, read.weights)
    named = name_outputs(found, outputs, labels)
    model, unused = convert.classifier_of(found, read.weights, named.names)
    order, ours = official(named.names)
    convert.reordered(model, order)
    _relabel(model, ours)
    notes += [*named.warnings, *_remarks(found, named, ours, read, unused)]
    notes += _vocabulary(model, beside / "tokenizer", found)
    cuts = _own_cuts(found.folder, ours, notes)
    _save(model, found, beside / "tokenizer", fresh, cuts or _fixed(ours))
    scores: dict[str, Any] = {}
    predictor = Predictor(ModelFolder(found.folder.name, fresh, "folder"), "cpu")
    if not np.isfinite(predictor.probabilities(["I love it, thank you!", ""])).all():
        raise ModelError(f"{found.folder}: what the model says of a text is no number")
    if corpus is not None:
        tell(f"scoring the {len(corpus.splits['dev'].text):,} comments of {corpus.name}'s dev split")
        fitted, scores = _fit(predictor, corpus, named, order, notes)
        if fitted:
            (fresh / "thresholds.json").write_text(json.dumps(fitted, indent=2, ensure_ascii=False) + "\n", "utf-8")
        else:
            kept = "its own stay" if cuts else "0.3 for each label"
            notes.append(f"{too_few(len(corpus.splits['dev'].text), corpus)}: {kept}")
    digests = {file.name: file_digest(file) for file in found.weights}
    card = imported_card(
        found.folder.name, type(model).__name__, license_of(found.folder), digests, notes, scores
    )  # fmt: skip
    (fresh / "README.md").write_text(card, "utf-8")
    return {
        "architecture": type(model).__name__,
        "weights": {
            "format": "pickle" if found.pickled else "safetensors",
            "files": digests,
            "network": read.network or None,
        },
        "labels": list(ours),
        "labels_from": named.origin,
        "reordered": order != list(range(len(order))),
        "thresholds": "fitted" if scores else "own" if cuts else "fixed",
        "validation": scores or None,
        "warnings": notes,
    }


def _relabel(model: Any, names: tuple[str, ...]) -> None:
    model.config.id2label = dict(enumerate(names))
    model.config.label2id = {name: k for k, name in enumerate(names)}


def _remarks(
    found: foreign.Foreign, named: Named, ours: tuple[str, ...], read: convert.Read, unused: Sequence[str]
) -> list[str]:
    """What should be known of the model, for people."""
    notes = []
    if named.origin == "official":
        notes.append(
            "LABEL ORDER: nothing in the folder says what the 28 outputs mean. Output 0 is taken as admiration, 20 as optimism, 27 "
            "as neutral (the official order). If it was trained on an alphabetical list, 20 is neutral and 27 surprise: import "
            "it with --labels alphabetical; for any other order --labels FILE, one name a line. --data CORPUS compares the orders"
        )
    if named.names != ours:
        notes.append("the outputs were put into the official order, neutral last; each name keeps its output")
    elif named.names[0] == "LABEL_0":
        notes.append(
            "the outputs have no names but LABEL_0 …: give them with --labels FILE, one name a line, in their order"
        )
    said = found.said.get("problem_type")
    if said == SINGLE:
        notes.append(
            "config.json says that the model picks one label of many (softmax); here each label is judged by itself (sigmoid), so "
            "fit thresholds with --data"
        )
    elif said is None:
        notes.append("config.json names no problem_type: taken as multi-label, a sigmoid on each output")
    if read.left_out:
        notes.append(f"beside the weights lay what is none and was left: {_some(read.left_out)}")
    if unused:
        notes.append(
            f"weights that a {found.config['model_type']} classifier has no place for were left: {_some(unused)}"
        )
    return notes


def _vocabulary(model: Any, tokenizer: Path, found: foreign.Foreign) -> list[str]:
    """Whether tokenizer and embedding belong together. Raises ModelError for tokens that the model does not have."""
    known = load_tokenizer(tokenizer).get_vocab_size()
    rows = int(model.get_input_embeddings().weight.shape[0])
    if known > rows:
        raise ModelError(
            f"{found.folder}: its tokenizer has {known:,} tokens, but the model only {rows:,}: it is the tokenizer of another model"
        )
    if rows - known > max(1_000, rows // 20):
        return [f"the tokenizer has {known:,} tokens and the model {rows:,}: is it this model's own?"]
    return []


def _fixed(names: Sequence[str]) -> dict[str, Any]:
    return {"split": None, "metric": "fixed", "fitted_on": None, "thresholds": dict.fromkeys(names, CLASSIC)}


def _own_cuts(folder: Path, names: Sequence[str], notes: list[str]) -> dict[str, Any] | None:
    """The folder's own thresholds.json where it fits the names; a note where it does not."""
    try:
        own = read_thresholds(folder)
    except ModelError as error:
        notes.append(f"its thresholds are left out: {error}")
        return None
    if own is None:
        return None
    small = {key.lower(): value for key, value in own.items()}
    if set(small) != {name.lower() for name in names}:
        notes.append("its thresholds.json names other labels and is left out")
        return None
    whole = json.loads((folder / "thresholds.json").read_text("utf-8"))
    return {**whole, "thresholds": {name: small[name.lower()] for name in names}}


def _save(model: Any, found: foreign.Foreign, tokenizer: Path, fresh: Path, cuts: dict[str, Any]) -> None:
    """Our folder, with the length that the model was read with before."""
    lengths = fresh.with_name("lengths")
    lengths.mkdir()
    (lengths / "config.json").write_text(json.dumps(found.said), "utf-8")
    shutil.copyfile(tokenizer / "tokenizer_config.json", lengths / "tokenizer_config.json")
    classifier.save(model, tokenizer, fresh, read_max_length(lengths), cuts, "")
    shutil.rmtree(lengths)
    original = found.folder / "README.md"
    if original.is_file() and original.stat().st_size < 1_000_000:
        shutil.copyfile(original, fresh / ORIGINAL)


def _fit(
    predictor: Predictor, corpus: Corpus, named: Named, order: list[int], notes: list[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """thresholds.json fitted on the corpus's dev split, and the scores of a `validation` event; both empty where it has too
    few rows. Adds to `notes`.
    """
    labels = matched(corpus, predictor.labels)
    rows = labels.corpus.splits["dev"]
    truth = multi_hot(rows.labels, len(labels.corpus.labels))[:, labels.in_corpus]
    if not can_cross_fit(truth):
        return {}, {}
    whole = predictor.probabilities(rows.text)
    names = LabelSet(tuple(predictor.labels[k] for k in labels.in_model))
    way = TrainConfig().threshold_fit
    scored = validation.judged(truth, whole[:, labels.in_model], names, 0.0, way)
    notes += labels.notes("dev", truth_rows=len(rows.text))
    if set(names.names) == set(EMOTIONS):
        notes += order_doubt(named, truth[:, [names.names.index(n) for n in EMOTIONS]], whole[:, np.argsort(order)])
    cuts = {name: scored.thresholds.get(name, CLASSIC) for name in predictor.labels}
    about = {
        "split": "dev",
        "metric": "f1",
        "fitted_on": {
            "corpus": corpus.name, "sha256": rows.sha256, "rows": len(rows.text), "macro_f1": scored.macro_f1, "way": way,
            **RowHashes.of(rows.text).told(),
        },
        "thresholds": cuts,
    }  # fmt: skip
    return about, scored.fields


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
