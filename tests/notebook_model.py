"""Models as other programs saved them: the notebook's folder as transformers 4.30 wrote it, made on the spot and tiny."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

OLD_CONFIG: dict[str, Any] = {
    "_name_or_path": "distilbert-base-uncased", "activation": "gelu", "architectures": ["DistilBertForSequenceClassification"],
    "attention_dropout": 0.1, "dim": 16, "dropout": 0.1, "hidden_dim": 32,
    "id2label": {str(k): f"LABEL_{k}" for k in range(28)}, "initializer_range": 0.02,
    "label2id": {f"LABEL_{k}": k for k in range(28)}, "max_position_embeddings": 128, "model_type": "distilbert", "n_heads": 2,
    "n_layers": 2, "pad_token_id": 0, "qa_dropout": 0.1, "seq_classif_dropout": 0.2, "sinusoidal_pos_embds": False,
    "tie_weights_": True, "torch_dtype": "float32", "transformers_version": "4.30.2", "vocab_size": 30522,
}  # fmt: skip
"""config.json as it stood there: outputs without names, no problem_type."""

OLD_TOKENIZER = {
    "clean_up_tokenization_spaces": True, "cls_token": "[CLS]", "do_lower_case": True, "mask_token": "[MASK]",
    "model_max_length": 512, "pad_token": "[PAD]", "sep_token": "[SEP]", "strip_accents": None,
    "tokenize_chinese_chars": True, "tokenizer_class": "DistilBertTokenizer", "unk_token": "[UNK]",
}  # fmt: skip


def notebook_model(folder: Path, minilm: Path, **changed: Any) -> Path:
    """`folder`, made anew: pytorch_model.bin, config.json with what is `changed`, and the slow tokenizer's files (vocab.txt)."""
    folder.mkdir(parents=True)
    torch.save(weights(**changed), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps({**OLD_CONFIG, **changed}, indent=2))
    (folder / "vocab.txt").write_bytes((minilm / "vocab.txt").read_bytes())
    (folder / "tokenizer_config.json").write_text(json.dumps(OLD_TOKENIZER))
    return folder


def weights(**changed: Any) -> dict[str, torch.Tensor]:
    """The state of a classifier over `OLD_CONFIG`, drawn from a fixed seed, wide enough that outputs differ."""
    from transformers import DistilBertConfig, DistilBertForSequenceClassification

    torch.manual_seed(0)
    config = DistilBertConfig(**{**OLD_CONFIG, **changed})
    model = DistilBertForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return dict(model.state_dict())


def bert(folder: Path, minilm: Path, names: list[str], **changed: Any) -> Path:
    """A tiny BERT as the Hub's older ones are: `names` for its outputs, the fast tokenizer's file."""
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=30522, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32,
        max_position_embeddings=128, id2label=dict(enumerate(names)), label2id={n: k for k, n in enumerate(names)}, **changed,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    folder.mkdir(parents=True)
    torch.save(dict(model.state_dict()), folder / "pytorch_model.bin")
    (folder / "config.json").write_text(json.dumps({**config.to_dict(), "architectures": ["BertForMultiLabel"]}))
    (folder / "tokenizer.json").write_bytes((minilm / "tokenizer.json").read_bytes())
    return folder
