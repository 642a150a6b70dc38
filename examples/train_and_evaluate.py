"""Draw chest X-rays, train a small network on them, evaluate, audit and explain it.

    python examples/train_and_evaluate.py FOLDER

The images are drawings, so the values show that the program works and nothing about patients.
"""

import sys
from pathlib import Path

import pulmo
from pulmo.core.recipe import load_recipe
from pulmo.datasets.phantom import write_phantoms
from pulmo.workflows.split import split


def main(folder: Path, count: int = 240, epochs: int = 4) -> None:
    """Writes a run, a bundle, an evaluation, an audit and a heat map to a new folder."""
    table = write_phantoms(folder / "images", count, seed=0)
    images = pulmo.datasets.load("csv", table, name="phantom")
    data = split(images, folder / "split.parquet").manifest

    recipe = load_recipe("demo", [f"train.epochs={epochs}"])
    run = pulmo.train(recipe, data, output=folder / "run")
    model = pulmo.load(run.export(folder / "bundle"))

    test = data.split("test")
    result = model.predict(test.frame["path"].iloc[0])
    result.heatmap("covid").save(folder / "map.png")
    print(result)

    report = pulmo.evaluate(model, test, output=folder / "evaluation")
    print(report.to_frame().head(5).to_string(index=False))
    print(*report.warnings, sep="\n")

    audit = pulmo.audit(model, data, split="test", output=folder / "audit")
    print(audit)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Name a new folder: python examples/train_and_evaluate.py FOLDER")
    main(Path(sys.argv[1]))
