"""Tokens of a corpus's own: placeholders such as [NAME], and emoji that the encoder's vocabulary does not know.

Without them a placeholder is three tokens and a name like any other word, and every unknown emoji is the same [UNK].
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from tokenizers import AddedToken, Tokenizer

from trainer.config import OWN_TOKENS

NONE, PLACEHOLDERS, EMOJI, ALL = OWN_TOKENS

FEWEST = 5
"""In so many comments of train a token must stand: of a rarer one nothing could be learned."""

MOST = 200
"""So many of them at most, the most frequent first."""

_PLACEHOLDER = re.compile(r"\[[A-Z][A-Z_ ]{1,30}\]")

_SKIN_TONES = range(0x1F3FB, 0x1F400)
_FIRST_EMOJI = 0x2190
"""Below it stand signs such as © and °, which are no emoji."""


def find_own_tokens(texts: Iterable[str], kinds: str, tokenizer: Tokenizer) -> tuple[str, ...]:
    """The tokens of `kinds` that at least `FEWEST` of `texts` hold and the tokenizer does not know, frequent first."""
    if kinds == NONE:
        return ()
    counted: Counter[str] = Counter()
    for text in texts:
        found: set[str] = set()
        if kinds in (PLACEHOLDERS, ALL):
            found.update(_PLACEHOLDER.findall(text))
        if kinds in (EMOJI, ALL) and not text.isascii():
            found.update(char for char in text if is_emoji(char))
        counted.update(found)
    known = [
        (-count, token) for token, count in counted.items() if count >= FEWEST and tokenizer.token_to_id(token) is None
    ]
    return tuple(token for _, token in sorted(known)[:MOST])


def is_emoji(char: str) -> bool:
    """Whether a character is a pictograph, or the skin tone of one."""
    code = ord(char)
    return code in _SKIN_TONES or (code >= _FIRST_EMOJI and unicodedata.category(char) == "So")


def in_words(token: str) -> str:
    """What a token is called in words, which tell a model what it may mean before it has learned it."""
    if len(token) == 1:
        return unicodedata.name(token, "").replace("-", " ").lower()
    return token.strip("[]").replace("_", " ").lower()


def add_own_tokens(tokenizer: Tokenizer, tokens: Sequence[str]) -> Tokenizer:
    """Make `tokenizer` take each of `tokens` for one token, in place; their ids follow its own, in this order."""
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in tokens])
    return tokenizer


def words_behind(tokenizer: Tokenizer, tokens: Sequence[str]) -> dict[int, list[int]]:
    """Of each of `tokens`, which `tokenizer` has: its id -> the ids of what it is called in words, without unknown ones."""
    found: dict[int, list[int]] = {}
    for token in tokens:
        own = tokenizer.token_to_id(token)
        assert own is not None, token
        words = tokenizer.encode(in_words(token), add_special_tokens=False)
        # an added token has no part in another one's name, and [UNK] tells nothing
        found[own] = [i for i, piece in zip(words.ids, words.tokens, strict=True) if i != own and piece != "[UNK]"]
    return found
