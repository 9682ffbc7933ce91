"""The model card: README.md of a model folder, with recipe, data fingerprint and scores a label."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
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


def license_of(folder: Path) -> str:
    """What the front matter of the folder's README.md says of the license, or nothing."""
    readme = folder / "README.md"
    try:
        text = readme.read_text("utf-8", "replace")[:20_000] if readme.is_file() else ""
    except OSError:
        return ""
    head = text.split("\n---", 1)[0] if text.startswith("---") else ""
    found = re.search(r"^license:\s*['\"]?([\w.+-]+)", head, re.MULTILINE)
    return found[1] if found else ""


def imported_card(
    source: str,
    kind: str,
    license: str,
    digests: Mapping[str, str],
    notes: Sequence[str],
    validation: Mapping[str, Any],
) -> str:
    """The card of a model that was made elsewhere. `digests`: the sha256 of each file of its weights; `validation` may be empty."""
    head = "".join(f"{line}\n" for line in (f"license: {license}" if license else "",) if line)
    files = "\n".join(f"| {_cell(name)} | `{digest}` |" for name, digest in digests.items())
    said = "\n".join(f"- {_cell(note)}" for note in notes) or "- nothing"
    scores = "No scores: it was imported without a corpus. `goemo-tui eval --model FOLDER` makes them."
    if validation:
        rows = "\n".join(
            f"| {_cell(name)} | {s['precision']:.3f} | {s['recall']:.3f} | {s['f1']:.3f} | {s['support']} | {s['threshold']:.3f} |"
            for name, s in validation["per_label"].items()
        )
        scores = (
            f"macro-F1 {validation['macro_f1']:.3f} · micro-F1 {validation['micro_f1']:.3f} on dev, thresholds fitted on one "
            "half and scored on the other, both ways.\n\n"
            f"| label | precision | recall | F1 | support | threshold |\n|---|---|---|---|---|---|\n{rows}"
        )
    return f"""---
pipeline_tag: text-classification
library_name: transformers
{head}tags: [emotion, multi-label]
---

# {_cell(source)}

A `{kind}` made elsewhere and imported by goemo-tui: its numbers are unchanged, its weights stand in fp32 as safetensors.
Apply a sigmoid to each logit; `thresholds.json` holds the cut for each label.

## Scores

{scores}

## What the import noticed

{said}

## Made of

| file | sha256 |
|---|---|
{files}
"""
