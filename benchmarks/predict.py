"""Wall time and memory of `pulmo --help` and of one cold `pulmo predict`, in a base install.

Draws an image, trains the starter network for one step on drawn images, exports it, and runs
the command of another environment, which has no torch.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SMALL = ["--set", "model.weights=none", "--set", "train.epochs=1", "--set", "image.size=224"]


def pulmo(python: Path, *arguments: str | Path) -> float:
    """Runs the command in an environment and returns its wall time in seconds."""
    start = time.perf_counter()
    subprocess.run(
        [python, "-m", "pulmo", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=None
    )
    return time.perf_counter() - start


def make_bundle(folder: Path) -> tuple[Path, Path]:
    """Returns a MobileNetV2 bundle for 224 px, and a PNG image of 224 px to classify."""
    from PIL import Image  # noqa: PLC0415 - of the environment that trains

    from pulmo.datasets.phantom import write_phantoms  # noqa: PLC0415 - likewise
    from pulmo.radiograph import read_radiograph  # noqa: PLC0415 - likewise
    from pulmo.radiograph.geometry import to_input  # noqa: PLC0415 - likewise

    here = Path(sys.executable)
    table = write_phantoms(folder / "images", 40, seed=0)
    manifest, run, bundle = folder / "m.parquet", folder / "run", folder / "bundle"
    pulmo(here, "data", "import", "csv", table, "-o", manifest)
    pulmo(here, "data", "split", manifest, "-o", manifest, "--val", "0.3", "--test", "0")
    pulmo(here, "train", "starter", "--data", manifest, "-o", run, *SMALL)
    pulmo(here, "export", run, "-o", bundle)
    image = folder / "image.png"
    radiograph = read_radiograph(min((folder / "images" / "images").iterdir()))
    Image.fromarray(to_input(radiograph.pixels, 224, "pad")).save(image)
    return bundle, image


def main() -> None:
    """Measures and prints the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--base", type=Path, required=True, help="python of a base install")
    parser.add_argument("--turns", type=int, default=9)
    arguments = parser.parse_args()
    check = "import importlib.util as u, sys; sys.exit(u.find_spec('torch') is not None)"
    subprocess.run([arguments.base, "-c", check], check=True)
    with tempfile.TemporaryDirectory() as name:
        bundle, image = make_bundle(Path(name))
        verbs: dict[str, tuple[str | Path, ...]] = {
            "pulmo --help": ("--help",),
            "pulmo predict, one 224 px PNG, MobileNetV2": ("predict", image, "--model", bundle),
        }
        trained = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        for verb, words in verbs.items():
            pulmo(arguments.base, *words)
            seconds = [pulmo(arguments.base, *words) for _ in range(arguments.turns)]
            print(f"{verb}: {statistics.median(seconds):.2f} s (best {min(seconds):.2f} s)")
        memory = peak_memory(arguments.base, bundle, image)
    print(f"peak memory of predict: {memory:.0f} MB (training took {trained / 1024:.0f} MB)")


def peak_memory(python: Path, bundle: Path, image: Path) -> float:
    """Returns the largest resident set of one `pulmo predict`, in MB."""
    script = (
        "import resource, runpy, sys\n"
        "try: runpy.run_module('pulmo', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    result = subprocess.run(
        [python, "-c", script, "predict", image, "--model", bundle],
        check=True,
        capture_output=True,
        text=True,
    )
    return float(result.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()
