"""The encoder that is tortured: a BERT so narrow that a step takes milliseconds, yet with words that mean something.

Made in a process that has torch, which the torturer itself never imports.
"""

from __future__ import annotations

from pathlib import Path

TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")
WIDTH = 24


def make_encoder(folder: Path) -> None:
    """Write a BERT of two narrow random layers into `folder`; its words are the bundled encoder's, squeezed.

    With words that are random too nothing would be learned in a few epochs, the first would stay the best one, and
    whatever goes wrong later would not show in the model that is kept.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import BertConfig, BertModel
    from transformers.utils import logging as advice

    from trainer.encoders import find_encoder

    advice.disable_progress_bar()
    torch.manual_seed(0)
    bundled = find_encoder("minilm").folder
    weights = load_file(bundled / "model.safetensors")
    words = next(value for name, value in weights.items() if name.endswith("word_embeddings.weight")).float()
    config = BertConfig(
        vocab_size=len(words), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=48,
        max_position_embeddings=128, initializer_range=0.2,
    )  # fmt: skip
    model = BertModel(config)
    squeezed = words @ torch.randn(words.shape[1], WIDTH)
    with torch.no_grad():
        model.embeddings.word_embeddings.weight.copy_(squeezed / squeezed.std())
    model.save_pretrained(folder)
    for name in TOKENIZER:
        (folder / name).write_bytes((bundled / name).read_bytes())
