"""A model's folder that another program wrote: which files are its weights, what its config.json may keep, its tokenizer.

Looks and copies; opens no weights (`convert` does) and runs no code that comes with the folder. torch stays out.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.encoders import read_json
from trainer.errors import ModelError, NotFoundError

PICKLED = (".bin", ".pt", ".pth", ".ckpt")
"""Endings of files that torch.save writes."""

NO_WEIGHTS = {
    "training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scheduler.bin", "rng_state.pth", "scaler.pt",
    "random_states_0.pkl",
}  # fmt: skip
"""What a training leaves beside its weights."""

DROPPED = (
    "auto_map", "custom_pipelines", "_attn_implementation", "attn_implementation", "_attn_implementation_internal",
    "torch_dtype", "dtype", "_name_or_path", "transformers_version", "use_kernels", "transformers_weights",
    "_commit_hash", "gradient_checkpointing",
)  # fmt: skip
"""What config.json loses: whatever names code or another place, and what is said of how it was saved."""

TOKENIZERS = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.txt", "vocab.json",
    "merges.txt", "spiece.model", "sentencepiece.bpe.model", "spm.model", "tokenizer.model", "bpe.codes",
)  # fmt: skip
"""Files that say how a text becomes tokens."""

MOST_LAYERS = 1_000
"""Of a model. Building an empty one takes time and memory for each, before a weight is looked at."""

VOCABULARIES = tuple(n for n in TOKENIZERS if n.startswith(("tokenizer.", "vocab", "sp", "sentencepiece", "bpe")))
"""Those without which the others say nothing."""


@dataclass(frozen=True)
class Foreign:
    """`config` is what config.json says, without `DROPPED`; `said` is all of it. `pickled`: `weights` are no safetensors."""

    folder: Path
    config: dict[str, Any]
    said: dict[str, Any]
    weights: tuple[Path, ...]
    pickled: bool


def look(name: str) -> Foreign:
    """What the folder `name` holds. Raises NotFoundError where there is none, ModelError where it is no model."""
    folder = paths.expanded(name)
    try:
        if not folder.is_dir():
            what = "is a file: name the folder that it lies in" if folder.is_file() else "no such folder"
            raise NotFoundError(f"{folder}: {what}. A model's folder holds config.json, its weights and its tokenizer")
        folder = folder.resolve()
        found, pickled = _weights(folder)
    except OSError as error:
        raise ModelError(f"{folder} cannot be read: {error.strerror or error}") from None
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"{folder} holds no config.json, so nobody can tell what its weights are: save the model where it was made with "
            "model.save_pretrained(FOLDER) and tokenizer.save_pretrained(FOLDER)"
        )
    said = read_json(folder / "config.json")
    if not isinstance(said.get("model_type"), str):
        raise ModelError(f"{folder / 'config.json'} does not say what kind of model it is (model_type)")
    for key, value in said.items():
        if ("layer" in key or "group" in key) and isinstance(value, int) and value > MOST_LAYERS:
            raise ModelError(f"{folder / 'config.json'}: {key[:80]} is {value}, more than any model has")
    if said.get("quantization_config"):
        raise ModelError(
            f"{folder} holds quantized weights, which are not imported: import the model that they were made of"
        )
    return Foreign(folder, {key: value for key, value in said.items() if key not in DROPPED}, said, found, pickled)


def _weights(folder: Path) -> tuple[tuple[Path, ...], bool]:
    """The files of the weights, and whether they are pickled. Safetensors come first where there are both."""
    for stem, ending, pickled in (("model", "safetensors", False), ("pytorch_model", "bin", True)):
        whole, index = folder / f"{stem}.{ending}", folder / f"{stem}.{ending}.index.json"
        if whole.is_file():
            return (whole,), pickled
        if index.is_file():
            return _shards(index), pickled
    files = [p for p in sorted(folder.iterdir()) if p.is_file() and p.name not in NO_WEIGHTS]
    for endings in ((".safetensors",), PICKLED):
        found = [p for p in files if p.suffix in endings]
        if len(found) == 1:
            return (found[0],), endings is PICKLED
        if found:
            names = ", ".join(p.name for p in found[:4])
            raise ModelError(f"{folder} holds several files of weights ({names}) and no index: leave one of them there")
    if (folder / "adapter_config.json").is_file():
        raise ModelError(
            f"{folder} holds an adapter without its encoder: merge it where it was made, then save the whole model"
        )
    others = [p.name for p in files if p.suffix in (".h5", ".msgpack", ".onnx", ".tflite", ".pkl")]
    seen = f" ({', '.join(others[:3])} is of another format)" if others else ""
    raise ModelError(f"{folder} holds no weights: model.safetensors or pytorch_model.bin is looked for{seen}")


def _shards(index: Path) -> tuple[Path, ...]:
    """The files that an index names. Raises ModelError for one that is not there, or lies elsewhere."""
    table = read_json(index).get("weight_map")
    if not isinstance(table, dict) or not table or not all(isinstance(name, str) for name in table.values()):
        raise ModelError(f"{index} names no files (weight_map)")
    names = sorted(set(table.values()))
    for name in names:
        if Path(name).name != name or not (index.parent / name).is_file():
            raise ModelError(f"{index} names {name[:100]}, which is not in its folder: the model was not copied whole")
    return tuple(index.parent / name for name in names)


def write_tokenizer(foreign: Foreign, into: Path) -> tuple[str, ...]:
    """Write tokenizer.json and what belongs to it into `into`, made anew; sentences for people.

    What lies there in another form is converted by transformers, from these files alone. Raises ModelError, NotFoundError.
    """
    into.mkdir()
    for name in TOKENIZERS:
        if (foreign.folder / name).is_file():
            shutil.copyfile(foreign.folder / name, into / name)
    if not any((into / name).is_file() for name in VOCABULARIES):
        base = foreign.said.get("_name_or_path")
        of = f" (config.json says it began as {base[:80]})" if isinstance(base, str) and base else ""
        raise NotFoundError(
            f"{foreign.folder} has no tokenizer: put that of its encoder{of} beside the weights, "
            "tokenizer.save_pretrained(FOLDER) where it was made"
        )
    about = into / "tokenizer_config.json"
    settings = read_json(about) if about.is_file() else {}
    settings = {key: value for key, value in settings.items() if key not in ("auto_map", "name_or_path")}
    notes: list[str] = []
    if "do_lower_case" not in settings and not (into / "tokenizer.json").is_file() and _is_cased(into / "vocab.txt"):
        settings["do_lower_case"] = False
        notes.append("vocab.txt has words in capitals and nothing says otherwise: texts are not lowered")
    about.write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    if not (into / "tokenizer.json").is_file():
        _convert(foreign, into)
        notes.append("tokenizer.json was made of the vocabulary that lay there")
    return tuple(notes)


def _is_cased(vocabulary: Path) -> bool:
    """Whether a word list has more than a few words with capitals, beside [CLS] and the like."""
    if not vocabulary.is_file():
        return False
    words = vocabulary.read_text("utf-8", "replace").split("\n")
    return sum(word != word.lower() and not word.startswith("[") for word in words) > len(words) // 50


def _convert(foreign: Foreign, folder: Path) -> None:
    from transformers import AutoTokenizer

    from trainer.model.classifier import quiet

    (folder / "config.json").write_text(json.dumps({"model_type": foreign.config["model_type"]}), "utf-8")
    try:
        with quiet():
            made = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            made.backend_tokenizer.save(str(folder / "tokenizer.json"))
    except Exception as error:  # each tokenizer has its own
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(
            f"{foreign.folder}: its tokenizer cannot be converted to tokenizer.json ({first[:200]})"
        ) from error
    (folder / "config.json").unlink()
