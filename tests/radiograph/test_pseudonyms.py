import re
from pathlib import Path

import pytest
from pydicom.uid import UID

from fixtures.refuses import refuses
from pulmo.deidentify import Pseudonyms, read_key
from pulmo.radiograph.pseudonyms import is_of_the_standard


def test_one_key_gives_the_same_pseudonyms_each_time() -> None:
    one, other = Pseudonyms(b"k" * 32), Pseudonyms(b"k" * 32)
    assert one.uid("1.2.3") == other.uid("1.2.3")
    assert one.patient("4711") == other.patient("4711")


def test_what_differs_has_different_pseudonyms() -> None:
    keys = [Pseudonyms(b"k" * 32), Pseudonyms(b"l" * 32)]
    assert len({key.uid(real) for key in keys for real in ("1.2.3", "1.2.4", "")}) == 6
    assert len({key.patient(real) for key in keys for real in ("4711", "4712")}) == 4


def test_without_a_key_nothing_repeats() -> None:
    assert len({Pseudonyms.unrepeatable().uid("1.2.3") for _ in range(5)}) == 5


@pytest.mark.parametrize(
    "real", ["1.2.3", "", "1" * 64, "M\N{LATIN SMALL LETTER U WITH DIAERESIS}"]
)
def test_their_form(real: str) -> None:
    pseudonyms = Pseudonyms(b"k" * 32)
    assert UID(pseudonyms.uid(real)).is_valid
    assert pseudonyms.uid(real).startswith("2.25.")
    assert re.fullmatch(r"P[0-9A-F]{16}", pseudonyms.patient(real))


def test_identifiers_of_the_standard() -> None:
    assert is_of_the_standard("1.2.840.10008.1.2.1")
    assert not is_of_the_standard("1.2.840.10008.99.99")
    assert not is_of_the_standard("1.2.3")


def test_a_key_is_read(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"s" * 16)
    assert read_key(path) == b"s" * 16


def test_a_key_that_is_no_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    with refuses("key-too-short", "6", "16"):
        read_key(path)
