import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest

from golden import errors as golden
from pulmo.core.errors import InputError, PulmoError, RefusedError

# One worker reads the source, and not while it collects the tests: that takes seconds.
pytestmark = pytest.mark.xdist_group("errors")

REWRITE = "Run python tests/golden/errors.py, and read what changed."


def test_an_error_is_its_sentence_and_has_a_code() -> None:
    error = InputError("manifest-empty", "m.parquet has no image.")
    assert str(error) == "m.parquet has no image."
    assert error.code == "manifest-empty"
    assert (error.exit_status, RefusedError.exit_status) == (3, 5)


def test_an_error_comes_from_another_process_as_it_was() -> None:
    with ProcessPoolExecutor(1) as pool:
        error = pool.submit(RefusedError, "split-leaks", "The split leaks.").result()
    assert isinstance(error, RefusedError)
    assert (error.code, str(error)) == ("split-leaks", "The split leaks.")


def test_the_golden_file_has_the_errors_of_the_source() -> None:
    assert golden.FILE.read_text("utf-8") == golden.listing(golden.raised()), REWRITE


def test_all_classes_are_found() -> None:
    def names(kind: type[PulmoError]) -> set[str]:
        return {kind.__name__}.union(*map(names, kind.__subclasses__()))

    assert {error.kind for error in golden.raised()} >= names(PulmoError) - {"PulmoError"}


def test_each_has_a_code_and_a_sentence() -> None:
    assert [f"{error.place}: {fault}" for error in golden.raised() for fault in faults(error)] == []


def faults(error: golden.Raised) -> Iterator[str]:
    """Yields what is wrong with the code and the sentence of an error."""
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error.code):
        yield "a literal code in kebab case is missing"
    is_of_command = error.place.startswith("cli/")
    if not re.match(r"[A-Z{]|--" if is_of_command else r"[A-Z{]", error.sentence):
        yield "a capital letter or a value comes first"
    if not error.sentence.endswith((".", "}")):
        yield "a full stop comes last, or a value that ends with one"
    if not is_of_command:
        if re.search(r"(?<![\w-])--[a-z]", error.sentence):
            yield "only the command has options"
        if re.search(r"\bpulmo [a-z]", error.sentence):
            yield "only the command has verbs"


def test_a_code_has_one_class() -> None:
    kinds: dict[str, set[str]] = {}
    for error in golden.raised():
        kinds.setdefault(error.code, set()).add(error.kind)
    assert {code: kind for code, kind in kinds.items() if len(kind) > 1} == {}
