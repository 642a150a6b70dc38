"""Layers of hand-made networks: their names, what they give, and that nothing stays behind."""

import pytest
import torch
from torch import Tensor, nn

from fixtures.refuses import refuses
from pulmo.explain.features.maps import captured, choose_layers, map_layers
from pulmo.explain.layers import at_rest


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 2, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.Conv2d(2, 3, 3, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Conv2d(3, 3, 1),
        nn.Flatten(),
        nn.Linear(3, 2),
    )


IMAGES = torch.linspace(-1, 1, 2 * 9 * 9).reshape(2, 1, 9, 9)


def hooks(net: nn.Module) -> int:
    return sum(len(module._forward_hooks) for module in net.modules())


def test_layers_come_in_the_order_in_which_they_run() -> None:
    class Backwards(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.second = nn.Conv2d(2, 4, 3)
            self.first = nn.Conv2d(1, 2, 3)

        def forward(self, images: Tensor) -> Tensor:
            result: Tensor = self.second(self.first(images))
            return result

    net = Backwards()
    first, second = map_layers(net, lambda: net(IMAGES))
    assert first == ("first", "Conv2d", 2, 7, 7, True)
    assert second == ("second", "Conv2d", 4, 5, 5, True)


def test_what_gives_no_map_is_no_layer_of_maps() -> None:
    net = network()
    names = [layer.name for layer in map_layers(net, lambda: net(IMAGES))]
    assert names == ["0", "1", "2"]  # the pooled convolution has one position
    assert hooks(net) == 0


def test_an_output_is_kept_as_it_was_before_a_layer_in_place() -> None:
    net = network()
    with torch.no_grad(), captured(net, ["0", "2"]) as outputs:
        net(IMAGES)
    torch.testing.assert_close(outputs["0"], net[0](IMAGES))
    assert (outputs["0"] < 0).any()
    assert outputs["2"].shape == (2, 3, 4, 4)
    assert hooks(net) == 0


def test_what_is_kept_can_be_less() -> None:
    net = network()
    with torch.no_grad(), captured(net, ["0"], lambda maps: maps.amax(dim=(2, 3))) as outputs:
        net(IMAGES)
    torch.testing.assert_close(outputs["0"], net[0](IMAGES).amax(dim=(2, 3)))


def test_an_error_leaves_no_hook_and_no_changed_mode() -> None:
    net = network()
    net[0].eval()
    net[2].requires_grad_(requires_grad=False)
    modes = [module.training for module in net.modules()]
    wanted = [parameter.requires_grad for parameter in net.parameters()]

    def fail() -> None:
        with at_rest(net), captured(net, ["0"]):
            assert not any(module.training for module in net.modules())
            assert not any(parameter.requires_grad for parameter in net.parameters())
            net(torch.zeros(1, 5, 9, 9))

    with pytest.raises(RuntimeError):
        fail()
    with pytest.raises(RuntimeError):
        map_layers(net, lambda: net(torch.zeros(1, 5, 9, 9)))
    assert hooks(net) == 0
    assert [module.training for module in net.modules()] == modes
    assert [parameter.requires_grad for parameter in net.parameters()] == wanted


def test_layers_are_named_or_spread_over_the_depth() -> None:
    net = nn.Sequential(*[nn.Conv2d(1, 1, 3, padding=1) for _ in range(9)])
    layers = map_layers(net, lambda: net(IMAGES))
    assert [layer.name for layer in choose_layers(layers, (), 3)] == ["0", "4", "8"]
    assert [layer.name for layer in choose_layers(layers, (), 99)] == list("012345678")
    assert [layer.name for layer in choose_layers(layers, ("5", "2"), 3)] == ["2", "5"]


def test_an_unknown_layer_is_refused_with_the_nearest() -> None:
    net = nn.Sequential()
    net.add_module("conv_one", nn.Conv2d(1, 1, 3))
    net.add_module("stem", nn.ReLU())
    layers = map_layers(net, lambda: net(IMAGES))
    with refuses("layer-unknown", "conv_on", "conv_one"):
        choose_layers(layers, ("conv_on",), 3)
    with refuses("layer-unknown", "zzz", "conv_one"):
        choose_layers(layers, ("zzz",), 3)


def test_a_network_without_maps_is_refused() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(81, 2))
    assert map_layers(net, lambda: net(IMAGES)) == ()
    with refuses("network-without-convolutions"):
        choose_layers((), (), 3)
    with refuses("network-without-convolutions"):
        choose_layers((), ("0",), 3)
