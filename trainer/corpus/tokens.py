"""Comments -> token ids: flat arrays for training, and what the model will see of one comment.

Needs the encoder's tokenizer files and the Rust `tokenizers` package, nothing else. May not import transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from trainer.corpus.interrupt import Cancelled
from trainer.encoders import COMPACT, compact_base, compact_tokens
from trainer.errors import ModelError, NotFoundError

_BATCH = 1_000

LONG = 1 << 16
"""Characters of a text of which at first only so many are looked at."""

_MORE = 64
"""Tokens that a beginning has to have beyond those that are read: near its end another cut could have given others."""

MOST_LEFT_OUT = 200
"""Tokens beyond the cut that a view of one comment names."""


@dataclass(frozen=True)
class TokenArrays:
    """The tokens of many rows in one piece: row i is `ids[offsets[i]:offsets[i + 1]]`.

    `ids`: int32, flat. `offsets`: int64, one more than there are rows.
    """

    ids: NDArray[np.int32]
    offsets: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Shape (rows,): tokens of each row, special ones included."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def row(self, i: int) -> NDArray[np.int32]:
        """The token ids of row `i`."""
        return self.ids[self.offsets[i] : self.offsets[i + 1]]

    def take(self, rows: NDArray[np.int64]) -> TokenArrays:
        """The tokens of some rows, in the order of `rows`."""
        chosen = [self.row(int(i)) for i in rows]
        offsets = np.zeros(len(chosen) + 1, np.int64)
        np.cumsum([len(row) for row in chosen], out=offsets[1:])
        return TokenArrays(np.concatenate([self.ids[:0], *chosen]), offsets)

    def padded(
        self, rows: Sequence[int] | NDArray[np.int64], fill: int, to: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Token ids and attention mask of `rows`, both int64 of shape (rows, width); width is the longest row, or `to`."""
        rows = np.asarray(rows)
        starts, lengths = self.offsets[rows], self.offsets[rows + 1] - self.offsets[rows]
        width = max(1, int(to or lengths.max()))
        column = np.arange(width)
        mask = column < lengths[:, None]
        ids = np.full(mask.shape, fill, dtype=np.int64)
        ids[mask] = self.ids[(starts[:, None] + column)[mask]]
        mask[lengths == 0, 0] = True  # a row without a token looks at one [PAD]: attention to nothing has no value
        return ids, mask.astype(np.int64)


@dataclass(frozen=True)
class TokenView:
    """One comment as the model sees it: `tokens` and `ids` are what is kept, special tokens included.

    `mask` has `padded_to` places, 1 for each token and 0 for the padding after them. `cut` is the index in `tokens` at
    which `lost` tokens of the comment were left out (that of [SEP]), None if nothing was; `left_out` are the first of
    them, `MOST_LEFT_OUT` at most. `unknown` are the positions of tokens that the vocabulary does not have,
    `unknown_texts` what stands there in the comment.
    """

    tokens: tuple[str, ...]
    ids: tuple[int, ...]
    mask: tuple[int, ...]
    cut: int | None
    lost: int
    unknown: tuple[int, ...]
    padded_to: int
    left_out: tuple[str, ...] = ()
    unknown_texts: tuple[str, ...] = ()


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of an encoder's folder: `tokenizer.json`, else a BERT `vocab.txt`. Padding and truncation are off.

    Raises NotFoundError where the folder has neither, ModelError where the file cannot be read.
    """
    if (folder / COMPACT).is_file():
        from trainer.corpus.own_tokens import add_own_tokens

        return add_own_tokens(load_tokenizer(compact_base(folder)), compact_tokens(folder))
    whole, vocabulary = folder / "tokenizer.json", folder / "vocab.txt"
    if not whole.is_file() and not vocabulary.is_file():
        raise NotFoundError(f"{folder} has no tokenizer: tokenizer.json or vocab.txt is looked for")
    file = whole if whole.is_file() else vocabulary
    try:
        tokenizer = Tokenizer.from_file(str(whole)) if file == whole else _from_vocabulary(vocabulary)
    except Exception as error:  # the Rust library raises nothing narrower
        raise ModelError(f"{file} cannot be read as a tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def _from_vocabulary(file: Path) -> Tokenizer:
    """BERT's tokenizer from its word list; `do_lower_case` and the like come from tokenizer_config.json beside it."""
    settings_file = file.with_name("tokenizer_config.json")
    settings: dict[str, Any] = json.loads(settings_file.read_text("utf-8")) if settings_file.is_file() else {}
    tokenizer = Tokenizer(models.WordPiece.from_file(str(file), unk_token="[UNK]"))
    _id(tokenizer, "[UNK]")
    tokenizer.normalizer = normalizers.BertNormalizer(
        lowercase=bool(settings.get("do_lower_case", True)),
        strip_accents=settings.get("strip_accents"),
        handle_chinese_chars=bool(settings.get("tokenize_chinese_chars", True)),
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", _id(tokenizer, "[SEP]")), ("[CLS]", _id(tokenizer, "[CLS]"))
    )
    tokenizer.decoder = decoders.WordPiece()
    special = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    tokenizer.add_special_tokens([token for token in special if tokenizer.token_to_id(token) is not None])
    return tokenizer


def _id(tokenizer: Tokenizer, token: str) -> int:
    found = tokenizer.token_to_id(token)
    if found is None:
        raise ValueError(f"{token} is not in it")
    return found


def tokenize(
    texts: Sequence[str],
    tokenizer: Tokenizer,
    max_length: int,
    cancelled: Callable[[], bool] | None = None,
) -> TokenArrays:
    """The token ids of `texts`, each cut to `max_length` with its special tokens kept. Raises Cancelled when asked to.

    The tokenizer itself is not touched (it may be in use by another thread), so the cut is made here.
    """
    start, end = _frame(tokenizer)
    room = max(0, max_length - len(start) - len(end))
    parts: list[np.ndarray[Any, np.dtype[np.int32]]] = []
    lengths: list[int] = []
    for first in range(0, len(texts), _BATCH):
        if cancelled is not None and cancelled():
            raise Cancelled("tokenizing was cancelled")
        begun = [beginning(text, tokenizer, room) for text in texts[first : first + _BATCH]]
        batch = tokenizer.encode_batch_fast(begun, add_special_tokens=False)
        rows = [[*start, *encoding.ids[:room], *end] for encoding in batch]
        lengths.extend(map(len, rows))
        parts.append(np.fromiter(chain.from_iterable(rows), dtype=np.int32))
    offsets = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return TokenArrays(np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32), offsets)


def beginning(text: str, tokenizer: Tokenizer, room: int) -> str:
    """`text`, or as much of a long one as has the first `room` tokens of the whole for certain: cut at a blank, and with tokens to spare.

    Tokens take a hundred times the memory of the text. One without blanks, such as a single word of megabytes, stays whole.
    """
    size = LONG
    while size < len(text):
        at = max(text.rfind(" ", 0, size), text.rfind("\n", 0, size))
        if at > 0 and len(tokenizer.encode(text[:at], add_special_tokens=False)) > room + _MORE:
            return text[:at]
        size *= 4
    return text


def token_view(text: str, tokenizer: Tokenizer, max_length: int) -> TokenView:
    """How `text` looks to a model that reads `max_length` tokens."""
    start, end = _frame(tokenizer)
    body = tokenizer.encode(text, add_special_tokens=False)
    room = max(0, max_length - len(start) - len(end))
    ids = (*start, *body.ids[:room], *end)
    framing = [tokenizer.id_to_token(i) or "" for i in (*start, *end)]
    tokens = (*framing[: len(start)], *body.tokens[:room], *framing[len(start) :])
    lost = max(0, len(body.ids) - room)
    unknown_id = _unknown_id(tokenizer)
    unknown = tuple(place for place, i in enumerate(ids) if i == unknown_id)
    spans = [
        body.offsets[place - len(start)] for place in unknown if 0 <= place - len(start) < min(room, len(body.ids))
    ]
    return TokenView(
        tokens=tokens,
        ids=ids,
        mask=(1,) * len(ids) + (0,) * max(0, max_length - len(ids)),
        cut=len(start) + room if lost else None,
        lost=lost,
        unknown=unknown,
        padded_to=max(max_length, len(ids)),
        left_out=tuple(body.tokens[room : room + MOST_LEFT_OUT]),
        unknown_texts=tuple(text[begin:end] for begin, end in spans),
    )


def framed(tokenizer: Tokenizer, max_length: int) -> tuple[list[int], list[int], int]:
    """The special tokens before and after a text, and how many of its own tokens a model of `max_length` reads."""
    start, end = _frame(tokenizer)
    return start, end, max(0, max_length - len(start) - len(end))


def _frame(tokenizer: Tokenizer) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text."""
    around = tokenizer.encode("a")
    inner = tokenizer.encode("a", add_special_tokens=False).ids
    before = 0
    while before < len(around.ids) and around.special_tokens_mask[before]:
        before += 1
    return list(around.ids[:before]), list(around.ids[before + len(inner) :])


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    candidates = (getattr(tokenizer.model, "unk_token", None), "[UNK]", "<unk>")
    return next((i for t in candidates if t and (i := tokenizer.token_to_id(t)) is not None), None)
