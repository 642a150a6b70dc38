"""Evaluate a model of which only a table of predictions is known.

    python examples/evaluate_predictions.py

The model of this example sees the disease at hospital A, and recognises the hospital at hospital B.
The value over all images hides that; the values within each hospital show it.
"""

import numpy as np
import pandas as pd

import pulmo


def make_predictions(seed: int = 0) -> pd.DataFrame:
    """Returns predictions of 200 patients of two hospitals, one row an image."""
    generator = np.random.default_rng(seed)
    hospital = np.repeat(["A", "B"], 100)
    covid = generator.random(200) < np.where(hospital == "A", 0.3, 0.8)
    score = np.where(hospital == "A", 1.5 * covid, 1.0) + generator.normal(size=200)
    probability = 1 / (1 + np.exp(-2 * (score - 0.6)))
    return pd.DataFrame(
        {
            "path": [f"{number}.png" for number in range(200)],
            "label": np.where(covid, "covid", "normal"),
            "p_covid": probability,
            "p_normal": 1 - probability,
            "patient": [str(number) for number in range(200)],
            "source": hospital,
        }
    )


def main() -> None:
    """Prints the AUC over all images and within each hospital."""
    report = pulmo.evaluate_predictions(make_predictions(), positive=["covid"])
    values = report.to_frame()
    print(values[(values["metric"] == "auc") & (values["class"] == "covid")].round(3))
    print(report.within_sources().round(3))


if __name__ == "__main__":
    main()
