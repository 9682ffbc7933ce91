"""The card of a model on the Hub: front matter that the Hub reads, over the text that goemo-tui wrote with the model.

Says nothing that is not known (no licence is guessed) and nothing of this machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainer.errors import GoemoError
from trainer.modelfolder import STARTER, ModelFolder
from trainer.shared import shared

GO_EMOTIONS = "google-research-datasets/go_emotions"
"""What the Hub calls the corpus that goemo-tui calls `goemotions`."""

BASES = {"minilm": "sentence-transformers/all-MiniLM-L6-v2", "distilbert": "distilbert/distilbert-base-uncased"}
"""What the Hub calls the encoders with short names."""

_SCORES = re.compile(r"macro-F1 ([\d.]+) · micro-F1 ([\d.]+) · weighted-F1 ([\d.]+)")


@dataclass(frozen=True)
class Origin:
    """Where a model comes from, as far as that is known: names on the Hub, or empty."""

    dataset: str = ""
    encoder: str = ""


def origin_of(model: ModelFolder, text: str) -> Origin:
    """What a model was learned from: of a run by its settings, of any other by what its card says of them."""
    told = dict(re.findall(r"^\| (data|encoder) \| `([^`]*)` \|$", text, re.MULTILINE))
    if model.kind == "run":
        from trainer.runs.run import Run

        try:
            config = Run.open(model.name).config
            told = {"data": config.data, "encoder": config.encoder}
        except GoemoError:
            pass  # the card says it too
    data, encoder = told.get("data", ""), told.get("encoder", "")
    dataset = GO_EMOTIONS if data == "goemotions" else re.split("[:@]", data)[0]
    return Origin(
        dataset if _on_hub(dataset) else "", BASES.get(encoder, encoder.partition("@")[0] if _on_hub(encoder) else "")
    )


def _on_hub(name: str) -> bool:
    from trainer.hub_client import is_name

    return is_name(re.split("[:@]", name)[0]) and not Path(name).exists()


def written(model: ModelFolder, text: str, repo: str, labels: tuple[str, ...], license: str | None) -> str:
    """The card as the Hub gets it: `text` is the README.md beside the model, which may be empty."""
    origin = origin_of(model, text)
    if license is None and model.name == STARTER:
        license = "apache-2.0"  # it ships with this program and under its licence
    body = _body(text, repo) or _plain_body(labels)
    front = _front(repo, origin, license, body)
    return f"---\n{front.strip()}\n---\n\n{body.strip()}\n"


def _front(repo: str, origin: Origin, license: str | None, body: str) -> str:
    from huggingface_hub import EvalResult, ModelCardData

    more: dict[str, Any] = {}
    found = _SCORES.search(body)
    if found:
        names = ("macro-F1 (dev, cross-fitted)", "micro-F1 (dev, cross-fitted)", "weighted-F1 (dev, cross-fitted)")
        more["model_name"] = repo.rpartition("/")[2]
        more["metrics"] = ["f1"]
        more["eval_results"] = [
            EvalResult(
                task_type="text-classification", dataset_type=origin.dataset or "own",
                dataset_name=origin.dataset.rpartition("/")[2] or "own", dataset_split="validation",
                metric_type="f1", metric_name=name, metric_value=float(value),
            )
            for name, value in zip(names, found.groups(), strict=True)
        ]  # fmt: skip
    data = ModelCardData(
        language="en" if origin.dataset == GO_EMOTIONS else None,
        license=license,
        library_name="transformers",
        pipeline_tag="text-classification",
        tags=["emotion", "multi-label", "goemo-tui"],
        datasets=[origin.dataset] if origin.dataset else None,
        base_model=origin.encoder or None,
        **more,
    )
    return str(data.to_yaml())


def _body(text: str, repo: str) -> str:
    """What stands under the front matter, with the model's name in the example and without folders of this machine."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)
    body = body.replace('model="FOLDER"', f'model="{repo}"')
    return re.sub(r"`([^`\n]*)`", lambda found: f"`{shared(found[1])}`", body)


def _plain_body(labels: tuple[str, ...]) -> str:
    names = ", ".join(f"`{name}`" for name in labels)
    return (
        "# Emotions of short comments\n\nA multi-label classifier. Apply a sigmoid to each logit; `thresholds.json`, "
        f"where it is there, holds the cut for each label.\n\nLabels: {names}\n"
    )


def cleaned_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """config.json or tokenizer_config.json without what tells of this machine or asks for code: both name folders."""
    left = {"_name_or_path", "name_or_path", "auto_map", "_commit_hash"}
    return {key: shared(value) if isinstance(value, str) else value for key, value in config.items() if key not in left}
