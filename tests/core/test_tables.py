from pathlib import Path

import pandas as pd

from fixtures.refuses import refuses
from pulmo.core.tables import read_parquet, write_parquet


def test_a_table_survives_parquet_without_its_index(tmp_path: Path) -> None:
    table = pd.DataFrame({"path": ["a", "b"], "p_covid": [0.25, 0.5]}, index=[7, 3])
    write_parquet(table, tmp_path / "p.parquet")
    assert read_parquet(tmp_path / "p.parquet").equals(table.reset_index(drop=True))


def test_a_file_that_is_no_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("text")
    with refuses("parquet-invalid"):
        read_parquet(tmp_path / "m.parquet")
