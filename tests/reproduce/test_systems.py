"""The systems to reproduce: that their facts and their recipes fit together."""

import pytest

from pulmo.core.recipe import load_recipe
from pulmo.core.recipe_file import shipped_recipes
from pulmo.datasets.source import SOURCES
from pulmo.reproduce.system import SYSTEMS, Experiment, Published
from pulmo.stats.metric import METRICS

EXPERIMENTS = [
    pytest.param(experiment, id=f"{name}-{experiment.name}")
    for name, system in SYSTEMS.items()
    for experiment in system.experiments
]


def test_all_are_there_and_every_recipe_of_theirs_is_run() -> None:
    assert set(SYSTEMS) == {"capstone", "covid-ct", "fabiani", "fastai", "minivgg", "vgg16-cli"}
    run = {e.recipe for system in SYSTEMS.values() for e in system.experiments}
    assert run == set(shipped_recipes()) - {"demo", "starter"}


@pytest.mark.parametrize("name", SYSTEMS)
def test_names_tell_experiments_apart_and_differences_are_sentences(name: str) -> None:
    names = [experiment.name for experiment in SYSTEMS[name].experiments]
    assert len(set(names)) == len(names)
    assert all(sentence.endswith(".") for sentence in SYSTEMS[name].differs)


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_an_experiment_names_what_exists(experiment: Experiment) -> None:
    recipe = load_recipe(experiment.recipe, quick=True)
    for published in experiment.published:
        assert published.metric in METRICS
        assert published.label is None or published.label in recipe.labels.order
        assert 0 <= published.value <= 1
    for item in experiment.data.sets:
        assert item.source in SOURCES
    assert set(experiment.data.take) <= {*recipe.labels.order, *recipe.labels.merge}
    assert experiment.folds == experiment.data.plan.folded


def test_a_published_figure_has_wilsons_interval_where_its_size_is_known() -> None:
    known = Published("recall", "covid", 253 / 265, 265)
    assert known.name == "recall of covid"
    assert str(known.estimate) == "0.955 (0.923-0.974)"
    unknown = Published("accuracy", None, 0.9)
    assert unknown.name == "accuracy"
    assert unknown.estimate.low is None
    assert unknown.estimate.reason == "the number of images is not stated"
    area = Published("auc", "covid", 0.94, 203).estimate
    assert (area.value, area.low, area.n) == (0.94, None, 203)
