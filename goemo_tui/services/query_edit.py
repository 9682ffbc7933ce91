"""Filter lines written by the program: a label put in or taken out by a click, and lines read back into text."""

from __future__ import annotations

from dataclasses import replace

from goemo_tui.services.query import Expression, QueryError, Term, join, label_term, parse, turned
from goemo_tui.services.query_pieces import pieces
from trainer.labels import LabelSet


def toggle_label(text: str, name: str, labels: LabelSet) -> str:
    """The filter line with `label:name` as one more condition, or without the label wherever it names it.

    A line that cannot be understood is kept, and the label put behind it.
    """
    wanted = labels.index()[name]
    try:
        expression = parse(text, labels).expression
    except QueryError:
        return f"{text.rstrip()} {label_term(name)}".lstrip()
    if _names(expression, wanted):
        left = _without(expression, wanted, labels)
        return written(left) if left is not None else ""
    return narrowed(text, label_term(name))


def narrowed(text: str, term: str) -> str:
    """The line `text` with one more condition for all of it."""
    found = pieces(text)
    if not found:
        return term
    text = text.strip()
    if found[-1].kind in ("or", "and", "not"):
        return f"{text} {term}"  # the line waits for just that
    if any(piece.open_quote for piece in found):
        text += '"'
    text += ")" * sum((piece.kind == "open") - (piece.kind == "close") for piece in found)
    return f"({text}) {term}" if _is_either(text) else f"{text} {term}"


def written(expression: Expression, inside: str = "") -> str:
    """An expression as a filter line; `inside` is what joins it with its neighbours."""
    minus = "-" if expression.negated else ""
    if isinstance(expression, Term):
        return minus + expression.source
    text = (" or " if expression.join == "or" else " ").join(
        written(part, expression.join) for part in expression.parts
    )
    return f"{minus}({text})" if minus or (expression.join == "or" and inside == "and") else text


def _is_either(text: str) -> bool:
    """True if an `or` stands outside all parentheses."""
    depth = 0
    for piece in pieces(text):
        depth += (piece.kind == "open") - (piece.kind == "close")
        if piece.kind == "or" and depth == 0:
            return True
    return False


def _names(expression: Expression | None, label: int) -> bool:
    if isinstance(expression, Term):
        return expression.kind == "label" and label in expression.labels
    return expression is not None and any(_names(part, label) for part in expression.parts)


def _without(expression: Expression | None, label: int, labels: LabelSet) -> Expression | None:
    if isinstance(expression, Term):
        if not _names(expression, label):
            return expression
        rest = tuple(i for i in expression.labels if i != label)
        names = tuple(labels.names[i] for i in rest)
        return replace(expression, labels=rest, source=label_term(*names)) if rest else None
    assert expression is not None
    kept = [left for part in expression.parts if (left := _without(part, label, labels)) is not None]
    whole = join(expression.join, kept)
    return turned(whole) if whole is not None and expression.negated else whole
