import pytest

from fixtures.refuses import refuses
from pulmo.core.sections import ModelSection
from pulmo.core.training import StageSection
from pulmo.models.classifier import Classifier, make_classifier
from pulmo.models.layers import layer_groups
from pulmo.train.optimise import learning, rate_shares


@pytest.fixture(scope="module")
def network() -> Classifier:
    return make_classifier(ModelSection(backbone="resnet18"), ("covid", "normal"), 0).classifier


def stage(**values: object) -> StageSection:
    return StageSection.model_validate(values)


def test_all_and_the_head(network: Classifier) -> None:
    assert learning(network, stage(), 0) == {name for name, _ in network.named_parameters()}
    head = learning(network, stage(trains="head"), 5)
    assert head == {"head.classify.weight", "head.classify.bias"}


def test_gradual_unfreezing_takes_one_more_group_each_epoch(network: Classifier) -> None:
    groups = layer_groups(network)
    for epoch in range(8):
        expected = {name for group in groups[-epoch - 1 :] for name in group}
        assert learning(network, stage(trains="gradual"), epoch) == expected


def test_a_number_is_that_of_the_last_layers(network: Classifier) -> None:
    two = learning(network, stage(trains=2), 0)
    assert {name.rpartition(".")[0] for name in two} == {
        "backbone.layers.layer4.1.conv2",
        "backbone.layers.layer4.1.bn2",
        "head.classify",
    }


def test_divisors_are_for_each_group(network: Classifier) -> None:
    shares = rate_shares(network, stage(lr_divisors=[10, 7, 7, 3, 3, 1]))
    assert shares["backbone.layers.conv1.weight"] == pytest.approx(1 / 10)
    assert shares["backbone.layers.layer2.0.conv1.weight"] == pytest.approx(1 / 7)
    assert shares["backbone.layers.layer4.1.bn2.bias"] == pytest.approx(1 / 3)
    assert shares["head.classify.weight"] == 1
    with refuses("layer-groups-differ", "2", "6"):
        rate_shares(network, stage(lr_divisors=[10, 1]))


def test_a_slice_is_spaced_evenly_in_the_logarithm(network: Classifier) -> None:
    shares = rate_shares(network, stage(lr=1e-3, lr_first=1e-8))
    by_group = [1e-3 * shares[group[0]] for group in layer_groups(network)]
    assert by_group == pytest.approx([1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3])
