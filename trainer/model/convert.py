"""Weights from elsewhere -> a stock classifier of transformers: names of today, fp32, nothing missing, nothing made up.

Pickled weights come through a child process (`pickled`); this process reads safetensors alone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

import trainer
from trainer.errors import ModelError
from trainer.model import classifier
from trainer.model.foreign import Foreign
from trainer.model.pickled import SECONDS

KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV")
"""What the child process learns of the environment: no token, no address."""

RENAMED = {"gamma": "weight", "beta": "bias"}
"""What norms were called when BERT came from TensorFlow."""

WRAPPERS = ("module.", "_orig_mod.")
"""What DataParallel and torch.compile put before every name."""

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class Read:
    """`weights` under the names of today. `network`: how the process that unpickled them was cut off, "" where none was.

    `left_out`: what lay beside the weights and is none.
    """

    weights: Weights
    network: str = ""
    left_out: tuple[str, ...] = ()


def read(foreign: Foreign, work: Path, seconds: float = SECONDS) -> Read:
    """The weights of `foreign`; `work` is an empty folder for what is made on the way. Raises ModelError."""
    files, told = list(foreign.weights), {}
    if foreign.pickled:
        told = _unpickled(foreign, work, seconds)
        files = [work / f"{number}.safetensors" for number in range(len(files))]
    weights: Weights = {}
    for file in files:
        try:
            weights |= load_file(file)
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{file} cannot be read: {error}") from error
    named = {today(name): value for name, value in _unwrapped(weights).items()}
    broken = [name for name, value in named.items() if value.is_floating_point() and not torch.isfinite(value).all()]
    if broken:
        raise ModelError(f"{foreign.folder}: weights are not numbers (NaN or infinite): {_some(broken)}")
    return Read(named, str(told.get("network", "")), tuple(str(name) for name in told.get("left_out", ())))


def today(name: str) -> str:
    """The name of a weight as it is called now."""
    stem, _, last = name.rpartition(".")
    return f"{stem}.{RENAMED[last]}" if last in RENAMED and "norm" in stem.lower() else name


def _unwrapped(weights: Weights) -> Weights:
    for prefix in WRAPPERS:
        if weights and all(name.startswith(prefix) for name in weights):
            weights = {name.removeprefix(prefix): value for name, value in weights.items()}
    return weights


def _unpickled(foreign: Foreign, work: Path, seconds: float) -> dict[str, Any]:
    """What the child process tells; raises ModelError with what it says is wrong, or how it ended."""
    root = str(Path(trainer.__file__).parent.parent)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (root, environment.get("PYTHONPATH"))))
    environment |= {
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [
        sys.executable,
        "-P",
        "-m",
        "trainer.model.pickled",
        str(os.getpid()),
        str(work),
        *map(str, foreign.weights),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=seconds, check=False, env=environment,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ModelError(
            f"{foreign.folder}: reading its weights took more than {seconds:g} seconds and was ended: refused"
        ) from None
    except OSError as error:
        raise ModelError(f"no process for reading pickled weights can be started: {error.strerror or error}") from error
    try:
        told = json.loads(done.stdout)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ModelError(f"{foreign.folder}: reading its weights came to nothing: {_end(done)}")
    if done.returncode or "error" in told:
        raise ModelError(f"{foreign.folder}: {told.get('error', _end(done))}")
    return told


def _end(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode < 0:
        name = signal.Signals(-done.returncode).name
        return (
            f"the process that read them was ended by {name}, as one is that needs more memory or time than weights do"
        )
    return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:300]


def head_of(foreign: Foreign, weights: Weights) -> int:
    """How many outputs the classifier has, read off its last layer. Raises ModelError where there is none."""
    count = 3  # a number that no other layer of a real encoder has
    try:
        with torch.device("meta"), classifier.quiet():
            empty = _kind().from_config(_config(foreign, [f"L{k}" for k in range(count)]), trust_remote_code=False)
    except Exception as error:  # transformers raises its own for each kind
        raise ModelError(
            f"{foreign.folder}: transformers has no classifier of the kind {foreign.config['model_type']!r}, or config.json is "
            f"wrong ({_first_line(error)}). Code that comes with a model is never run"
        ) from error
    last = classifier.last_layer(empty, count)
    name = next(name for name, module in empty.named_modules() if module is last)
    found = weights.get(f"{name}.weight")
    if found is None or found.ndim != 2:
        raise ModelError(
            f"{foreign.folder} is no trained classifier: it lacks {name}.weight. An encoder is trained first: "
            f"goemo-tui train --encoder FOLDER"
        )
    return int(found.shape[0])


def classifier_of(foreign: Foreign, weights: Weights, labels: tuple[str, ...]) -> tuple[nn.Module, tuple[str, ...]]:
    """The stock classifier with these weights, in fp32, and the names of weights that it has no place for.

    Raises ModelError for weights that are missing or of another shape: nothing starts at random.
    """
    try:
        with classifier.quiet():
            config = _config(foreign, labels)
            kind: Any = type(_on_meta(config))
            model, info = kind.from_pretrained(
                None, config=config, state_dict=weights, output_loading_info=True, dtype=torch.float32,
                ignore_mismatched_sizes=True,
            )  # fmt: skip
    except Exception as error:  # transformers and torch each raise their own
        raise ModelError(f"{foreign.folder} cannot be loaded as a classifier: {_first_line(error)}") from error
    wrong = [f"{name} is {tuple(theirs)}, not {tuple(ours)}" for name, theirs, ours in info.get("mismatched_keys", ())]
    if wrong:
        raise ModelError(f"{foreign.folder}: weights do not fit config.json: {_some(sorted(wrong))}")
    missing = sorted(info.get("missing_keys", ()))
    if missing:
        raise ModelError(f"{foreign.folder} lacks weights that config.json speaks of: {_some(missing)}")
    odd = sorted(name for name in info.get("unexpected_keys", ()) if not name.endswith("position_ids"))
    return model.eval(), tuple(odd)


def reordered(model: nn.Module, order: list[int]) -> None:
    """Put the outputs into another order: output i becomes what output `order[i]` was."""
    last = classifier.last_layer(model, len(order))
    with torch.no_grad():
        last.weight.copy_(last.weight[order].clone())
        if last.bias is not None:
            last.bias.copy_(last.bias[order].clone())


def _on_meta(config: Any) -> nn.Module:
    with torch.device("meta"):
        empty: nn.Module = _kind().from_config(config, trust_remote_code=False)
    return empty


def _kind() -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification


def _config(foreign: Foreign, labels: tuple[str, ...] | list[str]) -> Any:
    """transformers' configuration of a multi-label classifier with these labels."""
    from transformers import AutoConfig

    said = {
        **{
            key: value
            for key, value in foreign.config.items()
            if key not in ("model_type", "num_labels", "_num_labels", "architectures")
        },
        "id2label": dict(enumerate(labels)),
        "label2id": {name: k for k, name in enumerate(labels)},
        "problem_type": "multi_label_classification",
    }
    return AutoConfig.for_model(foreign.config["model_type"], **said)


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
