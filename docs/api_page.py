"""docs/api.md from the sources: what the package `trainer` offers, with its signatures and docstrings.

Read as syntax trees, so that nothing is imported and the page is the same on every machine and Python.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

HEAD = """\
<!-- Made by `python docs/generated.py` from the sources. -->

# As a library

`from trainer import …` gives all that is on this page. Importing it costs milliseconds: a name is looked up when it is first used, and
torch is loaded by what computes with it alone. Everything is typed (`py.typed`), and what a user can do wrong raises a
`GoemoError` whose message says what happened, where, and what to do next. `Array` is a NumPy array; `Stop` is a function that is asked
between batches and ends the work once it is true, or None; `Threshold` is `"tuned"` or a number. Nothing here prints.

Whole scripts, one for each seam, each of which runs offline in a minute or two: {examples}.
"""

SECTIONS: tuple[tuple[str, str, tuple[str, ...], str], ...] = (
    (
        "Comments in",
        "corpus",
        ("EMOTIONS", "LabelSet", "load_corpus", "Corpus", "Split", "Problem"),
        """\
from trainer import EMOTIONS, load_corpus

corpus = load_corpus("sample")
train = corpus.splits["train"]
print(len(train), train.text[0], [corpus.labels.names[i] for i in train.labels[0]])
assert corpus.labels.names == EMOTIONS""",
    ),
    (
        "A model is learned",
        "train resume",
        ("train", "resume", "TrainResult", "TrainConfig"),
        """\
from trainer import resume, train

seen = []
first = train("sample", epochs=1, limit=64, observer=seen.append, stop=lambda: True)
assert first.state == "stopped"
last = resume(first.run)
print(last.state, last.validation["macro_f1"], last.model)""",
    ),
    (
        "A run on disk",
        "resume",
        ("Run", "list_runs"),
        """\
from trainer import Run, list_runs

run = list_runs()[0]
look = Run.open(run.id).look()  # also while another process trains it
print(look.state, look.snapshot.step, look.snapshot.steps, look.snapshot.loss)""",
    ),
    (
        "What a text feels",
        "predict",
        ("Predictor", "Prediction", "Emotion", "because", "Reasons", "Word"),
        """\
from trainer import Predictor, because

predictor = Predictor("starter", few=True)
(found,) = predictor.predict("what a day, I could hug everyone")
print([(e.emotion, e.probability, e.threshold) for e in found.emotions])
print(predictor.probabilities(["one", "two"]).shape)  # (texts, labels)
print([(w.word, w.weight) for w in because(predictor, found.text).of("joy")])""",
    ),
    (
        "Whole files, and how good a model is",
        "score evaluate",
        ("score_file", "evaluate"),
        """\
from pathlib import Path
from trainer import evaluate, score_file

Path("reviews.csv").write_text("review\\nI love it\\nit broke on day one\\n")
print(score_file("reviews.csv", "felt.jsonl", "starter", column="review", overwrite=True).rows)
report = evaluate("starter", "sample", split="dev", bootstrap=0)
print(report["macro_f1"], report["per_label"]["joy"]["f1"])""",
    ),
    (
        "Errors",
        "",
        ("GoemoError", "ConfigError", "NotFoundError", "CorpusError", "RunError", "ModelError"),
        """\
from trainer import GoemoError, train

try:
    train("sample", epochs=-1)
except GoemoError as error:
    print(error, error.exit_code)""",
    ),
)
"""Title, its example scripts, public names, and a piece of code that the tests run."""


def page() -> str:
    """The whole of docs/api.md."""
    homes = _homes()
    named = [name for _, _, names, _ in SECTIONS for name in names]
    if sorted(named) != sorted(homes):
        raise SystemExit(f"api.md: sections and trainer.__all__ differ: {sorted(set(named) ^ set(homes))}")
    scripts = sorted(p.name for p in (ROOT / "docs" / "examples").glob("*.py"))
    parts = [HEAD.format(examples=", ".join(f"[{name}](examples/{name})" for name in scripts))]
    for title, examples, names, code in SECTIONS:
        links = ", ".join(f"[examples/{one}.py](examples/{one}.py)" for one in examples.split())
        parts.append(f"## {title}\n\n```python\n{code}\n```\n" + (f"\nIn full: {links}.\n" if links else ""))
        parts += [_entry(name, homes[name]) for name in names]
    return "\n".join(parts)


def _homes() -> dict[str, str]:
    """Public name -> module, as `trainer/__init__.py` says it."""
    tree = ast.parse((ROOT / "trainer" / "__init__.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "_HOME":
            return dict(ast.literal_eval(node.value))
    raise SystemExit("api.md: trainer/__init__.py has no _HOME")


def _source(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _found(name: str, module: str) -> tuple[ast.stmt, str, str]:
    """Where a name is defined, through the modules that hand it on: node, docstring, module."""
    tree = ast.parse(_source(module).read_text("utf-8"))
    for node, after in zip(tree.body, [*tree.body[1:], None], strict=True):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return node, ast.get_docstring(node) or "", module
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == name:
            return node, _text(after), module
        if isinstance(node, ast.ImportFrom) and node.module and name in [alias.name for alias in node.names]:
            return _found(name, node.module)
    raise SystemExit(f"api.md: {name} is not in {module}")


def _text(node: ast.stmt | None) -> str:
    """The docstring that stands behind a value."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return " ".join(node.value.value.split())
    return ""


def _entry(name: str, module: str) -> str:
    node, told, home = _found(name, module)
    if not told:
        raise SystemExit(f"api.md: {name} has no docstring")
    if isinstance(node, ast.ClassDef):
        return f"### `{name}`\n\n{_class_line(node, home)}\n\n{_prose(told)}\n\n{_members(node)}".rstrip() + "\n"
    if isinstance(node, ast.FunctionDef):
        return f"### `{name}`\n\n```python\n{_signature(node)}\n```\n\n{_prose(told)}\n"
    assert isinstance(node, ast.AnnAssign)
    return f"### `{name}`\n\n`{ast.unparse(node.annotation)}`\n\n{_prose(told)}\n"


def _class_line(node: ast.ClassDef, home: str) -> str:
    bases = [ast.unparse(base) for base in node.bases]
    frozen = any("frozen=True" in ast.unparse(d) for d in node.decorator_list)
    kind = "A frozen dataclass" if frozen else f"An exception, a `{bases[0]}`" if bases else "A class"
    codes = [s for s in node.body if isinstance(s, ast.Assign) and ast.unparse(s.targets[0]) == "exit_code"]
    own = f"; `exit_code` {ast.unparse(codes[0].value)}" if codes else ""
    return f"{kind} of `{home}`{own}."


def _members(node: ast.ClassDef) -> str:
    """Fields as a table, then what can be called."""
    if node.name == "TrainConfig":
        return f"{_settings(node)}\n\n{_methods(node)}"
    rows = []
    for field, after in zip(node.body, [*node.body[1:], None], strict=True):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and not field.target.id.startswith("_")
        ):
            rows.append(f"| `{field.target.id}` | `{_cell(ast.unparse(field.annotation))}` | {_cell(_text(after))} |")
        if isinstance(field, ast.FunctionDef) and _public(field) and _is_property(field):
            kind = ast.unparse(field.returns) if field.returns else ""
            rows.append(
                f"| `{field.name}` | `{_cell(kind)}` | {_cell(' '.join((ast.get_docstring(field) or '').split()))} |"
            )
    table = "\n".join(["| attribute | type | |", "|---|---|---|", *rows]) + "\n\n" if rows else ""
    return table + _methods(node)


def _settings(node: ast.ClassDef) -> str:
    """The table of settings, which carry help and range with them."""
    rows = []
    for field in node.body:
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.value, ast.Call)
            and isinstance(field.target, ast.Name)
        ):
            default, help, *ends = [ast.unparse(a) for a in field.value.args]
            between = f" ({ends[0]} to {ends[1]})" if len(ends) == 2 else ""
            told = ast.literal_eval(help) + between
            rows.append(f"| `{field.target.id}` | `{ast.unparse(field.annotation)}` | `{default}` | {_cell(told)} |")
    return "\n".join(["| setting | type | default | |", "|---|---|---|---|", *rows])


def _methods(node: ast.ClassDef) -> str:
    parts = []
    for one in _functions(node):
        told = ast.get_docstring(one) or ""
        if one.name == "__init__":
            parts.append(f"```python\n{_signature(one, node.name)}\n```\n")
        elif _public(one) and not _is_property(one):
            parts.append(f"```python\n{_signature(one, f'{node.name}.{one.name}')}\n```\n\n{_prose(told)}\n")
    return "\n".join(parts)


def _functions(node: ast.ClassDef) -> Iterator[ast.FunctionDef]:
    yield from (one for one in node.body if isinstance(one, ast.FunctionDef))


def _public(node: ast.FunctionDef) -> bool:
    return not node.name.startswith("_")


def _is_property(node: ast.FunctionDef) -> bool:
    return any(ast.unparse(d) in ("property", "cached_property") for d in node.decorator_list)


def _signature(node: ast.FunctionDef, name: str = "") -> str:
    """`name(argument: type = default, …) -> type`, one argument a line where it would be long; without self."""
    spec = node.args
    defaults = [None] * (len(spec.args) - len(spec.defaults)) + list(spec.defaults)
    words = [_argument(a, d) for a, d in zip(spec.args, defaults, strict=True) if a.arg not in ("self", "cls")]
    words += [f"*{_argument(spec.vararg, None)}"] if spec.vararg else ["*"] if spec.kwonlyargs else []
    words += [_argument(a, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    words += [f"**{_argument(spec.kwarg, None)}"] if spec.kwarg else []
    words = [word for word in words if word != "/"]
    back = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    line = f"{name or node.name}({', '.join(words)}){back}"
    if len(line) <= 100:
        return line
    return "\n".join([f"{name or node.name}(", *(f"    {word}," for word in words), f"){back}"])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    if default is None:
        return f"{argument.arg}{kind}"
    return f"{argument.arg}{kind}{' = ' if kind else '='}{ast.unparse(default)}"


def _prose(text: str) -> str:
    """A docstring as Markdown: its paragraphs, each on one line."""
    return "\n\n".join(" ".join(part.split()) for part in text.split("\n\n"))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
