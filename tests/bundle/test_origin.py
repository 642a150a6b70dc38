"""Which run a model was exported from."""

import shutil
from pathlib import Path

from fixtures.refuses import refuses
from pulmo.bundle.card import read_card
from pulmo.bundle.origin import check_origin
from pulmo.core.folders import RunFolder


def test_only_its_own_run_is_taken(run: RunFolder, bundle: Path, tmp_path: Path) -> None:
    card = read_card(bundle / "card.json")
    check_origin(card, run)
    other = RunFolder(tmp_path / "run")
    with refuses("file-missing", "card.json"):
        check_origin(card, other)
    other.root.mkdir()
    shutil.copy(run.card, other.card)
    text = other.card.read_text().replace(card.network.sha256, "0" * 64)
    other.card.write_text(text)
    with refuses("bundle-not-of-run", str(other.root)):
        check_origin(card, other, "It")
