"""The model card: README.md of a model folder, with recipe, data fingerprint and scores a label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trainer.config import TrainConfig
from trainer.shared import shared


def card(
    config: TrainConfig,
    encoder_source: str,
    fingerprint: Mapping[str, str],
    validation: Mapping[str, Any],
    version: str,
) -> str:
    """Markdown with the front matter that the Hub reads. `validation` holds the fields of the epoch's event; what is no
    epoch of a training has neither `epoch`, `train_loss` nor `diagnosis`."""
    settings = "\n".join(f"| {key} | `{shared(value)}` |" for key, value in config.to_dict().items())
    data = "\n".join(f"| {split} | `{digest}` |" for split, digest in fingerprint.items())
    rows = "\n".join(
        f"| {_cell(name)} | {s['precision']:.3f} | {s['recall']:.3f} | {s['f1']:.3f} | {s['support']} | {s['threshold']:.3f} |"
        for name, s in validation["per_label"].items()
    )
    epoch, losses = "", f"Loss on dev: {validation['loss']:.4f}."
    if "epoch" in validation:
        epoch = f", epoch {validation['epoch']}"
        losses = (
            f"Losses: train {validation['train_loss']:.4f}, dev {validation['loss']:.4f} ({validation['diagnosis']})."
        )
    return f"""---
pipeline_tag: text-classification
library_name: transformers
tags: [emotion, multi-label]
---

# Emotions of short comments

A multi-label classifier fine-tuned with goemo-tui {version} from the encoder `{encoder_name(config.encoder)}` ({encoder_source}).
Apply a sigmoid to each logit; `thresholds.json` holds the cut for each label.

```python
from transformers import pipeline

classify = pipeline("text-classification", model="FOLDER", top_k=None, function_to_apply="sigmoid", truncation=True)
```

## Scores on dev{epoch}

macro-F1 {validation["macro_f1"]:.3f} · micro-F1 {validation["micro_f1"]:.3f} · weighted-F1 {validation["weighted_f1"]:.3f}, thresholds
fitted on one half of dev and scored on the other, both ways; macro-F1 with one threshold of 0.3: {validation["macro_f1_at_0.3"]:.3f}.
{losses}

| label | precision | recall | F1 | support | threshold |
|---|---|---|---|---|---|
{rows}

## Data

| split | sha256 |
|---|---|
{data}

## Settings

| setting | value |
|---|---|
{settings}
"""


def encoder_name(encoder: str) -> str:
    """A Hub name as it is, of a local folder its last part."""
    return str(shared(encoder))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
