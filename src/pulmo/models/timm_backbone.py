"""Networks of timm as backbones."""

import re
import statistics
import warnings
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import timm
from timm.models import group_parameters
from torch import Tensor

from pulmo.core.errors import UsageError
from pulmo.models.backbone import BACKBONES, Backbone, Grey
from pulmo.models.published import quiet_hub

if TYPE_CHECKING:
    from collections.abc import Callable


class TimmBackbone(Backbone):
    """A timm network with a one-channel stem and without its own pooling and classifier.

    timm sums a pretrained stem's weights over RGB, so that a grey image gives the features of the
    same image repeated three times.
    """

    def __init__(self, name: str, *, pretrained: bool) -> None:
        """Makes timm's network `name`; `pretrained` loads its weights from timm's hub."""
        network: Any = timm.create_model(name, pretrained=pretrained, in_chans=1, num_classes=0)
        about = network.pretrained_cfg
        names = about["classifier"]
        ignored = (names,) if isinstance(names, str) else tuple(names)
        grey = Grey(statistics.fmean(about["mean"]), statistics.fmean(about["std"]))
        super().__init__(network, network.num_features, ignored, grey)
        self._forward_features: Callable[[Tensor], Tensor] = network.forward_features

    def forward(self, images: Tensor) -> Tensor:
        """Returns the feature maps of normalised images."""
        return self._forward_features(images)

    def groups(self) -> list[list[str]]:
        """Returns the names of the parameters of each layer group as timm divides the network."""
        network: Any = self.layers
        try:
            matcher = network.group_matcher(coarse=True)
        except (AssertionError, AttributeError):  # timm divides all its networks but two
            return super().groups()
        parts = group_parameters(network, matcher)
        return [[f"layers.{name}" for name in parts[key]] for key in sorted(parts)]


def make_timm_backbone(name: str, *, pretrained: bool) -> TimmBackbone:
    """Makes a network of timm.

    Args:
        name: timm's name of it.
        pretrained: load its weights from timm's hub or the local cache of it.

    Raises:
        UsageError: timm has no such network, or calls it something else now.
    """
    if not timm.is_model(name):
        near = _near(name)
        hint = f" Near it: {', '.join(near)}." if near else ""
        raise UsageError(
            "backbone-unknown",
            f"There is no network {name!r}, neither in pulmo ({', '.join(BACKBONES)}) nor in "
            f"timm.{hint}",
        )
    try:
        with warnings.catch_warnings(), quiet_hub():
            warnings.filterwarnings("error", "Mapping deprecated model name")
            return TimmBackbone(name, pretrained=pretrained)
    except UserWarning as renamed:
        current = str(renamed).rstrip(".").rpartition(" ")[2]
        raise UsageError(
            "backbone-renamed",
            f"The network {name!r} is now called {current!r} in timm. Use that name.",
        ) from None


def _near(name: str) -> list[str]:
    """Returns up to six names that one may have meant, whatever its case and punctuation."""
    bare = {_bare(known): known for known in (*BACKBONES, *timm.list_models())}
    wanted = _bare(name)
    begin = [known for known in bare if known.startswith(wanted)]
    hold = [known for known in bare if wanted in known and known not in begin]
    close = get_close_matches(wanted, bare, n=3, cutoff=0.7)
    return [bare[known] for known in dict.fromkeys([*begin[:4], *hold[:2], *close])][:6]


def _bare(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())
