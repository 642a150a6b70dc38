"""A card, an evaluation and a gallery with made-up numbers, each different from the others."""

import io
from itertools import count

import numpy as np
import pytest
from PIL import Image

from pulmo.bundle.card import Activation, Card, Decision, Epoch, Input, Network, Training
from pulmo.core.labels import LabelScheme
from pulmo.evaluate.evaluation import (
    Contrast,
    Curve,
    DecisionFigures,
    EvaluatedData,
    Evaluation,
    Failure,
    Histogram,
    ModelName,
    Pair,
    PatientFigures,
    PrecisionRecall,
    ReliabilityBin,
    ReportRow,
    Subgroup,
    Threshold,
)
from pulmo.report.gallery import SUREST_HIT, SUREST_MISS, Shown
from pulmo.report.page import ReportContent
from pulmo.stats.estimate import Estimate

LABELS = ("covid", "viral", "normal")


@pytest.fixture(scope="session")
def card() -> Card:
    history = tuple(
        Epoch(
            epoch=number,
            lr=1e-3 / number,
            train_loss=1 / number,
            val_loss=1.2 / number,
            val_accuracy=1 - 0.5 / number,
            val_balanced_accuracy=1 - 0.6 / number,
            seconds=1,
            images_per_second=1,
        )
        for number in range(1, 6)
    )
    return Card(
        name="three-way",
        description="A card for tests.",
        created="2026-01-02T03:04:05Z",
        pulmo="0.1.0",
        license="Apache-2.0",
        labels=LabelScheme(LABELS, {"pneumonia": "viral"}),
        input=Input(size=64, aspect="pad", mean=0.5, std=0.25),
        temperature=1.25,
        decision=Decision(
            positive=("covid", "viral"),
            threshold=0.4321,
            aim=0.95,
            sensitivity=Estimate(0.951, 0.911, 0.981, 101),
            specificity=Estimate(0.801, 0.711, 0.881, 102),
        ),
        activation=Activation(rows=4, columns=4, scale=3.5),
        network=Network(
            backbone="tiny", head="linear", parameters=12345, weights="none", sha256="a" * 64
        ),
        training=Training(
            recipe="demo",
            recipe_sha256="b" * 64,
            manifest_sha256="c" * 64,
            seed=7,
            best_epoch=4,
            history=history,
            counts={"train": {"covid": 1101, "viral": 1202}, "val": {"normal": 1303}},
            sources={"covid": {"east": 1101}, "viral": {"east": 2, "west": 1200}, "normal": {}},
        ),
    )


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    values = count(501)

    def figure() -> Estimate:
        value = next(values) / 1000
        return Estimate(value, value - 0.1, value + 0.1, next(values))

    return Evaluation(
        model=ModelName(name="three-way", version="2.0.1", sha256="d" * 64),
        data=EvaluatedData(
            manifest_sha256="e" * 64,
            split="test",
            n=9001,
            groups=8002,
            labels={"covid": 3001, "viral": 3002, "normal": 2998},
            sources={"east": {"covid": 3001}, "west": {"viral": 3002, "normal": 2998}},
            skipped={"other": 41, "bacterial": 42},
            failed=(
                Failure(path="/data/Jane Doe/film.png", reason="/data/Jane Doe/film.png is cut."),
            ),
        ),
        overall={"accuracy": figure(), "log_loss": Estimate(1.5, 1.25, 1.75, 9001)},
        classes={
            label: {"auc": figure(), "recall": figure(), "specificity": figure()}
            for label in LABELS
        },
        confusion=((2901, 60, 40), (70, 2900, 32), (0, 0, 0)),
        decision=DecisionFigures(
            positive=("covid", "viral"),
            threshold=0.4321,
            sensitivity=figure(),
            specificity=figure(),
            auc=figure(),
            ppv=figure(),
            npv=figure(),
            positive_likelihood_ratio=Estimate(7.5, 6.25, 8.75, 9001),
            negative_likelihood_ratio=figure(),
            prevalence=0.04,
            ppv_at_prevalence=figure(),
            npv_at_prevalence=figure(),
        ),
        reliability=(
            ReliabilityBin(low=0.0, high=0.1, n=0, confidence=None, accuracy=None),
            ReliabilityBin(low=0.8, high=0.9, n=7, confidence=0.85, accuracy=0.75),
            ReliabilityBin(low=0.9, high=1.0, n=8994, confidence=0.95, accuracy=0.97),
        ),
        roc={
            label: Curve(false_positive_rate=(0, 0.1, 1), true_positive_rate=(0, 0.9, 1))
            for label in LABELS
        },
        contrasts=(
            Contrast(
                source="west",
                positive=("viral",),
                negative=("normal",),
                n_positive=3002,
                n_negative=2998,
                auc=figure(),
                accuracy=figure(),
                sensitivity=figure(),
                specificity=figure(),
            ),
        ),
        precision_recall={
            label: PrecisionRecall(recall=(0, 0.8, 1), precision=(1, 0.9, 0.33)) for label in LABELS
        },
        pairs=(Pair(first="covid", second="viral", auc=figure()),),
        classification_report={
            "covid": ReportRow(precision=0.977, recall=0.967, f1=0.972, support=3001),
            "macro avg": ReportRow(precision=None, recall=0.644, f1=0.641, support=9001),
        },
        sweep=tuple(
            Threshold(
                threshold=at,
                sensitivity=1 - at,
                specificity=at,
                ppv=None if at == 1 else 0.7,
                npv=0.6 if at else None,
                net_benefit=None if at == 1 else 0.6 - at / 2,
                treat_all=None if at == 1 else 0.6 - at,
            )
            for at in (0, 0.25, 0.5, 0.75, 1)
        ),
        histograms={label: Histogram(counts=(5, 0, 7, 20)) for label in LABELS},
        subgroups=(
            Subgroup(
                fact="sex",
                name="F",
                n=4001,
                groups=3901,
                accuracy=figure(),
                auc=figure(),
                sensitivity=figure(),
                specificity=figure(),
            ),
            Subgroup(
                fact="sex",
                name="M",
                n=12,
                groups=11,
                accuracy=Estimate(0.75, None, None, 12),
                auc=Estimate.undefined("one side"),
                sensitivity=figure(),
                specificity=figure(),
            ),
        ),
        patients=PatientFigures(
            n=7001,
            mixed=123,
            overall={"accuracy": figure()},
            classes={
                label: {"auc": figure(), "recall": figure(), "specificity": figure()}
                for label in LABELS
            },
            confusion=((1, 0, 0), (0, 1, 0), (0, 0, 1)),
            decision=DecisionFigures(
                positive=("covid",), threshold=0.5, sensitivity=figure(), specificity=figure()
            ),
        ),
        warnings=(
            "Every covid picture comes from east.",
            "1 picture took no part; the first is /data/Jane Doe/film.png (it is cut).",
        ),
    )


@pytest.fixture(scope="session")
def png() -> bytes:
    noise = np.random.default_rng(5).integers(0, 256, (190, 390, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def content(evaluation: Evaluation, card: Card, png: bytes) -> ReportContent:
    gallery = [
        Shown("a.png", SUREST_HIT, "covid", "covid", positive=True, picture=png, probabilities=p)
        for p in ({"covid": 0.871, "viral": 0.072, "normal": 0.057},)
    ]
    gallery.append(
        Shown(
            "<img src=x>.png",
            SUREST_MISS,
            "normal",
            "viral",
            positive=False,
            picture=png,
            probabilities={"covid": 0.113, "viral": 0.624, "normal": 0.263},
        )
    )
    return ReportContent(evaluation, card, gallery)
