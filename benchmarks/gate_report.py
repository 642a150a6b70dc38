"""The report of the test of the gate."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.bundle import gate
from pulmo.bundle.gate import KINDS, Gate
from pulmo.bundle.looks import SIDE, grey_looks

GREY: Final = len(np.concatenate(grey_looks(np.zeros((SIDE, SIDE), np.uint8))))
"""How many numbers the gate sees of the grey values."""

FALSE_REFUSALS: Final = 0.0015
"""Greatest share of the good images of the fit that each threshold may refuse, when the regression
is fitted without their source."""

MISSED: Final = 0.005
"""Greatest share of the unfit images of a kind that its threshold may miss in the same way, where
that needs no more false refusals."""


class Images(NamedTuple):
    """What the gate sees of some images.

    Attributes:
        kind: [n], what is the matter with each; blank: nothing.
        name: [n], its source, or what it is.
        group: [n], what belongs together.
        seen: [n, numbers of `GreyLooks` and `LungLooks`].
    """

    kind: NDArray[np.str_]
    name: NDArray[np.str_]
    group: NDArray[np.str_]
    seen: NDArray[np.float64]

    def of(self, chosen: NDArray[np.bool_]) -> "Images":
        """Returns those that are chosen, bool [n]."""
        return Images(self.kind[chosen], self.name[chosen], self.group[chosen], self.seen[chosen])


HEAD: Final = """# Images that a model for frontal chest X-rays is not meant for

Made by `python benchmarks/gate.py --data DATA --photographs PHOTOGRAPHS --screenshots SCREENSHOTS
--model BUNDLE --run RUN`, on [these images](#where-the-images-come-from). If a file does not
state what it shows, the look of the image decides (`pulmo.bundle.gate`). A multinomial logistic
regression uses 141 numbers from the grey values. If they leave a doubt, a second one uses these
and 83 numbers from the network of the lungs (`pulmo.bundle.looks`), and decides. In an evaluation
an unfit image is noted (`looks`) and counted, not refused.

The threshold of the second regression is, for each kind, halfway between the score that
{share:.2%} of the good images reach and the score that all but {missed:.1%} of the images of this
kind reach. The threshold of the first one is the second of these scores. Both scores come from
regressions that are fitted without the source of the image. Intervals are 95 %, over patients and
publications; parts of a photograph count as independent, so the interval of photographs is too
narrow.

**The test images had been used before.** The first version of the gate had one regression for
each kind, and its thresholds were the scores that {share:.2%} of the good images reach. On the
same test it refused 0.9 % of the good images and found 96 % or more of each kind, but it gave
wrong reasons. The second version used the network of the lungs for every image, which was slow:
it refused 0.8 % and found 97.5 % or more. The penalty and the thresholds of the third version
were chosen on the images of the fit only, but the test images were known by then."""

SOURCES: Final = """
## Where the images come from

The good images of the fit are frontal images of kermany (training), radiography (normal and
COVID-19) and half of the patients of cohen, unchanged, and changed in grey scale, tilt, border
and side. Turned, inverted, cut and joined images are made from them. Slices of CT are from half
of the patients of COVID-CT, lateral views from half of cohen. Images that are no radiographs are
drawings, masks of lungs or parts of photographs. The test has the other halves, sets that the fit
did not use, other photographs, pages and plots, and screenshots, of which the fit has none.
Kermany's test is from the same hospital as its training. The network of the lungs was trained on
kermany and cohen, images of this test among them.

- DATA is a folder with the public sets, named as in `benchmarks/gate_images.py`. `pulmo data
  sources` says where most of them come from.
- PHOTOGRAPHS is the folder `skimage/data` of the wheel of scikit-image 0.17.2 for Python 3.8:
  `pip download scikit-image==0.17.2 --no-deps --only-binary=:all: --python-version 3.8
  --platform manylinux1_x86_64`, then `python -m zipfile -e scikit_image-0.17.2-*.whl .`
  `benchmarks/gate_images.py` names the images of the fit and of the test. The others come with
  scikit-learn and matplotlib.
- SCREENSHOTS is the folder `share/doc/rust/html` of Rust 1.95.0 (`rustup component add rust-docs`,
  `rustc --print sysroot`): its PNG images of 48 pixels or more, each once.
- BUNDLE and RUN are the folders `bundle` and `run` that `benchmarks/starter.py` makes.

## What it does not know

- **Other parts of the body.** No images of them were available, so there is no such kind, and
  nothing was measured for them. A DICOM image whose Body Part Examined states another part is
  refused for that ([how](../images.md#6-facts-from-the-header)). A PNG or JPEG file of a hand or an
  abdomen states nothing: it may pass.
- **Other diseases**: see [above](#a-disease-that-is-none-of-the-classes).
- **Lateral views**: only 43 were available.
- **Real faults.** Those of this test are made by a program; real ones may look otherwise."""


def report(images: Images, fitted: Gate) -> Iterator[str]:
    """Yields the report of the test."""
    yield HEAD.format(share=FALSE_REFUSALS, missed=MISSED)
    yield f"\n{fitted.fitted}"
    each = [judged(fitted, one) for one in images.seen]
    found, asked = (np.array(values) for values in zip(*each, strict=True))
    good = images.kind == ""
    plain = good & ~np.char.endswith(images.name, ", changed")
    alone = stats.proportion(~asked[plain], groups=images.group[plain])
    yield f"\nThe grey values alone let pass {alone} of the good images of the test as they are."
    yield from _table("Good frontal images that are refused")
    for name in sorted(set(images.name[good])):
        yield _row(name, images, good & (images.name == name), found)
    yield _row("**all, as they are**", images, plain, found)
    yield _row("**all, changed**", images, good & ~plain, found)
    yield from _table("Unfit images that are refused, for whatever reason")
    for kind in KINDS:
        of_kind = images.kind == kind
        if kind in (gate.CT, gate.OTHER):
            for name in sorted(set(images.name[of_kind])):
                yield _row(f"{kind}: {name}", images, of_kind & (images.name == name), found)
        yield _row(f"**{kind}**", images, of_kind, found)


def judged(fitted: Gate, seen: NDArray[np.float64]) -> tuple[str, bool]:
    """Returns the kind that an image looks like, or blank, and whether its lungs were asked."""
    asked = False

    def of_lungs() -> NDArray[np.float64]:
        nonlocal asked
        asked = True
        return seen[GREY:]

    kind = fitted.likeliest(seen[:GREY], of_lungs, [*KINDS])
    return kind or "", asked


def _table(title: str) -> tuple[str, ...]:
    return (f"\n## {title}\n", "| images | refused | of | as |", "|---|---|---|---|")


def _row(name: str, images: Images, chosen: NDArray[np.bool_], found: NDArray[np.str_]) -> str:
    share = stats.proportion(found[chosen] != "", groups=images.group[chosen])
    reasons, counts = np.unique(found[chosen & (found != "")], return_counts=True)
    said = ", ".join(f"{reason} {n}" for reason, n in zip(reasons, counts, strict=True))
    return f"| {name} | {share} | {share.n} | {said} |"
