"""The language of the screen: how a label is called there. Data, JSON, exports and file formats keep the English names.

Text stays in its logical order here, as everywhere in the program; `right_to_left` puts it into order while it is painted.
"""

from __future__ import annotations

_language = "en"
_in_ascii = False


def set_language(language: str, bidi: str = "auto", in_ascii: bool = False) -> None:
    """What the screen speaks from now on (`en`, `ar`), and who puts right-to-left text into order (`auto`, `app`, `terminal`).

    A screen `in_ascii` has no Arabic names: they would be question marks.
    """
    global _language, _in_ascii
    from goemo_tui import right_to_left

    _language, _in_ascii = language, in_ascii
    right_to_left.set_mode(bidi)


def language() -> str:
    """What the screen speaks: `en` or `ar`."""
    return _language


def word(text: str) -> str:
    """One of the screen's own words or sentences in its language; English where there is no other."""
    if _language != "ar":
        return text
    from goemo_tui import arabic as words

    return words.WORDS.get(text, text)


def figure(said: str, value: str) -> str:
    """`said` and a share such as `.531` behind it. Behind a word that is read from right to left the point of a share
    needs a digit before it, or it changes its side.
    """
    from goemo_tui.right_to_left import present

    return f"{said} 0{value}" if value.startswith(".") and present(said) else f"{said} {value}"


def label(name: str) -> str:
    """What the screen calls the label `name`, cleaned and ready to be drawn; a label of one's own keeps its name."""
    from goemo_tui.safe_text import clean

    return (arabic(name) if _language == "ar" else "") or clean(name)


def arabic(name: str) -> str:
    """The Arabic name of a label, ready to be drawn whatever the screen speaks; empty where there is none to be drawn."""
    if _in_ascii:
        return ""
    from trainer.labels import ARABIC

    return ARABIC.get(name, "") or _GROUPS.get(name, "")


_GROUPS = {"positive": "إيجابي", "negative": "سلبي", "ambiguous": "ملتبس"}
"""The groups by sentiment; Ekman's are called as the emotions are."""
