"""Friendly names for runs: two words that people can say, remember and type.

Only the words and the choice live here; what makes a name unique on disk is the run folder's business.
"""

from __future__ import annotations

import random
from collections.abc import Container

ADJECTIVES: tuple[str, ...] = (
    "able", "agile", "amber", "bold", "brave", "breezy", "bright", "brisk", "calm", "careful", "cheerful", "chirpy",
    "clear", "clever", "cosy", "curious", "daring", "dapper", "eager", "early", "fair", "fleet", "fond", "frank",
    "gentle", "glad", "golden", "happy", "hardy", "honest", "humble", "jolly", "keen", "kind", "lively", "loyal",
    "lucky", "merry", "mild", "neat", "nimble", "noble", "patient", "plucky", "polite", "proud", "quick", "quiet",
    "ready", "rosy", "silent", "silver", "snug", "steady", "sunny", "swift", "tidy", "warm", "wise", "witty",
)  # fmt: skip

ANIMALS: tuple[str, ...] = (
    "badger", "bat", "bear", "beaver", "bee", "bison", "camel", "cat", "cod", "crane", "cricket", "crow",
    "deer", "dolphin", "dove", "duck", "eagle", "eel", "elk", "falcon", "ferret", "finch", "fox", "frog",
    "gecko", "goat", "goose", "hare", "hedgehog", "heron", "horse", "ibis", "jackdaw", "jay", "koala", "lark",
    "lemur", "lion", "llama", "lynx", "magpie", "marten", "mole", "moose", "mouse", "newt", "otter", "owl",
    "panda", "puffin", "quail", "rabbit", "raven", "robin", "seal", "sparrow", "swan", "turtle", "whale", "wren",
)  # fmt: skip

_choose = random.SystemRandom().choice
"""Not the module's own generator: whoever seeds that for a training must not get the same name twice."""


def friendly_name(taken: Container[str] = ()) -> str:
    """`adjective-animal`, not one of `taken` where a few tries find a free one."""
    for _ in range(100):
        name = f"{_choose(ADJECTIVES)}-{_choose(ANIMALS)}"
        if name not in taken:
            break
    return name
