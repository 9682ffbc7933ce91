"""What a model is called on screen: a run by the name that a person gave it, anything else by the end of its name.

The watch over the runs keeps this up; whoever draws asks without touching the disk.
"""

from __future__ import annotations

from collections.abc import Mapping

from trainer.runs.run import short_name

_given: Mapping[str, str] = {}


def know(given: Mapping[str, str]) -> None:
    """From now on these runs (id -> name) are called so; those that are not among them have no name of their own."""
    global _given
    _given = dict(given)  # taken whole: another thread may be asking


def called(name: str) -> str:
    """What people call the model `name`. As a file holds it: clean it."""
    return _given.get(name) or short_name(name)
