"""The ways from files to probabilities whose speeds `pulmo bench predict` compares.

They are in the package, and not only among its benchmarks, so that users compare on their own
machine and their own files.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from pulmo.bundle.card import Card
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.predictor import Predictor
from pulmo.core.parallel import in_threads
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import to_image
from pulmo.workflows.predict import predict_images

_XRV_SIDE: Final = 224
_BATCH: Final = 16

Files = Sequence[Path]


class Way(NamedTuple):
    """One way from files to probabilities.

    Attributes:
        name: what the table calls it.
        run: works on all files once; None if it cannot be measured here.
        absent: why it cannot.
    """

    name: str
    run: Callable[[Files], None] | None
    absent: str = ""


def ways(predictor: Predictor, threads: int, files: Files) -> dict[str, Way]:
    """Returns what is compared: short name -> way.

    Networks of other packages start at random, because no speed depends on the weights.

    Args:
        predictor: the bundle, whose network runs on one thread.
        threads: that torch may use.
        files: that are read.
    """
    script = partial(plain_torch, predictor.card, threads)
    xrv = partial(torchxrayvision_example, threads)
    unread = _unread(files)
    installed = "torch is not installed" if find_spec("torch") is None else unread
    visible = "not installed" if find_spec("torchxrayvision") is None else unread
    return {
        "pulmo": Way("pulmo, probabilities", partial(_pulmo, predictor)),
        "pulmo-maps": Way("pulmo, with maps", partial(_pulmo_maps, predictor)),
        "xrv": _made("torchxrayvision, DenseNet121", partial(xrv, maps=False), visible),
        "xrv-maps": _made("torchxrayvision, with Grad-CAM", partial(xrv, maps=True), visible),
        "torch": _made("plain torch, our network", partial(script, maps=False), installed),
        "torch-maps": _made("plain torch, with Grad-CAM", partial(script, maps=True), installed),
    }


def _made(name: str, make: Callable[[], Callable[[Files], None]], absent: str) -> Way:
    """Returns a way that is made, if it can be."""
    if absent:
        return Way(name, None, absent)
    try:
        return Way(name, make())
    except (ImportError, RuntimeError) as error:
        # A package that is there in part.
        return Way(name, None, str(error).splitlines()[0])


def _unread(files: Files) -> str:
    """Returns why the other ways, which read with Pillow, cannot read files; empty if they can."""
    for path in files:
        try:
            Image.open(path).close()
        except UnidentifiedImageError:
            return f"it does not read {path.name}"
    return ""


def _pulmo(predictor: Predictor, files: Files) -> None:
    for result in predict_images(predictor, files, None, lambda _: None):
        del result


def _pulmo_maps(predictor: ImagePredictor, files: Files) -> None:
    def work(path: Path) -> None:
        radiograph = read_radiograph(path)
        # Files that the gate refuses count like others: each way is to do the same work.
        prepared = predictor.prepare(radiograph, str(path), described=True)
        outcome = predictor.predict_prepared([prepared])[0]
        number = predictor.card.labels.order.index(outcome.decision)
        # The numbers of the map, on the image: the other ways draw nothing either.
        shape = (radiograph.pixels.shape[0], radiograph.pixels.shape[1])
        to_image(outcome.activation[number], shape, predictor.card.input.aspect, outcome.box)

    with closing(in_threads(work, files)) as results:
        for result in results:
            del result


def torchxrayvision_example(threads: int, *, maps: bool) -> Callable[[Files], None]:
    """Returns the way of the package's own example: its reader, one image after the other."""
    import torch
    import torchxrayvision

    torch.set_num_threads(threads)
    network = torchxrayvision.models.DenseNet(num_classes=18).eval()
    crop = torchxrayvision.datasets.XRayCenterCrop()
    resize = torchxrayvision.datasets.XRayResizer(_XRV_SIDE)

    def features(images: Any) -> Any:  # noqa: ANN401 - tensors, of a package that may be absent
        return network.features(images).relu_()

    def run(files: Files) -> None:
        for path in files:
            image = resize(crop(torchxrayvision.utils.load_image(str(path))))
            _classify(torch.from_numpy(image)[None], features, network.classifier, maps)

    return run


def plain_torch(card: Card, threads: int, *, maps: bool) -> Callable[[Files], None]:
    """Returns a script that a careful user writes: our network in torch, batches, a DataLoader."""
    import torch
    from torch.utils.data import DataLoader

    from pulmo.models.backbone import make_backbone

    torch.set_num_threads(threads)
    features = make_backbone(card.network.backbone, size=card.input.size).eval()
    features = features.to(memory_format=torch.channels_last)
    head = torch.nn.Linear(features.channels, len(card.labels.order))

    loaders: dict[tuple[Path, ...], Any] = {}

    def run(files: Files) -> None:
        key = tuple(files)
        if key not in loaders:
            # Processes are started once, as where there are very many files.
            workers = threads if threads > 1 else 0
            loaders[key] = DataLoader(
                PlainImages(key, card.input.size),  # type: ignore[arg-type] # what torch asks for
                batch_size=_BATCH,
                num_workers=workers,
                persistent_workers=workers > 0,
                multiprocessing_context="spawn" if workers else None,
            )
        for images in loaders[key]:
            _classify(images.contiguous(memory_format=torch.channels_last), features, head, maps)

    return run


class PlainImages:
    """Files as a data set of torch: grey, squashed to a square, standardised."""

    def __init__(self, files: Sequence[Path], size: int) -> None:
        """Takes the files and the side of the square in pixels."""
        self.files, self.size = files, size

    def __len__(self) -> int:
        """Returns the number of files."""
        return len(self.files)

    def __getitem__(self, number: int) -> NDArray[np.float32]:
        """Returns one image, float32 [1, size, size]."""
        with Image.open(self.files[number]) as image:
            grey = image.convert("L").resize((self.size, self.size), Image.Resampling.BILINEAR)
        values = (np.asarray(grey, np.float32)[None] / 255 - 0.449) / 0.226
        return np.asarray(values, np.float32)


def _classify(
    images: Any,  # noqa: ANN401 - tensors, of a package that may be absent
    features: Callable[[Any], Any],
    head: Callable[[Any], Any],
    maps: bool,  # noqa: FBT001 - of a function that is private
) -> None:
    """Runs a network in torch; with the Grad-CAM of the likeliest class (Selvaraju et al. 2017).

    Only the head is differentiated: that is all that Grad-CAM on the last feature maps needs.
    """
    import torch
    from torch.nn.functional import interpolate, relu

    with torch.inference_mode(mode=not maps), torch.set_grad_enabled(maps):
        with torch.no_grad():
            found = features(images)
        if not maps:
            head(found.mean(dim=(2, 3))).softmax(dim=1).numpy()
            return
        found = found.detach().requires_grad_()
        logits = head(found.mean(dim=(2, 3)))
        (gradient,) = torch.autograd.grad(logits.amax(dim=1).sum(), found)
        weights = gradient.mean(dim=(2, 3), keepdim=True)
        cam = relu((weights * found).sum(dim=1, keepdim=True)).detach()
        interpolate(cam, images.shape[2:], mode="bilinear").numpy()
        logits.detach().softmax(dim=1).numpy()
