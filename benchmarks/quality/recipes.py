"""The recipes that are compared: a name, the settings on top of `goemo`, and what is tried with them.

Each is one change to another one, so that a row of the table answers one question.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """`settings` go on top of the named `base` recipe of the trainer. `teachers`: a recipe's name and the seeds of its
    measured runs that are asked besides the labels."""

    name: str
    what: str
    settings: dict[str, Any] = field(default_factory=dict)
    base: str = "goemo"
    teachers: tuple[tuple[str, tuple[int, ...]], ...] = ()


STOCK: dict[str, Any] = {"epochs": 2, "lr": 2e-4, "pooling": "cls", "lora_rank": 0}
"""The recipe `goemo` before adapters and mean pooling: all weights, the stock head, two epochs."""

ADAPTERS: dict[str, Any] = {
    "pooling": "cls",
    "epochs": 3,
    "lora_rank": 16,
    "lora_alpha": 32,
    "lr": 1e-3,
    "head_lr": 1e-3,
}
MEAN: dict[str, Any] = {"pooling": "mean"}

_ALL = [
    Recipe("stock", "all weights, stock [CLS] head, 2 epochs", STOCK),
    Recipe("mean", "… with the mean layer", {**STOCK, **MEAN}),
    Recipe("mean-3", "… and 3 epochs", {**STOCK, **MEAN, "epochs": 3}),
    Recipe("adapters", "low-rank adapters, stock head, 3 epochs", ADAPTERS),
    Recipe("adapters-mean", "low-rank adapters and the mean layer, 3 epochs", {**ADAPTERS, **MEAN}),
]


def _tried(name: str, what: str, **settings: Any) -> None:
    _ALL.append(Recipe(name, what, {**ADAPTERS, **MEAN, **settings}))


_tried("epochs-2", "2 epochs", epochs=2)
_tried("epochs-4", "4 epochs", epochs=4)
_tried("rank-8", "adapters of rank 8", lora_rank=8, lora_alpha=16)
_tried("rank-64", "adapters of rank 64, alpha 128", lora_rank=64, lora_alpha=128)
_tried("rate-5e-4", "half the rate", lr=5e-4)
_tried("rate-2e-3", "twice the rate", lr=2e-3)
_tried("batch-16", "batches of 16", batch_size=16)
_tried("batch-64", "batches of 64", batch_size=64)
_tried("cosine", "cosine schedule", scheduler="cosine")
_tried("focal", "focal loss, gamma 2", loss="focal")
_tried("asymmetric", "asymmetric loss, gamma 2", loss="asymmetric")
_tried("weighted", "rare labels weighted up", loss="weighted")
_tried("smoothing", "label smoothing 0.1, towards base rates", label_smoothing=0.1)
_tried("ema", "running average of the weights, 0.999", ema=0.999)
_tried("r-drop", "R-Drop, alpha 1", r_drop=1.0)
_tried("layer-decay", "each layer 0.8 of the rate above it", layer_decay=0.8)
_tried("staged", "the head alone for the first 15% of the steps", head_first=0.15)
_tried(
    "synonyms", "a fifth more rows with synonyms of WordNet, rare emotions first", augment="synonyms", augment_share=0.2
)
_tried("deletion", "a fifth more rows with words left out, rare emotions first", augment="deletion", augment_share=0.2)
_tried(
    "own-tokens", "4 epochs; [NAME], [RELIGION] and frequent emoji as tokens of their own", epochs=4, own_tokens="all"
)
_tried("suspects-out", "the most doubtful twentieth of the rows left out", suspects="leave_out", suspect_share=0.05)
_tried("suspects-half", "the most doubtful fifth counts half", suspects="down_weight", suspect_share=0.2)
_tried("focal-4", "4 epochs of focal loss, gamma 2", epochs=4, loss="focal")
_tried("asymmetric-4", "4 epochs of asymmetric loss, gamma 2", epochs=4, loss="asymmetric")
TEACHERS = (("adapters-mean", (0,)), ("epochs-4", (0, 1)))
DISTILLED: dict[str, Any] = {**ADAPTERS, **MEAN, "epochs": 4, "distill": 0.5}
_ALL += [
    Recipe(
        "distilled",
        "4 epochs; half of each target is the mean of three models of other seeds",
        DISTILLED,
        teachers=TEACHERS,
    ),
    Recipe("distilled-own", "… and tokens of their own", {**DISTILLED, "own_tokens": "all"}, teachers=TEACHERS),
    Recipe(
        "distilled-0.8", "… and four fifths of each target are theirs", {**DISTILLED, "distill": 0.8}, teachers=TEACHERS
    ),
    Recipe("distilled-focal", "… and focal loss", {**DISTILLED, "loss": "focal"}, teachers=TEACHERS),
    Recipe(
        "distilled-deletion",
        "… and a fifth more rows with words left out, rare emotions first, labelled by the teachers, too",
        {**DISTILLED, "augment": "deletion", "augment_share": 0.2},
        teachers=TEACHERS,
    ),
    Recipe("distilled-6", "… and 6 epochs", {**DISTILLED, "epochs": 6}, teachers=TEACHERS),
]

STUDENTS = (("distilled", (2,)), ("distilled-6", (2,)), ("distilled-own", (3,)))
_ALL += [
    Recipe(
        "distilled-twice",
        "4 epochs, tokens of their own; half of each target is the mean of three such students",
        {**DISTILLED, "own_tokens": "all"},
        teachers=STUDENTS,
    ),
]

RECIPES = {recipe.name: recipe for recipe in _ALL}
