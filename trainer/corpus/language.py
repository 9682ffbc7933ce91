"""Is this corpus in a language its encoder was trained on? A warning, never a refusal.

Counts letters and common words of a sample; no model, no word lists from elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MULTILINGUAL = ("multilingual", "xlm", "mbert", "labse", "bge-m3")
"""An encoder with one of these in its name reads more than English."""

LOOKED_AT = 2_000
"""Comments looked at, spread evenly over the corpus."""

# Frequent in English comments and hardly words of other Latin-script languages (so neither "in" nor "was" nor "a").
_ENGLISH = frozenset((
    "about", "and", "are", "because", "been", "can't", "could", "don't", "her", "his", "how", "i'm", "it", "it's",
    "just", "my", "not", "she", "should", "that", "the", "their", "there", "they", "this", "what", "when", "who",
    "with", "would", "you", "your",
))  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def language_warning(texts: Sequence[str], encoder: str) -> str | None:
    """One sentence if `texts` are mostly not Latin, or Latin but hardly English, and `encoder` (a name) is English.

    None where all is well, where the encoder is multilingual, or where there is too little text to tell.
    """
    if any(sign in encoder.lower() for sign in MULTILINGUAL):
        return None
    step = max(1, len(texts) // LOOKED_AT)
    latin = letters = long_rows = english_rows = 0
    for text in texts[::step]:
        if text.isascii():  # whose letters are all Latin; most comments are
            found = sum(map(str.isalpha, text))
            letters, latin = letters + found, latin + found
        else:
            others = [c for c in text if c.isalpha()]
            letters += len(others)
            latin += sum(map(_is_latin, others))
        words = _WORD.findall(text.lower())
        if len(words) >= 5:
            long_rows += 1
            english_rows += any(word.replace("’", "'") in _ENGLISH for word in words)
    advice = f"and {encoder} was trained on English: choose a multilingual encoder, or expect poor scores"
    if letters >= 50 and latin < letters / 2:
        return f"{1 - latin / letters:.0%} of the letters are not Latin, {advice}"
    if long_rows >= 10 and english_rows < 0.4 * long_rows:
        return f"only {english_rows / long_rows:.0%} of the longer comments hold a common English word, {advice}"
    return None


def _is_latin(letter: str) -> bool:
    # Basic Latin to Latin Extended-B, Latin Extended Additional (Vietnamese), full-width forms.
    code = ord(letter)
    return code < 0x250 or 0x1E00 <= code <= 0x1EFF or 0xFF21 <= code <= 0xFF5A
