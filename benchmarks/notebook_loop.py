"""The rival that everybody knows: the classic notebook for a multi-label BERT, in plain torch and transformers.

As it stands in countless tutorials, nothing crippled and nothing improved. It may use nothing of `trainer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

LENGTH, BATCH, RATE = 128, 16, 2e-5


class Comments(Dataset[dict[str, Tensor]]):
    """Comments padded to 128 tokens with their multi-hot labels, float32 of shape (comments, labels).

    Tokenized once and beforehand, as the better notebooks do it.
    """

    def __init__(self, texts: Sequence[str], labels: np.ndarray[Any, Any], tokenizer: Any) -> None:
        self.encoded = tokenizer(
            list(texts), padding="max_length", truncation=True, max_length=LENGTH, return_tensors="pt"
        )
        self.labels = torch.tensor(labels, dtype=torch.float32)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        return {
            "input_ids": self.encoded["input_ids"][index],
            "attention_mask": self.encoded["attention_mask"][index],
            "labels": self.labels[index],
        }


def make_loader(texts: Sequence[str], labels: np.ndarray[Any, Any], tokenizer: Any) -> DataLoader[dict[str, Tensor]]:
    """Batches of 16 in a new order each epoch."""
    return DataLoader(Comments(texts, labels, tokenizer), batch_size=BATCH, shuffle=True)


def train(
    model: nn.Module, loader: DataLoader[dict[str, Tensor]], device: torch.device, rate: float = RATE
) -> list[float]:
    """One epoch over all weights in fp32; the loss of each step.

    `model` is a `…ForSequenceClassification` that is on `device` already, with one output a label.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    criterion = nn.BCEWithLogitsLoss()
    losses = []
    model.train()
    for batch in loader:
        input_ids = batch["input_ids"].to(device)
        attention_mask = batch["attention_mask"].to(device)
        labels = batch["labels"].to(device)

        optimizer.zero_grad()
        logits = model(input_ids=input_ids, attention_mask=attention_mask).logits
        loss = criterion(logits, labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
