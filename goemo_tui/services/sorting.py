"""The order of the table's rows, and what keys and clicks make of it. Plain values, so that they can be kept and tested."""

from __future__ import annotations

Sorting = tuple[int, bool] | None
"""The column that rows are sorted by, and whether its largest value comes first. None: as in the file."""

TOKENS = 3
"""The column whose largest values are asked for first."""

_ORDERS: tuple[Sorting, ...] = (None, (1, False), (2, False), (TOKENS, True), (TOKENS, False))
"""File order, comment, emotions, longest first, shortest first."""


def next_order(sorting: Sorting) -> Sorting:
    """The next of the orders; from one that was turned round, the one behind it."""
    column, descending = sorting or (0, False)
    now = (column, descending if column == TOKENS else False) if column else None
    return _ORDERS[(_ORDERS.index(now) + 1) % len(_ORDERS)]


def turned(sorting: Sorting) -> Sorting:
    """The order the other way round; that of the file from its end."""
    column, descending = sorting or (0, False)
    return None if (column, descending) == (0, True) else (column, not descending)


def clicked(sorting: Sorting, column: int) -> Sorting:
    """After a click on a column's head: ascending (tokens descending), the other way round, file order."""
    first = column == TOKENS
    if sorting is None or sorting[0] != column:
        return column, first
    return (column, not first) if sorting[1] == first else None
