import re
from pathlib import Path

import pytest
import typer.main

from golden.errors import raised
from pulmo.cli.app import app
from pulmo.cli.remedies import COMMAND_REMEDIES, REMEDIES, remedy
from pulmo.cli.vgg16 import app as vgg16
from pulmo.core.errors import InputError
from pulmo.datasets.class_names import UnknownClassesError

# The worker that reads the source for tests/core/test_errors.py.
pytestmark = pytest.mark.xdist_group("errors")

EACH = [("pulmo", code, text) for code, text in REMEDIES.items()]
EACH += [(command, code, text) for (command, code), text in COMMAND_REMEDIES.items()]


def commands(root: object, name: str) -> dict[str, object]:
    """Returns the verbs below a command by their whole name, and the command itself."""
    found: dict[str, object] = {name: root}
    for verb, below in getattr(root, "commands", {}).items():
        found |= commands(below, f"{name} {verb}")
    return found


COMMANDS = commands(typer.main.get_command(app), "pulmo")
COMMANDS |= commands(typer.main.get_command(vgg16), "pulmo-vgg16")


@pytest.mark.parametrize(("command", "code", "text"), EACH, ids=[code for _, code, _ in EACH])
def test_a_remedy_is_of_an_error_and_names_what_is_there(
    command: str, code: str, text: str
) -> None:
    assert code in {error.code for error in raised()}
    assert text.endswith(".")
    below = [each for name, each in COMMANDS.items() if name.startswith(command)]
    options = {
        option for each in below for one in getattr(each, "params", []) for option in one.opts
    }
    assert set(re.findall(r"--[a-z-]+", text)) <= options
    for named in re.findall(r"pulmo (?:data )?[a-z-]+", text):
        assert named in COMMANDS


def test_a_command_may_have_a_remedy_of_its_own() -> None:
    error = InputError("weights-unavailable", "There are no weights.")
    assert "--set" in remedy(error, "pulmo train")
    assert "--set" not in remedy(error, "pulmo-vgg16")
    assert remedy(InputError("image-blank", "a.png is blank."), "pulmo predict") == ""


def test_the_options_that_name_classes_can_be_typed() -> None:
    error = UnknownClassesError(Path("set"), ["COVID19", "No Finding", "xyz"])
    assert remedy(error, "pulmo data").endswith(
        " --map COVID19=covid --map 'No Finding=normal' --map xyz=LABEL."
    )
