"""The options of the verbs, which are made of the options of the workflows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from importlib import import_module
from inspect import getmembers
from pathlib import Path
from typing import Annotated, Literal

import pytest
import typer
from typer.testing import CliRunner

from pulmo.cli.options import flags_used, sentences_of, takes_options
from pulmo.core import flags
from pulmo.core.errors import UsageError
from pulmo.core.flags import PYTHON_ONLY, flag
from pulmo.node.options import ListenOptions, Network, NodeData, PullOptions
from pulmo.predictions.reading.options import Options
from pulmo.reproduce.options import ReproduceOptions
from pulmo.serve.options import DataOptions, ServeOptions
from pulmo.workflows.options import data, evaluation, lungs, speed, training
from pulmo.workflows.options.evaluation import AuditOptions, EvaluateOptions, TableOptions

ALL = {
    each
    for module in (data, evaluation, lungs, speed, training)
    for _, each in getmembers(module, is_dataclass)
} | {Options, ReproduceOptions, DataOptions, ServeOptions, NodeData, Network,
     ListenOptions, PullOptions}  # fmt: skip


@dataclass(frozen=True)
class Base:
    """Options of all.

    Attributes:
        size: how many images, which is told
            on two lines. Default: all.
    """

    size: int | None = field(default=None, metadata=flag("--count", "-c", least=2))


@dataclass(frozen=True)
class Every(Base):
    """Options of every kind.

    Attributes:
        where: the place.
        quick_one: be quick.
        names: a name.
        paths: a path.
        meant: what a name means.
        half: a number that is halved.
        device: where it runs.
        secret: not for the command.
    """

    where: Path = Path("here")
    quick_one: bool = False
    names: Sequence[str] = ()
    paths: Sequence[Path] = ()
    meant: Mapping[str, str] = field(default_factory=dict, metadata=flag(metavar="[A=]B"))
    half: float | None = field(default=None, metadata=flag(parse=lambda text: float(text) / 2))
    device: Literal["cpu", "cuda"] = "cpu"
    secret: bool = field(default=True, metadata=PYTHON_ONLY)


@dataclass(frozen=True)
class Other:
    """Options of another kind.

    Attributes:
        where: the other place.
        own: what only this has.
    """

    where: Path = Path("here")
    own: str | None = None


Run = Callable[..., tuple[Every, Other]]


@pytest.fixture
def run() -> Run:
    """Types words for a verb of two kinds of options, and gives what it gets."""
    got: list[tuple[Every, Other]] = []
    app = typer.Typer()

    @app.command()
    @takes_options
    def verb(options: Every, other: Annotated[Other, "For another:"]) -> None:
        got.append((options, other))

    def typed(*words: str) -> tuple[Every, Other]:
        done = CliRunner().invoke(app, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return got.pop()

    return typed


def test_without_words_the_options_are_the_defaults(run: Run) -> None:
    assert run() == (Every(), Other())


def test_each_kind_of_field_takes_what_is_typed(run: Run) -> None:
    options, other = run(
        "-c", "3", "--where", "there", "--quick-one", "--names", "a", "--names", "b",
        "--paths", "p", "--meant", "x=y", "--meant", "z", "--half", "3", "--device", "cuda",
        "--own", "mine",
    )  # fmt: skip
    assert options == Every(
        size=3, where=Path("there"), quick_one=True, names=("a", "b"),
        paths=(Path("p"),),         meant={"x": "y", "": "z"}, half=1.5, device="cuda",
    )  # fmt: skip
    # A field of both is one option for both.
    assert other == Other(Path("there"), "mine")
    assert flags_used(options) == [
        "--count", "--where", "--quick-one", "--names", "--paths", "--meant", "--half", "--device",
    ]  # fmt: skip
    assert flags_used(other, without=("where",)) == ["--own"]


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (("x=",), "option-pair-invalid"),
        (("=y",), "option-pair-invalid"),
        (("x=y", "x=z"), "option-pairs-contradict"),
        (("y", "z"), "option-pairs-contradict"),
    ],
)
def test_pairs_that_are_none_or_contradict_are_refused(
    run: Run, texts: tuple[str, ...], code: str
) -> None:
    with pytest.raises(UsageError) as refused:
        run(*(word for text in texts for word in ("--meant", text)))
    assert refused.value.code == code


def test_the_help_is_the_sentence_of_the_field() -> None:
    @takes_options
    def verb(options: Every, other: Annotated[Other, "For another:"]) -> None:
        """Does it."""

    app = typer.Typer(rich_markup_mode=None)
    app.command()(verb)
    text = " ".join(CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output.split())
    assert "-c, --count <int range> How many images, which is told on two lines. Default" in text
    assert "--names <list[str]> A name. May be repeated." in text
    assert "--where <path> The place." in text
    assert "--own <str> For another: what only this has." in text
    assert "--meant [A=]B What a name means. May be repeated." in text
    assert "secret" not in text
    assert "no-quick" not in text


@pytest.mark.parametrize("options", sorted(ALL, key=str))
def test_each_field_of_the_options_has_a_sentence(options: type) -> None:
    sentences = sentences_of(options)
    for each in fields(options):
        assert sentences[each.name].endswith("."), each.name
        found = flags.flag_of(each)
        assert found is None or found.names[0].startswith("--")


def test_options_for_python_alone_have_no_flag() -> None:
    assert flags_used(AuditOptions(reading=Options())) == []
    assert flags_used(EvaluateOptions(record_access=False)) == []
    assert flags_used(TableOptions(group="patient", prevalence=0.1)) == ["--groups", "--prevalence"]


def test_every_module_of_options_is_looked_at() -> None:
    folder = Path(str(import_module("pulmo.workflows.options").__file__)).parent
    assert {path.stem for path in folder.glob("[!_]*.py")} == {
        "data",
        "evaluation",
        "lungs",
        "screening",
        "speed",
        "training",
    }
