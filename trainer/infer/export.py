"""A model as a folder for other programs: in the Hugging Face layout, or as ONNX that was held against torch before it is there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trainer
from trainer.beside import made_beside
from trainer.corpus import load_corpus
from trainer.encoders import COMPACT
from trainer.errors import ModelError
from trainer.model.metrics import CLASSIC
from trainer.modelfolder import ModelFolder, read_label_names, read_max_length, read_thresholds

CLOSE, CLOSE_LOGIT = 1e-4, 1e-3
"""By how much a probability and a logit of model.onnx may differ from torch's."""

FP32, INT8 = "model.onnx", "model_int8.onnx"

BESIDE = ("config.json", "thresholds.json", "README.md", "README.original.md")
"""What lies beside the graphs, with the tokenizer's files."""


def export_whole(model: ModelFolder, target: Path) -> dict[str, Any]:
    """Copy the model to `target`, or write out one in compact form; the JSON document of `goemo-tui export`.

    Raises GoemoError for a target that is there or cannot be written, ModelError and NotFoundError for a broken model.
    """
    with made_beside(target) as fresh:
        _whole(model.path, fresh)
    return {"model": model.name, "folder": str(target), "files": _files(target), "onnx": None}


def export_onnx(
    model: ModelFolder,
    target: Path,
    int8: bool,
    data: str | None = None,
    tell: Callable[[str], None] = lambda what: None,
) -> dict[str, Any]:
    """Write the model as `model.onnx`, with `int8` also `model_int8.onnx`, and its tokenizer; the JSON document of `goemo-tui export`.

    Tried against torch on comments of the corpus `data` (left out: the sample): raises ModelError, and writes nothing, where
    fp32 differs by `CLOSE` or more. Raises as `export_whole` too, and NotFoundError or CorpusError for the corpus.
    """
    from trainer.infer import verify
    from trainer.model import onnx_file

    corpus = load_corpus(data)
    count = len(verify.comments(corpus).text)
    with made_beside(target) as fresh:
        whole = model.path
        if (whole / COMPACT).is_file():
            whole = fresh.with_name("whole")
            _whole(model.path, whole)
        fresh.mkdir()
        tell(f"writing {model.name} as ONNX")
        opset = onnx_file.write(whole, fresh / FP32, about(model, whole, "fp32"))
        if int8:
            onnx_file.write_int8(fresh / FP32, fresh / INT8, about(model, whole, "int8"))
        for name in (*BESIDE, *_tokenizer(whole)):
            if (whole / name).is_file():
                shutil.copyfile(whole / name, fresh / name)
        tell(f"holding it against torch on {count:,} comments of {corpus.name}")
        trial = verify.trial(whole, corpus)
        fp32 = verify.compared(trial, fresh / FP32)
        if not (fp32["largest"] < CLOSE and fp32["largest_logit"] < CLOSE_LOGIT):
            raise ModelError(
                f"{model.name} as ONNX does not say what torch says: a probability differs by {fp32['largest']:.1e}, a logit by "
                f"{fp32['largest_logit']:.1e}. Nothing was written; its architecture is not one that can be exported"
            )
        found = {
            "opset": opset,
            "verified_on": {"data": corpus.name, "comments": count},
            "fp32": {"file": FP32, **fp32},
            "int8": {"file": INT8, **verify.moved(trial, fresh / INT8)} if int8 else None,
        }
    return {"model": model.name, "folder": str(target), "files": _files(target), "onnx": found}


def about(model: ModelFolder, folder: Path, precision: str) -> dict[str, str]:
    """What the graph says of itself (`metadata_props`): what a program needs to turn logits into emotions, and whose it is."""
    from trainer.model.card import license_of

    labels, _ = read_label_names(folder)
    cuts = read_thresholds(folder) or {}
    said = json.loads((folder / "config.json").read_text("utf-8"))
    return {
        "labels": json.dumps(labels, ensure_ascii=False),
        "thresholds": json.dumps({name: cuts.get(name, CLASSIC) for name in labels}, ensure_ascii=False),
        "max_length": str(read_max_length(folder)),
        "pad_token_id": str(said.get("pad_token_id") or 0),
        "problem_type": "multi_label_classification",
        "activation": "sigmoid",
        "precision": precision,
        # of a folder the last part alone: a file is made to be shared
        "source": Path(model.name).name if model.kind == "folder" else model.name,
        "license": license_of(folder) or "not stated",
        "producer": f"goemo-tui {trainer.__version__}",
    }


def _whole(folder: Path, into: Path) -> None:
    if (folder / COMPACT).is_file():
        from trainer.model.compact import write_whole

        write_whole(folder, into)
    else:
        hidden = into.parent.name  # where a target lies within the model itself, it is among what is copied
        shutil.copytree(folder, into, ignore=lambda at, names: {hidden})


def _tokenizer(folder: Path) -> Sequence[str]:
    from trainer.model.foreign import TOKENIZERS

    return [name for name in TOKENIZERS if (folder / name).is_file()]


def _files(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())
