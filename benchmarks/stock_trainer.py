"""The rival that is hard to beat: transformers' own `Trainer`, with every setting that makes it faster.

Dynamic padding, comments of like length together, bf16 where the device is fast at it, AdamW in one kernel, batches of 32;
no logging, evaluation or checkpoint while the clock runs. Not compiled: `torch.compile` takes minutes before its first step.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import DataCollatorWithPadding, Trainer, TrainerCallback, TrainingArguments
from transformers.trainer_callback import PrinterCallback

from benchmarks.clock import wait

BATCH, RATE = 32, 2e-5


@dataclass(frozen=True)
class Trained:
    """The seconds from before the first step of the last epoch to behind its last, and the mean loss of all."""

    seconds: float
    loss: float


class Clock(TrainerCallback):
    """The time of the steps alone: what Trainer prepares before them is not held against it."""

    def __init__(self) -> None:
        self.began, self.seconds = 0.0, 0.0

    def on_epoch_begin(self, *_: Any, **__: Any) -> None:
        """Start, once more with each epoch."""
        wait()
        self.began = time.perf_counter()

    def on_train_end(self, *_: Any, **__: Any) -> None:
        """Stop."""
        wait()
        self.seconds = time.perf_counter() - self.began


def make_trainer(
    model: Any, tokenizer: Any, texts: Sequence[str], labels: np.ndarray[Any, Any], length: int, folder: Path,
    *, device: torch.device, bf16: bool, grouped: bool = True, rate: float = RATE, epochs: int = 1, seed: int = 0,
    warmup: float = 0.0, groups: Sequence[dict[str, Any]] = (),
) -> Trainer:  # fmt: skip
    """A Trainer of `epochs` over all weights of `model`, a `…ForSequenceClassification` with one output a label.

    `labels`: multi-hot, of shape (comments, labels). Comments are cut to `length` tokens. `grouped=False` takes them in
    the order in which they stand, for a caller that has grouped them. `warmup` is a share of the steps. `groups`
    of the weights with rates of their own go before `rate`. `folder` is where Trainer would write if it did.
    """
    model.config.problem_type = "multi_label_classification"  # Trainer lets the model choose its loss by this
    settings = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=BATCH,
        learning_rate=rate,
        optim="adamw_torch_fused",
        seed=seed,
        warmup_steps=round(warmup * epochs * -(-len(texts) // BATCH)),
        bf16=bf16,
        train_sampling_strategy="group_by_length" if grouped else "sequential",
        use_cpu=device.type == "cpu",
        dataloader_pin_memory=device.type == "cuda",
        logging_strategy="no",
        logging_nan_inf_filter=False,  # it looks at the loss of every step, which makes a GPU wait
        save_strategy="no",
        eval_strategy="no",
        report_to="none",
        disable_tqdm=True,
    )
    truths = labels.astype(np.float32).tolist()
    rows = [{**row, "labels": truth} for row, truth in zip(_rows(tokenizer, texts, length), truths, strict=True)]
    trainer = Trainer(
        model=model,
        args=settings,
        train_dataset=rows,
        processing_class=tokenizer,
        data_collator=DataCollatorWithPadding(tokenizer),
        optimizers=(torch.optim.AdamW(groups, fused=True) if groups else None, None),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def train(trainer: Trainer) -> Trained:
    """All its epochs."""
    clock = Clock()
    trainer.add_callback(clock)
    loss = float(trainer.train().training_loss)
    trainer.remove_callback(clock)
    return Trained(clock.seconds, loss)


def predict(trainer: Trainer, tokenizer: Any, texts: Sequence[str], length: int) -> np.ndarray[Any, Any]:
    """The logits of comments, float32 of shape (comments, labels), in their order."""
    trainer.args.train_sampling_strategy = "sequential"  # it would group these, too, and answer in that order
    return np.asarray(trainer.predict(_rows(tokenizer, texts, length)).predictions, dtype=np.float32)  # type: ignore[arg-type]


def _rows(tokenizer: Any, texts: Sequence[str], length: int) -> list[dict[str, Any]]:
    encoded = tokenizer(list(texts), truncation=True, max_length=length)
    pairs = zip(encoded["input_ids"], encoded["attention_mask"], strict=True)
    return [{"input_ids": ids, "attention_mask": mask} for ids, mask in pairs]
