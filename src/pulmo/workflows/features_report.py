"""What the channels of a network respond to: as a table, in a notebook, and written to a folder."""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.folders import FeaturesFolder
from pulmo.core.message import Message, texts
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.core.tables import write_parquet
from pulmo.explain.features.drawing import sheet
from pulmo.explain.features.panels import KINDS, input_panel, panels
from pulmo.explain.features.record import Ascended, Features, ShownLayer
from pulmo.explain.features.separation import ChannelArea, areas_table
from pulmo.explain.features.shown import LayerFeatures
from pulmo.predictions.predictions import Failure
from pulmo.report.features_page import FeaturesContent, write_features_page
from pulmo.workflows.evaluation_report import report_html
from pulmo.workflows.features_separation import Separated

if TYPE_CHECKING:
    from pulmo.workflows.options.evaluation import FeaturesOptions


@dataclass(frozen=True, eq=False)
class FeaturesReport:
    """What the channels of a network respond to; in a notebook it shows itself.

    Attributes:
        features: what is shown, in numbers.
        image: the network's input, uint8 [size, size].
        layers: the maps, filters and fitted inputs of each layer.
        areas: how well each channel separates the classes; empty without a manifest.
    """

    features: Features
    image: NDArray[np.uint8] = field(repr=False)
    layers: tuple[LayerFeatures, ...] = field(repr=False)
    areas: tuple[ChannelArea, ...] = field(default=(), repr=False)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be known of it, as sentences."""
        return texts(self.features.notes)

    @property
    def failed(self) -> tuple[Failure, ...]:
        """The images of the manifest that could not be used, each with the reason."""
        found = self.features.separation
        return () if found is None else found.failed

    def require_all(self) -> None:
        """Refuses areas that lack images of the manifest.

        Raises:
            InputError: an image could not be used.
        """
        if self.failed:
            raise InputError(
                "images-unreadable",
                f"{len(self.failed)} images could not be used. The first: {self.failed[0].reason}",
            )

    def to_frame(self) -> pd.DataFrame:
        """Returns a row a channel, statistic, class and network: how well it separates the class.

        Columns are the fields of `ChannelArea`, with `auc`, `low`, `high`, `n` and `reason` apart.
        It is empty without a manifest.
        """
        return areas_table(self.areas)

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes drawings, values, table and page; the index comes last.

        Args:
            folder: the folder to write to; it is made if need be.

        Raises:
            InputError: a file cannot be written.
        """
        to = FeaturesFolder(Path(folder))
        claim_folder(to.root)
        to.index.unlink(missing_ok=True)
        for number, layer in enumerate(self.layers, start=1):
            for kind, data in self._drawings(layer):
                write_atomically(to.drawing(number, kind), data)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, allow_pickle=False, **self._values())
        write_atomically(to.arrays, buffer.getvalue())
        if self.areas:
            write_parquet(self.to_frame(), to.channels)
        content = FeaturesContent(self.features, self.image, self.layers, self.areas)
        write_features_page(to.page, content)
        write_record(to.index, self.features)

    def _drawings(self, layer: LayerFeatures) -> Iterator[tuple[str, bytes]]:
        """Yields the kind and the PNG of each drawing of a layer."""
        for kind in KINDS:
            drawn = [*panels(layer, self.image, kind).values()]
            if drawn:
                title = f"{kind}: {layer.layer.name} ({self.features.model})"
                yield kind, sheet(title, [input_panel(self.image), *drawn])

    def _values(self) -> dict[str, NDArray[np.generic]]:
        """Returns name -> array, as the file of values has them."""
        values: dict[str, NDArray[np.generic]] = {"input": self.image}
        for layer in self.layers:
            name = layer.layer.name
            values |= {f"maps/{network}/{name}": maps for network, maps in layer.maps.items()}
            for network, fitted in layer.fitted.items():
                values[f"inputs/{network}/{name}"] = np.stack([one.image for one in fitted])
        return values

    def _repr_html_(self) -> str:
        title = f"{self.features.model}: {len(self.layers)} layers, {self.features.image}"
        best = self.features.separation.best if self.features.separation else ()
        return report_html(title, areas_table(best), self.warnings)


def record_of(
    card: Card,
    image: tuple[str, str],
    options: "FeaturesOptions",
    layers: Sequence[LayerFeatures],
    separated: Separated | None,
    notes: Sequence[Message],
) -> Features:
    """Returns the content of `features.json`.

    Args:
        card: of the model.
        image: the name of the image's file and its SHA-256.
        options: what was asked for.
        layers: what is shown of each layer.
        separated: how well channels separate the classes, if there was a manifest.
        notes: what must be known of the image, the network and the choice of images.
    """
    return Features(
        model=card.name,
        version=card.created,
        weights_sha256=card.network.sha256,
        image=image[0],
        image_sha256=image[1],
        size=card.input.size,
        seed=options.seed,
        steps=options.steps,
        layers=tuple(_shown(number, layer) for number, layer in enumerate(layers, start=1)),
        separation=None if separated is None else separated.record,
        notes=(*notes, *(separated.notes if separated else ())),
    )


def _shown(number: int, found: LayerFeatures) -> ShownLayer:
    """Returns what the index says of a layer, counted from 1."""
    folder, layer = FeaturesFolder(Path()), found.layer
    there = {"filters": found.filters is not None, "inputs": bool(found.fitted)}
    kinds = [kind for kind in KINDS if there.get(kind, True)]
    return ShownLayer(
        name=layer.name,
        kind=layer.kind,
        channels=layer.channels,
        rows=layer.rows,
        columns=layer.columns,
        shown=found.shown,
        limit=found.limit,
        factors=dict(found.factors),
        responses=dict(found.responses),
        maximised={
            network: tuple(
                Ascended(channel=channel, before=one.before, after=one.after)
                for channel, one in zip(found.shown, fitted, strict=False)
            )
            for network, fitted in found.fitted.items()
        },
        files={kind: folder.drawing(number, kind).name for kind in kinds},
    )
