"""pulmo data split."""

from typing import Annotated

import typer

from pulmo.cli.data.options import Manifest, Output, Seed, counts


def split(
    manifest: Manifest,
    output: Output,
    val: Annotated[float, typer.Option(help="Fraction for validation.")] = 0.15,
    test: Annotated[float, typer.Option(help="Fraction for the test.")] = 0.15,
    keep_test: Annotated[
        bool, typer.Option("--keep-test", help="Keep the official test of sources that have one.")
    ] = False,
    seed: Seed = 0,
) -> None:
    """Divide into train, val and test by group, stratified by label and source at once."""
    import numpy as np

    from pulmo.core.tables import SPLITS, read_manifest, write_manifest
    from pulmo.datasets.split import Shares, check_split, split_manifest

    table = split_manifest(
        read_manifest(manifest),
        Shares(val, test),
        np.random.default_rng(seed),
        keep_test=keep_test,
    )
    check_split(table)
    write_manifest(table, output)
    for side in SPLITS:
        typer.echo(f"{side}: {counts(table[table['split'] == side])}")
    left_out = table["split"].isna()
    if left_out.any():
        typer.echo(f"left out, in a group with the kept test: {counts(table[left_out])}")
