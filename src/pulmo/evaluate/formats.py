"""What `evaluation.json` is of: one class a film, or several findings a film."""

from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

LabelsFormat = Literal["labels 1"]
"""That of several findings a film."""


def _of_classes(value: object) -> object:
    """Says what the other kind is, to who takes it for this one."""
    if value == "labels 1":
        raise PydanticCustomError(
            "labels", "it judges several findings a film; name the folder of one, below labels"
        )
    return value


ClassesFormat = Annotated[Literal[1], BeforeValidator(_of_classes)]
"""That of one class a film."""
