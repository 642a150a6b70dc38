"""Recipe: one experiment as a frozen, typed value, read from TOML."""

import tomllib
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.core.labels import LabelScheme

Fraction = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A part of a recipe: frozen, and it refuses keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataSection(Section):
    """Which pictures of the manifest take part; empty means all."""

    sources: tuple[str, ...] = ()
    views: tuple[str, ...] = ()
    modalities: tuple[str, ...] = ()


class ImageSection(Section):
    """How a radiograph becomes the network's square input."""

    size: Annotated[int, Field(ge=28, le=1024)] = 224
    """Side of the input in pixels."""
    aspect: Literal["squash", "pad", "crop"] = "pad"
    """squash ignores the aspect ratio, pad adds black borders, crop takes the central square."""


class ModelSection(Section):
    """The network and where its weights start."""

    backbone: str
    """A timm name, or a network of `pulmo.models.zoo`."""
    head: Literal["linear", "mlp"] = "linear"
    """linear: pool, linear. mlp: pool, linear, ReLU, dropout, linear."""
    hidden: Count = 512
    """Width of the mlp head's hidden layer."""
    dropout: Fraction = 0.0
    weights: str = "none"
    """none: random. timm: timm's pretrained weights, downloaded. Else a safetensors file."""
    weights_sha256: str | None = None
    """Expected SHA-256 of that file; a different file is refused."""
    weights_partial: bool = False
    """Whether the file may lack some of the network's tensors, which then start at random."""
    mean: float = 0.449
    """Subtracted from the grey value in [0, 1]; the default is ImageNet's, averaged over RGB."""
    std: Positive = 0.226
    """Divides the grey value; the default is ImageNet's, averaged over RGB."""


class AugmentSection(Section):
    """Random changes of training pictures, drawn uniformly; 0 turns one off.

    There is no left-right flip: it moves the heart to the other side and mirrors the markers.
    """

    rotate: Annotated[float, Field(ge=0, le=45)] = 0.0
    """Largest rotation either way, in degrees."""
    scale: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest enlargement or reduction, as a fraction."""
    translate: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest shift either way, as a fraction of the side."""
    brightness: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest value added or subtracted, of the range [0, 1]."""
    contrast: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest change of the contrast about the picture's mean, as a fraction."""
    gamma: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Largest change of the exponent about 1."""
    noise: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    """Largest standard deviation of added Gaussian noise, of the range [0, 1]."""


class TrainSection(Section):
    """The training loop."""

    epochs: Count = 10
    batch: Count = 32
    lr: Positive = 1e-3
    """Peak learning rate."""
    schedule: Literal["one-cycle", "constant"] = "one-cycle"
    """one-cycle: Smith and Topin 2018, cosine up over `warmup` and down to lr / 10000."""
    warmup: Annotated[float, Field(gt=0, lt=1)] = 0.25
    """Fraction of the steps over which one-cycle rises."""
    optimiser: Literal["adam", "adamw", "sgd"] = "adamw"
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    class_weights: Literal["none", "balanced"] = "none"
    """balanced: a class weighs n / (classes * n of the class) in the loss."""
    label_smoothing: Fraction = 0.0
    patience: Count | None = None
    """Epochs without a lower validation loss after which training stops; absent: never."""
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """auto: bfloat16 on a GPU, and on a processor that has it unless the network is depthwise."""
    seed: Annotated[int, Field(ge=0)] = 0


class DecisionSection(Section):
    """When the result counts as positive."""

    positive: tuple[str, ...]
    """Classes whose summed probability is compared with the threshold."""
    sensitivity: Annotated[float, Field(gt=0, lt=1)] = 0.95
    """The threshold is chosen to reach this sensitivity on the validation pictures, and no more."""


class Recipe(Section):
    """One experiment: everything that decides a training run except the data and the machine."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
    description: str
    labels: LabelScheme
    model: ModelSection
    decision: DecisionSection
    data: DataSection = DataSection()
    image: ImageSection = ImageSection()
    augment: AugmentSection = AugmentSection()
    train: TrainSection = TrainSection()

    @model_validator(mode="after")
    def _positive_classes_are_classes(self) -> Self:
        wanted = self.decision.positive
        if not wanted or not set(wanted) <= set(self.labels.order):
            raise UsageError(
                f"decision.positive must name one or more of {', '.join(self.labels.order)}; "
                f"got {list(wanted)}."
            )
        return self

    def to_toml(self) -> str:
        """Returns the recipe with every default written out, as TOML that `load_recipe` reads."""
        return tomli_w.dumps(self.model_dump(mode="json", exclude_none=True))

    @property
    def sha256(self) -> str:
        """The SHA-256 of the recipe's content, whatever its TOML looks like."""
        return sha256(self.model_dump_json().encode())


def shipped_recipes() -> dict[str, Path]:
    """Returns the recipes that come with pulmo: name -> file."""
    folder = Path(str(files("pulmo") / "recipes"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_recipe(name: str, settings: Sequence[str] = ()) -> Recipe:
    """Reads a recipe.

    Args:
        name: a shipped recipe's name, or the path of a TOML file.
        settings: changes to it, each `section.key=value` with the value in TOML; a value that is
            not TOML is taken as a string.

    Raises:
        UsageError: there is no such recipe, or it or a setting has an unknown key or a bad value.
        InputError: the file cannot be read.
    """
    path = _find(name)
    try:
        tree = tomllib.loads(read_bytes(path).decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not valid TOML: {error}.") from error
    for setting in settings:
        _apply(tree, setting)
    return parse_recipe(tree, str(path))


def parse_recipe(tree: dict[str, Any], origin: str) -> Recipe:
    """Makes a recipe of parsed TOML; `origin` names it in errors.

    Raises:
        UsageError: an unknown key, a missing one, or a bad value.
    """
    try:
        return Recipe.model_validate(tree)
    except ValidationError as error:
        problems = "; ".join(_explain(problem) for problem in error.errors())
        end = "" if problems.endswith("?") else "."
        raise UsageError(f"{origin} is not a usable recipe: {problems}{end}") from None


def _find(name: str) -> Path:
    shipped = shipped_recipes()
    if name in shipped:
        return shipped[name]
    if name.endswith(".toml") or Path(name).exists():
        return Path(name)
    near = get_close_matches(name, shipped, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise UsageError(
        f"There is no recipe {name!r}; shipped are {', '.join(shipped)}; or a .toml file.{hint}"
    )


def _apply(tree: dict[str, Any], setting: str) -> None:
    """Changes `tree` by one `a.b=value`."""
    dotted, separator, text = setting.partition("=")
    if not separator or not dotted:
        raise UsageError(f"{setting!r} is not a setting; write section.key=value.")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, key = dotted.split(".")
    node = tree
    for section in sections:
        node = node.setdefault(section, {})
        if not isinstance(node, dict):
            raise UsageError(f"{setting!r}: {section!r} is a value, not a section.")
    node[key] = value


def _explain(problem: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails
    """Turns one of pydantic's errors into words, with the nearest key for an unknown one."""
    where = ".".join(str(part) for part in problem["loc"]) or "the recipe"
    if problem["type"] == "extra_forbidden":
        known = list(_section_at(problem["loc"][:-1]).model_fields)
        near = get_close_matches(str(problem["loc"][-1]), known, n=1, cutoff=0.4)
        hint = f", did you mean {near[0]!r}?" if near else f"; known are {', '.join(known)}"
        return f"{where} is not known{hint}"
    if problem["type"] == "missing":
        return f"{where} is missing"
    return f"{where}: {problem['msg']}, got {problem['input']!r}"


def _section_at(location: tuple[int | str, ...]) -> type[BaseModel]:
    section: type[BaseModel] = Recipe
    for part in location:
        annotation = section.model_fields[str(part)].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            break
        section = annotation
    return section
