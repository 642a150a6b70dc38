import re
from concurrent.futures import ProcessPoolExecutor

import pytest

from golden import errors as golden
from pulmo.core.errors import InputError, PulmoError, RefusedError

RAISED = golden.raised()
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
    assert golden.FILE.read_text("utf-8") == golden.listing(RAISED), REWRITE


def test_all_classes_are_found() -> None:
    def names(kind: type[PulmoError]) -> set[str]:
        return {kind.__name__}.union(*map(names, kind.__subclasses__()))

    assert {error.kind for error in RAISED} >= names(PulmoError) - {"PulmoError"}


@pytest.mark.parametrize("error", RAISED, ids=[error.place for error in RAISED])
def test_each_has_a_code_and_a_sentence(error: golden.Raised) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", error.code), "a literal code in kebab case"
    first = r"[A-Z{]|--" if error.place.startswith("cli/") else r"[A-Z{]"
    assert re.match(first, error.sentence), "a capital letter or a value comes first"
    assert error.sentence.endswith((".", "}")), "a full stop, or a value that ends with one"
    if not error.place.startswith("cli/"):
        assert not re.search(r"(?<![\w-])--[a-z]", error.sentence), "only the command has options"
        assert not re.search(r"\bpulmo [a-z]", error.sentence), "only the command has verbs"


def test_a_code_has_one_class() -> None:
    kinds: dict[str, set[str]] = {}
    for error in RAISED:
        kinds.setdefault(error.code, set()).add(error.kind)
    assert {code: kind for code, kind in kinds.items() if len(kind) > 1} == {}
