import re
import shlex
from dataclasses import replace
from html import unescape
from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.page import Page
from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.core.message import Message
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.evaluate.decision_results import SetMetrics
from pulmo.evaluate.evaluation import Evaluation
from pulmo.predictions.operating_point import BANDS, Bands, BandShares, OperatingPoint
from pulmo.report.evaluation_page import ReportContent, render_report, write_report
from pulmo.stats.estimate import Estimate


def with_evaluation(content: ReportContent, **changes: object) -> ReportContent:
    return replace(content, evaluation=content.evaluation.model_copy(update=changes))


@pytest.fixture(scope="session")
def html(content: ReportContent) -> str:
    return render_report(content)


@pytest.fixture(scope="session")
def page(html: str) -> Page:
    return Page(html)


def estimates(evaluation: Evaluation, card: Card) -> list[Estimate]:
    contrast = evaluation.contrasts[0]
    return [
        *evaluation.overall.values(),
        *(value for values in evaluation.classes.values() for value in values.values()),
        *(evaluation.decision.sensitivity, evaluation.decision.specificity),
        *(card.decision.sensitivity, card.decision.specificity),
        *(contrast.auc, contrast.accuracy, contrast.sensitivity, contrast.specificity),
        *(one for one in decision_metrics(evaluation) if one is not None),
        *(pair.auc for pair in evaluation.pairs),
        *patient_figures(evaluation),
        *(getattr(evaluation.subgroups[0], name) for name in FOREST),
    ]


FOREST = ("accuracy", "auc", "sensitivity", "specificity")


def decision_metrics(evaluation: Evaluation) -> list[Estimate | None]:
    decision = evaluation.decision
    return [
        *(decision.auc, decision.ppv, decision.npv),
        *(decision.positive_likelihood_ratio, decision.negative_likelihood_ratio),
        *(decision.ppv_at_prevalence, decision.npv_at_prevalence),
    ]


def patient_figures(evaluation: Evaluation) -> list[Estimate]:
    assert evaluation.patients is not None
    classes = evaluation.patients.classes.values()
    by_class = (value for values in classes for value in values.values())
    return [*evaluation.patients.overall.values(), *by_class]


def test_every_figure_is_there_with_its_interval_and_n(
    page: Page, evaluation: Evaluation, card: Card
) -> None:
    found = estimates(evaluation, card)
    assert len(found) == 42
    for value, low, high, n, _ in found:
        assert value is not None
        words = rf"{value:.3f} {low:.3f}\u2013{high:.3f} {n:,}"
        assert re.search(words, page.text), words


def test_every_count_is_there(page: Page, evaluation: Evaluation, card: Card) -> None:
    counts = [
        *(evaluation.data.n, evaluation.data.groups),
        *evaluation.data.labels.values(),
        *evaluation.data.skipped.values(),
        *(number for row in evaluation.confusion for number in row),
        *(n for by_class in card.training.counts.values() for n in by_class.values()),
        *(n for by_source in card.training.sources.values() for n in by_source.values()),
    ]
    shown = set(re.findall(r"\d[\d,]*", page.text))
    assert {f"{count:,}" for count in counts} <= shown


def test_the_decision_the_card_and_the_digests_are_there(
    page: Page, evaluation: Evaluation, card: Card
) -> None:
    assert "covid + viral is at least 0.4321" in page.text
    assert "for a sensitivity of 0.95, which is not guaranteed." in page.text
    assert "Version 2.0.1. Trained 2026-01-02." in page.text
    assert "1.2500" in page.text
    assert "12,345 weights" in page.text
    assert "Counted as viral pneumonia" in page.text
    assert "--split test" in page.text
    digests = {letter * 64 for letter in "abcde"}
    assert digests <= set(page.text.split())
    assert evaluation.model.sha256 in digests
    assert card.network.sha256 in digests


@pytest.mark.usefixtures("blank_figures")
def test_a_version_that_is_the_date_is_not_said_twice(content: ReportContent, card: Card) -> None:
    model = content.evaluation.model.model_copy(update={"version": card.created})
    page = Page(render_report(with_evaluation(content, model=model)))
    assert "0.4321. Trained 2026-01-02." in page.text
    assert "Version" not in page.text


@pytest.mark.usefixtures("blank_figures")
@pytest.mark.parametrize(
    ("test_accesses", "sentence"),
    [
        (None, None),
        (1, "First evaluation of this model on this test set."),
        (3, "Evaluation number 3 of this model on this test set."),
    ],
)
def test_how_often_the_test_was_opened_is_said(
    content: ReportContent, test_accesses: int | None, sentence: str | None
) -> None:
    data = content.evaluation.data.model_copy(update={"test_accesses": test_accesses})
    text = Page(render_report(with_evaluation(content, data=data))).text
    assert ("of this model on this test set" in text) == (test_accesses is not None)
    assert sentence is None or sentence in text


def calibrated(content: ReportContent) -> ReportContent:
    """The same report of a model with bands and sets, evaluated at a threshold fitted for it."""
    estimates = [
        Estimate(n / 1000, n / 1000 - 0.1, n / 1000 + 0.1, 10 * n) for n in range(301, 316)
    ]
    shares = {
        band: BandShares(images=one, positives=two, negatives=three)
        for band, one, two, three in zip(
            BANDS, *(estimates[n::3][:3] for n in range(3)), strict=True
        )
    }
    fitted = OperatingPoint(
        threshold=0.3456,
        metric="specificity",
        aim=0.85,
        confidence=0.95,
        independent=812,
        sensitivity=estimates[9],
        specificity=estimates[10],
    )
    low = fitted.model_copy(update={"threshold": 0.2345, "confidence": None, "reason": "few"})
    sets = SetMetrics(
        coverage=0.9,
        covered=estimates[11],
        classes=dict(zip(("covid", "viral", "normal"), estimates[12:], strict=True)),
        size=Estimate(1.234, 1.123, 1.345, 9001),
        sizes=(11, 7000, 1970, 20),
    )
    bands = Bands(rule_out=low, rule_in=fitted, shares={})
    assert content.card is not None
    card = content.card.model_copy(update={"bands": bands})
    known = {"fitted": fitted, "bands": shares, "sets": sets}
    return replace(with_evaluation(content, **known), card=card)


@pytest.mark.usefixtures("blank_figures")
def test_bands_sets_and_a_fitted_threshold_are_shown(content: ReportContent) -> None:
    full = calibrated(content)
    text = Page(render_report(full)).text
    for number in range(301, 316):
        value = number / 1000
        words = rf"{value:.3f} {value - 0.1:.3f}\u2013{value + 0.1:.3f} {10 * number:,}"
        assert re.search(words, text), words
    for sentence in (
        "The threshold 0.3456 was fitted on validation images for a specificity of 0.85 or more,",
        (
            "guaranteed with 95 % confidence by 812 independent images. It differs from the "
            "threshold of the card."
        ),
        "Below a probability of 0.2345 a result is negative, from 0.3456 on positive, and in",
        "for a specificity of 0.85, which is not guaranteed: few.",
        "--split test --threshold-for specificity=0.85 --prevalence 0.04 -o evaluation",
        "Of images like the validation images, 90 % or more are expected",
        "A set has 1.234 (1.123-1.345) classes on average.",
        "Images by the size of their set: 0: 11, 1: 7,000, 2: 1,970, 3: 20.",
    ):
        assert sentence in text
    plain = Page(render_report(content)).text
    assert "Triage" not in plain
    assert "Conformal" not in plain


def test_the_answer_comes_first_then_the_warnings(page: Page, evaluation: Evaluation) -> None:
    places = [
        page.text.index(words)
        for words in (
            "Classes: covid, viral and normal. Positive: covid + viral, from a probability of",
            "9,001 images in 8,002 groups",
            f"Sensitivity {evaluation.decision.sensitivity.value:.3f}",
            f"Balanced accuracy {evaluation.overall['balanced_accuracy'].value:.3f}",
            "Within one source: not better than chance for some classes",
            evaluation.warnings[0].text,
            "evaluate the model there.",
            "The decision An image is positive",
        )
    ]
    assert places == sorted(places)


def test_a_warning_shows_its_first_clause_and_folds_the_rest(html: str) -> None:
    assert "<summary>1 image took no part.</summary><p>1 image took no part; the" in html
    assert "<li>Every covid image comes from east.</li>" in html


def test_it_says_early_and_often_that_it_is_for_research(html: str, page: Page) -> None:
    assert page.text.count("For research, not diagnosis.") >= 3
    assert '@bottom-left { content: "For research, not diagnosis."' in html


def test_the_page_needs_nothing_from_outside(html: str, page: Page) -> None:
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {t for t, _ in page.tags}
    assert not [name for name in page.values("style") if "url(" in name and "url(#" not in name]
    assert all(source.startswith("data:image/jpeg;base64,") for source in page.values("src"))
    assert all(target.startswith("#") for target in page.values("href"))
    assert not re.search(r"https?:|@import|@font-face|javascript:| on\w+=", html)
    (policy,) = (tag["content"] for tag in page.all("meta") if "http-equiv" in tag)
    assert policy.startswith("default-src 'none'")


def test_ids_are_unique_and_links_lead_somewhere(page: Page) -> None:
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    targets = {target[1:] for target in page.values("href")}
    targets |= set(re.findall(r"url\(#([^)]*)", " ".join(page.values("clip-path"))))
    assert targets <= set(ids)


def test_the_page_is_accessible(page: Page) -> None:
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("title")) == 1
    assert all(header["scope"] in {"col", "row", "rowgroup"} for header in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(image["alt"] for image in page.all("img"))
    assert all(figure["aria-label"] for figure in page.all("svg"))


def test_headings_go_down_one_step_at_a_time(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_gallery_shows_each_image_with_its_probabilities(page: Page) -> None:
    assert len(page.all("img")) == 2
    assert "a.png \u00b7 4 \u00d7 4 map, enlarged Correct, highest confidence" in page.text
    assert "Correct, highest confidence True covid, decided covid , result positive" in page.text
    assert "Wrong, highest confidence True normal, decided viral , result negative" in page.text
    for probability in ("0.871", "0.072", "0.057", "0.113", "0.624", "0.263"):
        assert probability in page.text
    assert "True class: viral" not in page.text
    assert "3.5 or more" in page.text


def test_names_are_escaped(html: str, page: Page) -> None:
    assert "<img src=x>.png" in page.text
    assert "<img src=x>" not in html


def test_a_hostile_model_cannot_write_html(content: ReportContent, card: Card) -> None:
    bad = "<script>alert(1)</script>\"'&"
    hostile = replace(
        content,
        card=card.model_copy(update={"name": bad, "description": bad, "license": bad}),
        evaluation=content.evaluation.model_copy(
            update={
                "warnings": (Message("bad", bad),),
                "overall": {bad: Estimate.undefined(bad)},
                "model": content.evaluation.model.model_copy(update={"name": bad, "version": bad}),
            }
        ),
    )
    page = Page(render_report(hostile))
    assert page.all("script") == []
    assert page.text.count(bad) >= 7


def test_no_folder_is_named(html: str, page: Page) -> None:
    assert "Jane Doe" not in html
    assert "/data" not in html
    assert "image.png image.png is cut." in page.text
    assert "the first is image.png (it is cut)." in page.text


@pytest.mark.usefixtures("blank_figures")
def test_undefined_figures_say_why_in_a_footnote(content: ReportContent) -> None:
    classes = {
        label: {"auc": Estimate.undefined("no image is viral"), "recall": values["recall"]}
        for label, values in content.evaluation.classes.items()
    }
    overall = {
        "accuracy": Estimate(0.5, None, None, 2, "too few groups."),
        "f1": Estimate(0, 0, 0, 1),
    }
    page = Page(render_report(with_evaluation(content, classes=classes, overall=overall)))
    assert "0.500 no interval 2 2" in page.text
    assert page.text.count("undefined 1 0") == 6  # by class, and next to the patients
    assert "2 Too few groups." in page.text
    assert "1 No image is viral." in page.text
    assert {"note-1", "note-2"} <= set(page.values("id"))


@pytest.mark.usefixtures("blank_figures")
def test_an_undefined_figure_without_a_reason_is_marked_too(content: ReportContent) -> None:
    overall = {"accuracy": Estimate(None, None, None, 0)}
    page = Page(render_report(with_evaluation(content, overall=overall)))
    assert "No reason was given." in page.text


def test_figures_are_drawn_to_scale(html: str, evaluation: Evaluation) -> None:
    value, low, high, *_ = evaluation.overall["accuracy"]
    assert value is not None
    assert low is not None
    assert high is not None
    bar = f'<rect x="{100 * low:.2f}" y="1.5" width="{100 * (high - low):.2f}" height="5"/>'
    assert f'{bar}<path class="value" d="M{100 * value:.2f} 0V8"/>' in html
    assert f'aria-label="{low:.3f} to {high:.3f} on a scale from 0 to 1"' in html


def test_the_confusion_matrix_gives_shares_of_rows(page: Page) -> None:
    assert "covid 2,901 97 % 60 2 % 40 1 % 3,001" in page.text
    assert "normal 0 - 0 - 0 - 0" in page.text


@pytest.mark.usefixtures("blank_figures")
def test_the_confusion_matrix_gives_shares_of_columns_too(content: ReportContent) -> None:
    counts = ((8, 1, 0), (2, 0, 0), (0, 3, 0))
    page = Page(render_report(with_evaluation(content, confusion=counts)))
    assert "covid 8 80 % 1 25 % 0 - 9" in page.text
    assert "viral 2 20 % 0 0 % 0 - 2" in page.text
    assert "normal 0 0 % 3 75 % 0 - 3" in page.text
    assert "all 10 4 0 14" in page.text


@pytest.mark.usefixtures("blank_figures")
def test_what_is_missing_is_said(content: ReportContent, card: Card) -> None:
    data = content.evaluation.data.model_copy(update={"failed": (), "skipped": {}, "split": None})
    bare = with_evaluation(content, data=data, contrasts=(), roc={}, reliability=(), warnings=())
    training = card.training.model_copy(update={"history": ()})
    empty = replace(bare, gallery=(), card=card.model_copy(update={"training": training}))
    page = Page(render_report(empty))
    for sentence in (
        "No stated source has two of the classes.",
        "There is no ROC curve",
        "There is no reliability diagram",
        "No images were chosen",
        "No image failed.",
        "The card has no training history.",
        "Limits of these results The results say nothing about other hospitals",
        "Within one source: unknown",
    ):
        assert sentence in page.text
    assert "--split" not in page.text


def test_a_report_is_written_small_and_always_the_same(
    content: ReportContent, tmp_path: Path
) -> None:
    first, second = tmp_path / "a.html", tmp_path / "b.html"
    write_report(first, content)
    write_report(second, content)
    assert first.read_bytes() == second.read_bytes()
    images = sum(len(shown.data_uri()) for shown in content.gallery)
    assert first.stat().st_size < images + 170_000


@pytest.mark.usefixtures("blank_figures")
def test_the_card_of_another_model_is_refused(content: ReportContent) -> None:
    with refuses("result-of-other-model"):
        render_report(with_evaluation(content, classes={"covid": {}, "normal": {}}))
    with refuses("result-of-other-model"):
        render_report(with_evaluation(content, confusion=((1, 0), (0, 1))))


@pytest.mark.usefixtures("blank_figures")
def test_a_bad_image_leaves_no_report(content: ReportContent, tmp_path: Path) -> None:
    bad = replace(content, gallery=[replace(content.gallery[0], image=b"GIF89a")])
    with refuses("jpeg-invalid"):
        write_report(tmp_path / "report.html", bad)
    assert list(tmp_path.iterdir()) == []


def test_the_classification_report_has_scikit_learns_form(page: Page) -> None:
    assert "Class precision recall F1 support covid 0.977 0.967 0.972 3,001" in page.text
    assert "macro avg - 0.644 0.641 9,001" in page.text


def test_the_prevalence_and_the_patients_left_out_are_said(page: Page) -> None:
    assert "Positive predictive value where 0.04 of all are positive" in page.text
    assert "7,001 patients or groups of copies. 123 more have images of several" in page.text
    assert "need it stated" not in page.text


SETTINGS = (
    "train.lr=0.02",
    "train.seed=7",
    "labels.merge={pneumonia=viral}",
    "labels.order=[covid, viral, normal]",
    'data.sources=["it\'s one", "two"]',
    "train.class_weights=none",
)


def with_recipe(content: ReportContent, recipe: Recipe) -> ReportContent:
    assert content.card is not None
    training = content.card.training.model_copy(update={"recipe_toml": recipe.to_toml()})
    return replace(content, card=content.card.model_copy(update={"training": training}))


@pytest.mark.usefixtures("blank_figures")
def test_the_command_on_the_page_trains_with_the_very_recipe(content: ReportContent) -> None:
    assert content.card is not None
    recipe = load_recipe("demo", SETTINGS)
    text = Page(render_report(with_recipe(content, recipe))).text
    section = text.partition("Reproduce this model")[2]
    command = shlex.split(section[section.index("pulmo train") : section.index("pulmo export")])
    assert command[:3] == ["pulmo", "train", "demo"]
    given = [command[place + 1] for place, word in enumerate(command) if word == "--set"]
    again = load_recipe("demo", given)
    assert again.model_dump(exclude={"description"}) == recipe.model_dump(exclude={"description"})
    assert command[-4:] == ["--data", "manifest.parquet", "-o", "run"]


@pytest.mark.usefixtures("blank_figures")
def test_a_recipe_that_is_not_shipped_is_on_the_page(
    content: ReportContent, tmp_path: Path
) -> None:
    recipe = load_recipe("demo", [*SETTINGS, "name=mine"])
    text = render_report(with_recipe(content, recipe))
    section = text.partition('id="reproduce"')[2]
    (written,) = re.findall(r"<details>.*?<code>(.*?)</code>", section, re.DOTALL)
    (tmp_path / "recipe.toml").write_text(unescape(written))
    assert load_recipe(str(tmp_path / "recipe.toml")) == recipe
    assert "pulmo train recipe.toml --data" in section
    # A card from before has none, and the page says where to look.
    before = render_report(content).partition('id="reproduce"')[2]
    assert "<details>" not in before
    assert "pulmo train recipe.toml --data" in before


def test_a_page_needs_no_card(content: ReportContent) -> None:
    page = Page(render_report(replace(content, card=None, gallery=())))
    assert "Only a table of its predictions is known." in page.text
    assert "For research, not diagnosis." in page.text
    for words in ("Model card", "Reproduce this model", "validation"):
        assert words not in page.text


@pytest.mark.usefixtures("blank_figures")
def test_a_decision_without_a_threshold_or_a_positive_class_is_said(
    content: ReportContent,
) -> None:
    decision = content.evaluation.decision.model_copy(update={"threshold": None})
    text = Page(render_report(with_evaluation(content, decision=decision))).text
    assert "if its decided class is covid or viral" in text
    none = decision.model_copy(update={"positive": ()})
    text = Page(render_report(with_evaluation(content, decision=none))).text
    assert "No class is named as positive" in text


@pytest.mark.usefixtures("blank_figures")
def test_a_test_without_patients_or_subgroups_says_so(content: ReportContent) -> None:
    bare = with_evaluation(
        content,
        **dict.fromkeys(("pairs", "subgroups", "sweep"), ()),
        **{name: {} for name in ("precision_recall", "histograms", "classification_report")},
        patients=None,
        decision=content.evaluation.decision.model_copy(update={"prevalence": None}),
    )
    text = Page(render_report(bare)).text
    for sentence in (
        "values by patient and by image are the same",
        "All images have the same source, view, sex, age band and size",
        "For another hospital, evaluate with its share",
    ):
        assert sentence in text
    for title in ("Each two classes", "Classification report", "Net benefit", "Scores"):
        assert title not in text
