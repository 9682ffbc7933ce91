"""The language of the screen: how a label is called there. Data, JSON and file formats keep the English names."""

from __future__ import annotations


def label(name: str) -> str:
    """What the screen calls the label `name`, cleaned and ready to be drawn; English unless another language is set."""
    from goemo_tui.safe_text import clean

    return clean(name)
