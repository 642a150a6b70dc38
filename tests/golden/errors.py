"""The errors of the source: code, class, exit status and sentence of each.

Run as a program, it writes errors.txt, with which tests/core/test_errors.py compares the source.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

SOURCE: Final = Path(__file__).parents[2] / "src" / "pulmo"
FILE: Final = Path(__file__).with_name("errors.txt")
_ROOT: Final = "PulmoError"


class Raised(NamedTuple):
    """A place of the source that makes an error.

    Attributes:
        place: file and line.
        kind: the class of the error.
        status: the exit status of the command.
        code: its code; blank where that is not a literal.
        sentence: its message, with a placeholder in braces for each value.
    """

    place: str
    kind: str
    status: int
    code: str
    sentence: str


class _Kind(NamedTuple):
    """A class of errors, and whether it makes its code and message itself."""

    status: int
    has_constructor: bool


@cache
def raised() -> list[Raised]:
    """Returns all places that make an error of pulmo."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(SOURCE.rglob("*.py"))}
    kinds = _kinds(list(trees.values()))
    return [
        Raised(
            f"{path.relative_to(SOURCE)}:{line}",
            kind,
            kinds[kind].status,
            *_code_and_sentence(arguments),
        )
        for path, tree in trees.items()
        for kind, line, arguments in _made(tree, kinds)
    ]


def listing(errors: list[Raised]) -> str:
    """Returns the text of errors.txt: a block for each code, sorted."""
    blocks: dict[str, set[str]] = {}
    for error in errors:
        head = f"{error.code}  {error.kind}  {error.status}"
        blocks.setdefault(head, set()).add(f"    {error.sentence}")
    return "\n\n".join("\n".join([head, *sorted(blocks[head])]) for head in sorted(blocks)) + "\n"


def _kinds(trees: list[ast.Module]) -> dict[str, _Kind]:
    """Returns the classes of errors by their name."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    kinds: dict[str, _Kind] = {}
    known = -1
    while len(kinds) > known:  # Until no class is below one that was found.
        known = len(kinds)
        for node in classes:
            names = [ast.unparse(base) for base in node.bases]
            above = [kinds[name] for name in names if name in kinds]
            if node.name == _ROOT:
                kinds[_ROOT] = _Kind(_status(node, 1), has_constructor=False)
            elif above:
                own = any(
                    isinstance(part, ast.FunctionDef) and part.name == "__init__"
                    for part in node.body
                )
                kinds[node.name] = _Kind(_status(node, above[0].status), has_constructor=own)
    return kinds


def _status(node: ast.ClassDef, inherited: int) -> int:
    for part in node.body:
        if isinstance(part, ast.Assign | ast.AnnAssign) and part.value:
            target = part.targets[0] if isinstance(part, ast.Assign) else part.target
            if ast.unparse(target) == "exit_status":
                return int(ast.literal_eval(part.value))
    return inherited


def _made(tree: ast.Module, kinds: dict[str, _Kind]) -> Iterator[tuple[str, int, list[ast.expr]]]:
    """Yields class, line and arguments of each error that is made."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise) and _named(node.exc, kinds):
            kind = ast.unparse(node.exc) if node.exc else ""
            if not kinds[kind].has_constructor:
                yield kind, node.lineno, []
        elif isinstance(node, ast.Call) and _named(node.func, kinds):
            kind = ast.unparse(node.func)
            if not kinds[kind].has_constructor:
                yield kind, node.lineno, node.args
        elif isinstance(node, ast.ClassDef) and node.name in kinds and node.name != _ROOT:
            for call in ast.walk(node):
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__":
                    yield node.name, call.lineno, call.args


def _named(node: ast.expr | None, kinds: dict[str, _Kind]) -> bool:
    return isinstance(node, ast.Name) and node.id in kinds


def _code_and_sentence(arguments: list[ast.expr]) -> tuple[str, str]:
    if len(arguments) != 2:
        return "", ""
    code, message = arguments
    is_literal = isinstance(code, ast.Constant) and isinstance(code.value, str)
    return ast.literal_eval(code) if is_literal else "", _text(message)


def _text(node: ast.expr) -> str:
    """Returns a message with its values as placeholders."""
    match node:
        case ast.Constant():
            return str(node.value)
        case ast.JoinedStr():
            return "".join(map(_text, node.values))
        case ast.FormattedValue():
            return f"{{{_placeholder(node.value)}}}"
        case ast.BinOp(op=ast.Add()):
            return _text(node.left) + _text(node.right)
        case _:
            return f"{{{_placeholder(node)}}}"


def _placeholder(node: ast.expr) -> str:
    """Returns what names a value: its expression, of a joined list that of the list alone."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Constant(), attr="join"), args=[names]):
            return _placeholder(names)
        case ast.BoolOp(op=ast.Or()):
            return " or ".join(map(_placeholder, node.values))
        case ast.IfExp():
            return f"{_placeholder(node.body)} | {_placeholder(node.orelse)}"
        case ast.GeneratorExp():
            return _placeholder(node.generators[0].iter)
        case _:
            return ast.unparse(node)


if __name__ == "__main__":
    FILE.write_text(listing(raised()), "utf-8")
