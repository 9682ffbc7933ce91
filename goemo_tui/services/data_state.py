"""What the Data screen keeps between starts, as a file holds it and as the screen uses it. Rubbish counts as nothing kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from goemo_tui.safe_text import clean
from goemo_tui.services import column_widths, filter_history
from goemo_tui.services.column_widths import Widths
from goemo_tui.services.sorting import Sorting

LONGEST_PATH = 4_096
TALLEST = 60
"""Lines of the detail pane; the screen gives it fewer where it has not got them."""

LOWEST = 3


@dataclass(frozen=True)
class DataState:
    """`split`, `filter` and `sorting` belong to the corpus at `path`; the rest is the screen's."""

    path: str = ""
    split: str = ""
    filter: str = ""
    sorting: Sorting = None
    view: str = ""
    detail: bool = True
    detail_height: int | None = None
    """Lines; None leaves it to the height of the screen."""
    widths: Widths = (None, None, None)
    history: tuple[str, ...] = ()
    export: str = ""
    """The path written to last."""

    def elsewhere(self, path: str) -> DataState:
        """For another corpus: what belongs to the one before is gone."""
        return replace(self, path=path, split="", filter="", sorting=None, view="")


def read_back(kept: Mapping[str, Any], columns: int) -> DataState:
    """The state among what was kept; a value of another type or out of range is left out. `columns` can be sorted by."""
    sorting = kept.get("sorting")
    usable = (
        isinstance(sorting, list)
        and len(sorting) == 2
        and _number(sorting[0], 0, columns - 1) is not None
        and isinstance(sorting[1], bool)
    )
    filter_text = _text(kept.get("filter"), filter_history.LONGEST)
    return DataState(
        path=_text(kept.get("path"), LONGEST_PATH),
        split=_text(kept.get("split"), 20),
        filter=clean(filter_text),
        sorting=(sorting[0], sorting[1]) if usable and isinstance(sorting, list) else None,
        view=_text(kept.get("view"), 20),
        detail=kept.get("detail") is not False,
        detail_height=_number(kept.get("detail_height"), LOWEST, TALLEST),
        widths=column_widths.kept(kept.get("widths")),
        history=filter_history.kept(kept.get("history")),
        export=_text(kept.get("export"), LONGEST_PATH),
    )


def _text(value: object, longest: int) -> str:
    return value if isinstance(value, str) and len(value) <= longest and "\0" not in value else ""


def _number(value: object, low: int, high: int) -> int | None:
    """A whole number in its range; True and False are none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None
