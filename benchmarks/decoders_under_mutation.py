"""Whether damaged compressed images can crash or stop the decoders, which run in this process.

    python benchmarks/decoders_under_mutation.py --inputs 1000000 --out docs/results/mutation.json

Each input is a drawn image of one transfer syntax that is damaged by a rule with a seed, so that a
seed is enough to see it again (`--only SEED`). It takes the way of every DICOM file: the checks of
the header, the decoder, the bits. The inputs run in a child process with a limit of memory and of
time for each; a child that ends is an entry in the table, with the seed, and a new child goes on.
"""

import argparse
import io
import json
import mmap
import os
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, get_frame
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    SecondaryCaptureImageStorage,
)

from pulmo.core.errors import PulmoError
from pulmo.radiograph import decoders
from pulmo.radiograph.dicom_pixels import check_pixel_data, stored_values
from pulmo.radiograph.guard import quiet_decoders

SHAPE: Final = (24, 37)
MEMORY: Final = 4 * 2**30
SECONDS: Final = 10.0
BATCH: Final = 50_000
DEPTHS: Final = range(6, 17)
FAMILIES: Final = ("JPEG", "JPEG Lossless", "JPEG-LS", "JPEG 2000", "HTJ2K", "RLE")
EDGES: Final = (0, 1, 2, 3, 0x7F, 0x80, 0xFE, 0xFF)


class Frame(NamedTuple):
    """A whole compressed image, and what the header around it says."""

    data: bytes
    syntax: UID
    bits: int
    samples: int


def drawn(bits: int, samples: int = 1) -> NDArray[Any]:
    """A smooth image with some noise that uses all bits: [24, 37], or [24, 37, 3]."""
    rng = np.random.default_rng(bits)
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    grey = (np.sin(columns / 9) + np.cos(rows / 7) + 2) / 4 + rng.normal(0, 0.01, SHAPE)
    values = np.rint(grey.clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits <= 8 else np.uint16)
    if samples == 1:
        return values
    colours: NDArray[Any] = np.dstack([values, values[::-1], values[:, ::-1]])
    return colours


def frames_of(family: str) -> list[Frame]:
    """The images of one kind of compression, in all its depths."""
    makers = {
        "JPEG": _jpeg,
        "JPEG Lossless": _lossless,
        "JPEG-LS": _jpeg_ls,
        "JPEG 2000": _jpeg_2000,
        "HTJ2K": _high_throughput,
        "RLE": _rle,
    }
    return list(makers[family]())


def _jpeg() -> Iterator[Frame]:
    for samples in (1, 3):
        for options in ({}, {"progressive": True}, {"restart_marker_rows": 1}):
            file = io.BytesIO()
            Image.fromarray(drawn(8, samples)).save(file, "JPEG", **options)
            yield Frame(file.getvalue(), JPEGBaseline8Bit, 8, samples)
    for quality in (30, 90):
        data = imagecodecs.jpeg8_encode(drawn(12), quality, bitspersample=12)
        yield Frame(bytes(data), JPEGExtended12Bit, 12, 1)


def _lossless() -> Iterator[Frame]:
    for bits in DEPTHS:
        for predictor in (1, 4, 7):
            data = imagecodecs.jpeg8_encode(
                drawn(bits), lossless=True, bitspersample=bits, predictor=predictor
            )
            yield Frame(bytes(data), JPEGLosslessSV1, bits, 1)
    data = imagecodecs.jpeg8_encode(drawn(8, 3), lossless=True)
    yield Frame(bytes(data), JPEGLosslessSV1, 8, 3)


def _jpeg_ls() -> Iterator[Frame]:
    for bits, samples in ((8, 1), (16, 1), (8, 3)):
        for near in (0, 3):
            data = imagecodecs.jpegls_encode(drawn(bits, samples), near)
            yield Frame(bytes(data), JPEGLSLossless, bits, samples)
    for bits in range(8, 17):
        for options in ([], ["+en"]):
            if frame := _by_dcmtk(bits, options):
                yield frame


def _by_dcmtk(bits: int, options: list[str]) -> Frame | None:
    """JPEG-LS of any depth, by DCMTK; None where it is not installed."""
    program = shutil.which("dcmcjpls")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        plain, coded = Path(folder, "plain.dcm"), Path(folder, "coded.dcm")
        dataset = dataset_of(Frame(b"", ExplicitVRLittleEndian, bits, 1))
        dataset.PixelData = drawn(bits).tobytes()
        dataset.save_as(plain, enforce_file_format=True)
        subprocess.run([program, *options, plain, coded], check=True, capture_output=True)
        data = get_frame(dcmread(coded).PixelData, 0, number_of_frames=1)
    return Frame(data, JPEGLSLossless, bits, 1)


def _jpeg_2000() -> Iterator[Frame]:
    for bits in DEPTHS:
        for level, reversible in ((0, True), (40, False)):
            data = imagecodecs.jpeg2k_encode(
                drawn(bits), level, codecformat="j2k", bitspersample=bits, reversible=reversible
            )
            yield Frame(bytes(data), JPEG2000Lossless, bits, 1)
    for samples in (1, 3):
        for options in ({"tile_size": (16, 16)}, {"num_resolutions": 2, "progression": "RPCL"}):
            file = io.BytesIO()
            Image.fromarray(drawn(8, samples)).save(file, "JPEG2000", no_jp2=True, **options)
            yield Frame(file.getvalue(), JPEG2000Lossless, 8, samples)


def _high_throughput() -> Iterator[Frame]:
    for bits in (8, 16):
        for samples in (1, 3):
            for level in (0.0, 0.01):
                data = imagecodecs.htj2k_encode(drawn(bits, samples), level)
                yield Frame(bytes(data), HTJ2KLossless, bits, samples)


def _rle() -> Iterator[Frame]:
    for bits, samples in ((8, 1), (12, 1), (16, 1), (8, 3), (16, 3)):
        data = RLELosslessEncoder.encode(
            drawn(bits, samples).tobytes(),
            rows=SHAPE[0],
            columns=SHAPE[1],
            samples_per_pixel=samples,
            bits_allocated=8 if bits == 8 else 16,
            bits_stored=bits,
            pixel_representation=0,
            photometric_interpretation="MONOCHROME2" if samples == 1 else "RGB",
            planar_configuration=0,
            number_of_frames=1,
        )
        yield Frame(bytes(data), RLELossless, bits, samples)


def dataset_of(frame: Frame) -> FileDataset:
    """A data set without pixel data."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = frame.syntax
    meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, UID("1.2.3")
    dataset.Rows, dataset.Columns = SHAPE
    dataset.BitsAllocated = 8 if frame.bits <= 8 else 16
    dataset.BitsStored, dataset.HighBit = frame.bits, frame.bits - 1
    dataset.SamplesPerPixel, dataset.PixelRepresentation = frame.samples, 0
    dataset.PhotometricInterpretation = "MONOCHROME2" if frame.samples == 1 else "RGB"
    if frame.samples == 3:
        dataset.PlanarConfiguration = 0
    return dataset


def mutated(frame: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Returns an image with one to five of its bytes, numbers or stretches changed.

    Half of the changes are in the first bytes, where the headers lie; the end may be cut off, the
    rest may be another image's.
    """
    data = bytearray(frame)
    for _ in range(int(rng.integers(1, 6))):
        _change(
            data, int(rng.integers(2, min(len(data), 120 if rng.random() < 0.5 else 2**30))), rng
        )
        if len(data) < 20:
            break
    if rng.random() < 0.15:
        del data[int(rng.integers(4, len(data) + 1)) :]
    if rng.random() < 0.05:
        data += other[int(rng.integers(len(other))) :]
    if rng.random() < 0.3:
        data += b"\xff\xd9"
    return bytes(data)


def _change(data: bytearray, at: int, rng: np.random.Generator) -> None:
    kind = int(rng.integers(7))
    if kind == 0:
        data[at] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        data[at] = int(rng.integers(256))
    elif kind == 2:
        data[at] = EDGES[int(rng.integers(len(EDGES)))]
    elif kind == 3:
        number = int(rng.choice([0, 1, 2, 3, 0x7FFF, 0xFFFF, int(rng.integers(65536))]))
        data[at : at + 2] = struct.pack(">H", number)
    elif kind == 4:
        data[at : at + 4] = struct.pack(">I", int(rng.choice([0, 1, 0x7FFFFFFF, 0xFFFFFFFF])))
    elif kind == 5:
        del data[at : at + int(rng.integers(1, 20))]
    else:
        data[at:at] = data[at : at + int(rng.integers(1, 20))]


def inputs_of(family: str, seeds: range) -> Iterator[tuple[int, Frame, bytes]]:
    """Yields each seed with the image that it damages, and the damaged bytes."""
    frames = frames_of(family)
    for seed in seeds:
        rng = np.random.default_rng(seed)
        frame, other = frames[seed % len(frames)], frames[(seed // 7) % len(frames)]
        yield seed, frame, mutated(frame.data, other.data, rng)


def child(family: str, seeds: range, state: Path) -> None:
    """Decodes the inputs of some seeds, and prints how many came to what end."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    counts: Counter[str] = Counter()
    slowest = 0.0
    reached = _count_what_reaches_a_decoder()
    with state.open("r+b") as file, mmap.mmap(file.fileno(), 8) as now:
        for seed, frame, data in inputs_of(family, seeds):
            now[:8] = struct.pack("<q", seed)
            dataset = dataset_of(frame)
            dataset.PixelData = encapsulate([data])
            # Nothing catches this signal, so a decoder that runs too long ends with the process.
            signal.setitimer(signal.ITIMER_REAL, SECONDS)
            start = time.perf_counter()
            counts[_end_of(dataset)] += 1
            slowest = max(slowest, time.perf_counter() - start)
            signal.setitimer(signal.ITIMER_REAL, 0)
    counts["reached a decoder"] = reached[0]
    print(json.dumps({"counts": counts, "slowest": slowest}))


def _count_what_reaches_a_decoder() -> list[int]:
    """Wraps the decoders so that they count their calls; libjpeg's is called twice for an image."""
    reached = [0]

    def counting(decode: Any) -> Any:  # noqa: ANN401 - any decoder
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - likewise
            reached[0] += 1
            return decode(*arguments, **options)

        return counted

    for name in ("decode_codestream", "decode_rle"):
        wrapped = counting(getattr(decoders, name))
        sys.modules["pulmo.radiograph.dicom_pixels"].__dict__[name] = wrapped
    return reached


def _end_of(dataset: FileDataset) -> str:
    try:
        with quiet_decoders:
            check_pixel_data(dataset, "image")
            stored_values(dataset, "image")
    except PulmoError:
        return "refused"
    except Exception:  # noqa: BLE001 - the reader turns these into one of its own
        return "failed otherwise"
    return "read"


def run(family: str, seeds: range) -> dict[str, Any]:
    """Runs the inputs of some seeds in children; returns counts, and the seeds that ended one."""
    total: Counter[str] = Counter()
    ended: dict[str, list[int]] = {"crashes": [], "stops": []}
    slowest, start = 0.0, seeds.start
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "seed")
        while start < seeds.stop:
            state.write_bytes(bytes(8))
            part = range(start, min(start + BATCH, seeds.stop))
            words = [sys.executable, __file__, "--child", family, str(part.start), str(part.stop)]
            done = subprocess.run(
                [*words, "--state", str(state)], stdout=subprocess.PIPE, check=False
            )
            if done.returncode > 0:
                raise RuntimeError("This script itself failed; see above.")
            if done.returncode == 0:
                said = json.loads(done.stdout)
                total.update(said["counts"])
                slowest, start = max(slowest, said["slowest"]), part.stop
                continue
            seed = struct.unpack("<q", state.read_bytes())[0]
            ended["stops" if done.returncode == -signal.SIGALRM else "crashes"].append(seed)
            # What came before the seed in this part is not counted, and runs again to be.
            seeds_before = range(start, seed)
            if seeds_before:
                total.update(run(family, seeds_before)["counts"])
            start = seed + 1
    return {"inputs": len(seeds), "counts": dict(total), **ended, "slowest": round(slowest, 3)}


def main() -> None:
    """Parses the command line, runs all families and writes the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--inputs", type=int, default=6000, help="over all kinds of compression")
    parser.add_argument("--start", type=int, default=0, help="first seed")
    parser.add_argument("--out", type=Path, help="a JSON file for the counts")
    parser.add_argument("--only", type=int, help="one seed, of the kind --family")
    parser.add_argument("--family", choices=FAMILIES)
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--state", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        family, start, stop = options.child
        child(family, range(int(start), int(stop)), options.state)
        return
    families = [options.family] if options.family else list(FAMILIES)
    each = -(-options.inputs // len(families))
    seeds = range(options.start, options.start + each)
    if options.only is not None:
        seeds = range(options.only, options.only + 1)
    os.nice(10)
    results = {}
    for family in families:
        results[family] = run(family, seeds)
        print(family, json.dumps(results[family]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
