"""What is told to others (a model card, a tracker, a message): of a path of this machine the last part alone, of an
address no password."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any


def shared(value: Any) -> str | int | float | bool:
    """A setting's value without the folders that it lies in; what is no path stays as it is.

    Some settings hold several names, joined by commas or plus signs.
    """
    if isinstance(value, bool | int | float):
        return value
    return ",".join("+".join(_last(part) for part in several.split("+")) for several in str(value).split(","))


def without_password(text: str) -> str:
    """A text in whose addresses nobody's name and password stand before the host, also where the password has an @."""
    return re.sub(r"//[^/\s]*@", "//", text)


def _last(text: str) -> str:
    return Path(text).name if text.strip().startswith(("/", "~", "./", "../")) else text
