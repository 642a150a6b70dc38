import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.pixels.processing import apply_voi_lut

from fixtures.refuses import refuses
from pulmo.core.labels import check_label
from pulmo.datasets.phantom import COLUMNS, PHANTOM_LABELS, TABLE, Phantom, draw, write_phantoms
from pulmo.datasets.phantom.acquisition import Exposure, expose, finish
from pulmo.datasets.phantom.anatomy import SIDES, Anatomy
from pulmo.datasets.phantom.body import draw_body
from pulmo.datasets.phantom.canvas import Canvas, band, smooth
from pulmo.datasets.phantom.encodings import Levels, dicom, jpeg, mask_png, png
from pulmo.datasets.phantom.view import View

DISEASES = [label for label in PHANTOM_LABELS if label != "normal"]


def phantom(label: str = "normal", patient: int = 1, seed: int = 0, size: int = 96) -> Phantom:
    return draw(label, patient, np.random.default_rng(seed), size)


def halves(mask: NDArray[np.bool_]) -> tuple[int, int]:
    middle = mask.shape[1] // 2
    return int(mask[:, :middle].sum()), int(mask[:, middle:].sum())


# The drawing


@pytest.mark.parametrize("label", PHANTOM_LABELS)
def test_a_phantom_is_an_image_with_masks(label: str) -> None:
    image = draw(label, 3, np.random.default_rng(4), (100, 130))
    assert image.pixels.shape == image.lungs.shape == image.lesion.shape == (100, 130)
    assert image.pixels.dtype == np.float32
    assert image.lungs.dtype == image.lesion.dtype == np.bool_
    assert image.pixels.min() >= 0
    assert image.pixels.max() <= 1
    assert image.pixels.std() > 0.1
    assert (image.label, image.view in {"PA", "AP"}, image.sex in {"F", "M"}) == (label, True, True)
    assert 18 <= image.age <= 90


@pytest.mark.parametrize("size", [(32, 32), (32, 150), (150, 32), (700, 500)])
def test_every_size_is_drawn(size: tuple[int, int]) -> None:
    image = draw("covid", 3, np.random.default_rng(4), size)
    assert image.pixels.shape == size
    assert 0.02 < image.lungs.mean() < 0.6
    assert image.lesion.any()


def test_the_same_arguments_draw_the_same_image() -> None:
    one, same, other = phantom(seed=5), phantom(seed=5), phantom(seed=6)
    np.testing.assert_array_equal(one.pixels, same.pixels)
    assert not np.array_equal(one.pixels, other.pixels)


@pytest.mark.parametrize("label", DISEASES)
def test_no_class_shows_outside_the_lungs(label: str) -> None:
    for seed in range(6):
        normal, ill = phantom("normal", seed, seed), phantom(label, seed, seed)
        np.testing.assert_array_equal(normal.lungs, ill.lungs)
        np.testing.assert_array_equal(normal.pixels[~normal.lungs], ill.pixels[~normal.lungs])
        assert (normal.pixels != ill.pixels).any()
        assert normal[4:] == ill[4:]


@pytest.mark.parametrize("label", DISEASES)
def test_opacities_brighten_the_lungs_where_the_mask_says(label: str) -> None:
    for seed in range(6):
        normal, ill = phantom("normal", seed, seed), phantom(label, seed, seed)
        change = ill.pixels - normal.pixels
        assert ill.lesion.any()
        assert not (ill.lesion & ~ill.lungs).any()
        assert change[ill.lesion].mean() > 3 * abs(change[ill.lungs & ~ill.lesion].mean())


def test_a_normal_image_has_no_lesion() -> None:
    assert not any(phantom("normal", seed, seed).lesion.any() for seed in range(6))


def test_each_disease_lies_where_it_should() -> None:
    for seed in range(12):
        lesions = {label: phantom(label, seed, seed).lesion for label in DISEASES}
        assert min(halves(lesions["covid"])) > 0
        assert min(halves(lesions["viral"])) > 0
        one_side = halves(lesions["bacterial"])
        assert max(one_side) > 0.9 * sum(one_side)


def test_covid_lies_nearer_the_chest_wall_and_lower_than_viral_pneumonia() -> None:
    def place(label: str) -> tuple[float, float]:
        rows, columns = [], []
        for seed in range(12):
            y, x = np.nonzero(phantom(label, seed, seed).lesion)
            rows.append(y.mean())
            columns.append(np.abs(x - 48).mean())
        return float(np.mean(rows)), float(np.mean(columns))

    covid, viral = place("covid"), place("viral")
    assert covid[0] > viral[0]
    assert covid[1] > viral[1] + 5


def test_the_lungs_are_dark_and_the_heart_is_on_the_images_right() -> None:
    for seed in range(6):
        image = phantom("normal", seed, seed, size=160)
        assert image.pixels[image.lungs].mean() < image.pixels[60:130, 70:90].mean() - 0.1
        right, left = halves(image.lungs[80:115])
        assert left < right, "the heart takes room from the left lung"


def test_images_of_one_patient_share_the_anatomy() -> None:
    images = [draw("normal", 8, np.random.default_rng(seed), 96) for seed in range(3)]
    assert len({(image.age, image.sex) for image in images}) == 1
    assert not np.array_equal(images[0].lungs, images[1].lungs), "but not the pose"
    pose = View("PA", zoom=1.0, shift=(0.0, 0.0), tilt=0.0, turn=0.0, breath=1.0)
    one, same, other = (
        draw_body(Anatomy.of(patient), pose, pose.canvas(96, 96)) for patient in (8, 8, 9)
    )
    np.testing.assert_array_equal(one.density, same.density)
    assert np.abs(one.density - other.density).mean() > 0.02


def test_patients_differ_in_sex_age_heart_and_ribs() -> None:
    patients = [Anatomy.of(number) for number in range(200)]
    assert 60 < Counter(patient.sex for patient in patients)["F"] < 140
    assert np.std([patient.age for patient in patients]) > 10
    assert np.std([patient.heart for patient in patients]) > 0.05
    assert {patient.ribs for patient in patients} == {9, 10, 11}
    assert all((patient.breast > 0) == (patient.sex == "F") for patient in patients)


def test_ribs_come_in_pairs_and_mirror_the_sides() -> None:
    anatomy = Anatomy.of(2)
    back = anatomy.posterior_ribs
    assert len(back) == 2 * anatomy.ribs
    for side, ribs in zip(SIDES, np.split(back, 2), strict=True):
        assert (np.sign(ribs[:, -1, 0]) == side).all()
        assert (np.diff(ribs[:, 0, 1]) > 0).all(), "from the neck downwards"


@pytest.mark.parametrize(
    ("label", "patient", "size", "refused"),
    [
        ("covd", 1, 96, ("label-unknown", "Did you mean 'covid'")),
        ("pneumonia", 1, 96, ("phantom-label-unknown", "'pneumonia'")),
        ("covid", -1, 96, ("patient-number-invalid", "-1")),
        ("covid", 1, 16, ("phantom-side-too-small", "32", "16")),
        ("covid", 1, (96, 31), ("phantom-side-too-small", "32", "31")),
    ],
)
def test_bad_arguments_of_draw(
    label: str, patient: int, size: int | tuple[int, int], refused: tuple[str, ...]
) -> None:
    with refuses(*refused):
        draw(label, patient, np.random.default_rng(0), size)


# The canvas


def canvas(size: int = 100) -> Canvas:
    scale = size / 2
    return Canvas(size, size, np.array([[scale, 0, scale], [0, scale, scale]]))


def test_a_filled_square_has_its_area() -> None:
    square = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    layer = canvas(400).fill([square])
    assert layer.sum() == pytest.approx(200**2, rel=0.02)
    assert layer[200, 200] == 1
    assert layer[40, 40] == 0


@pytest.mark.parametrize("pixels", [0.4, 1, 2.9, 5.2, 12])
def test_a_line_is_as_wide_as_it_should_be_or_fainter(pixels: float) -> None:
    line = [np.array([(-0.8, -0.02), (0.8, 0.03)])]
    layer = canvas(400).stroke(line, pixels / 200)
    assert layer[:, 150:250].sum() / 100 == pytest.approx(pixels, rel=0.2)


@pytest.mark.parametrize("sigma", [0.001, 0.03, 0.3])
def test_a_blur_keeps_the_sum_and_spreads_by_sigma(sigma: float) -> None:
    dot = np.zeros((240, 240), np.float32)
    dot[118:122, 118:122] = 1 / 16
    plane = Canvas(240, 240, np.array([[100.0, 0, 120], [0, 100, 120]]))
    blurred = plane.blur(dot, sigma)
    assert blurred.sum() == pytest.approx(1, abs=0.02)
    spread = np.sqrt((blurred.sum(axis=0) * (np.arange(240) - 119.5) ** 2).sum())
    assert spread == pytest.approx(np.hypot(100 * sigma, np.sqrt(1.25)), rel=0.12)


@pytest.mark.parametrize("grain", [0.001, 0.03, 0.2])
def test_texture_is_noise_of_the_given_grain(grain: float) -> None:
    noise = canvas(300).texture(np.random.default_rng(1), grain)
    assert noise.shape == (300, 300)
    assert abs(noise.mean()) < 0.2
    assert 0.7 < noise.std() < 1.5
    step = max(1, round(grain * 150 / 4))
    if grain > 0.01:
        near = np.corrcoef(noise[:, :-step].ravel(), noise[:, step:].ravel())[0, 1]
        assert near > 0.7


def test_a_spline_goes_through_its_points_and_closes() -> None:
    points = np.array([(0.0, 0.0), (1.0, 0.2), (1.5, 1.0), (0.2, 1.4)])
    curve, ring = smooth(points), smooth(points, closed=True)
    np.testing.assert_allclose(curve[::8], points)
    np.testing.assert_allclose(ring[::8], points)
    assert len(ring) == 32
    np.testing.assert_allclose(smooth(np.stack([points, 2 * points]))[1], 2 * curve)


def test_a_spline_of_points_on_a_line_is_the_line() -> None:
    curve = smooth([(0, 0), (1, 2), (2, 4), (3, 6)])
    np.testing.assert_allclose(curve[:, 1], 2 * curve[:, 0], atol=1e-12)


def test_a_band_is_as_wide_as_it_should_be() -> None:
    line = np.stack([np.linspace(0, 1, 21), np.zeros(21)], axis=1)
    outline = band(line, 0.1, 0.2)
    widths = outline[:21, 1] - outline[::-1][:21, 1]
    assert abs(widths[10]) == pytest.approx(0.15)
    assert abs(widths[0]) < 0.1


# The exposure


def plain(**changes: float) -> Exposure:
    settings = {"blur": 0, "noise": 0, "black": 0, "white": 1, "gamma": 1, "contrast": 0}
    return Exposure(**(settings | changes), shading=(0, 0), margins=(0, 0, 0, 0))


def test_a_plain_exposure_shows_the_density() -> None:
    density = np.linspace(-0.5, 1.5, 50, dtype=np.float32).reshape(5, 10)
    shown = expose(density, plain(), np.random.default_rng(0))
    np.testing.assert_allclose(shown, np.clip(density, 0, 1), atol=1e-6)
    darker = expose(density, plain(gamma=2.0), np.random.default_rng(0))
    np.testing.assert_allclose(darker, np.clip(density, 0, 1) ** 2, atol=1e-6)


def test_fewer_quanta_make_more_noise() -> None:
    density = np.repeat(np.array([[0.2], [0.8]], np.float32), 4000, axis=1)
    shown = expose(density, plain(noise=0.01), np.random.default_rng(0))
    thin, thick = shown.std(axis=1)
    assert thick / thin == pytest.approx(np.exp(1.1 * 0.6), rel=0.06)


def test_the_collimator_covers_the_edges() -> None:
    exposure = Exposure(0, 0, 0, 1, 1, 0, (0, 0), (0.1, 0.05, 0, 0.2))
    image = np.full((100, 100), 0.5, np.float32)
    seeds = range(30)
    least = np.min([finish(image, exposure, "PA", np.random.default_rng(s)) for s in seeds], axis=0)
    expected = np.zeros((100, 100), np.float32)
    expected[5:80, 10:] = 0.5
    np.testing.assert_array_equal(least, expected)


def test_the_letter_of_the_side_is_on_its_side() -> None:
    covered = Exposure(0, 0, 0, 1, 1, 0, (0, 0), (0, 0, 0, 0))
    black = np.zeros((200, 200), np.float32)
    marked = [finish(black, covered, "AP", np.random.default_rng(seed)) for seed in range(40)]
    shown = [image > 0 for image in marked]
    assert sum(not image.any() for image in shown) < 20
    assert sum(image[:, :100].any() for image in shown) > 5
    assert sum(image[:, 100:].any() for image in shown) > 5
    assert not any(image[70:130].any() for image in shown), "the markers keep to the corners"


# The encodings


def stored(data: bytes, tmp_path: Path) -> NDArray[np.integer]:
    path = tmp_path / "image"
    path.write_bytes(data)
    with Image.open(path) as image:
        image.load()
        return np.asarray(image)


def test_png_and_jpeg_hold_the_grey_values(tmp_path: Path) -> None:
    grey = phantom("covid").pixels
    eight, sixteen = stored(png(grey, 8), tmp_path), stored(png(grey, 16), tmp_path)
    assert (eight.dtype.name, sixteen.dtype.name) == ("uint8", "uint16")
    np.testing.assert_array_equal(eight, np.rint(grey * 255))
    np.testing.assert_array_equal(sixteen, np.rint(grey * 65535))
    lossy = stored(jpeg(grey, 95), tmp_path)
    assert np.abs(lossy / 255 - grey).mean() < 0.02


def test_a_mask_is_a_png_of_one_bit(tmp_path: Path) -> None:
    lungs = phantom().lungs
    mask = stored(mask_png(lungs), tmp_path)
    assert mask.dtype == np.bool_
    np.testing.assert_array_equal(mask, lungs)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_dicom_image_displays_what_the_png_shows(photometric: str, tmp_path: Path) -> None:
    image = phantom("viral")
    levels = Levels("MONOCHROME1" if photometric[-1] == "1" else "MONOCHROME2", 137, 3900)
    path = tmp_path / "image.dcm"
    path.write_bytes(dicom(image, levels, "x"))
    data = dcmread(path)
    assert (data.PhotometricInterpretation, data.BitsStored) == (photometric, 12)
    assert (data.pixel_array.min(), data.pixel_array.max()) == (137, 3900)
    displayed = np.asarray(apply_voi_lut(data.pixel_array, data), np.float64) / 4095
    if photometric == "MONOCHROME1":
        displayed = 1 - displayed
    np.testing.assert_allclose(displayed, image.pixels, atol=0.6 / (3900 - 137))
    assert (data.Modality, data.ViewPosition, data.PatientSex) == ("DX", image.view, image.sex)
    assert data.PatientAge == f"{image.age:03d}Y"
    assert not data.PatientName
    assert not data.PatientID


def test_monochrome1_is_monochrome2_inverted(tmp_path: Path) -> None:
    image = phantom("bacterial")
    values = []
    for levels in (Levels("MONOCHROME1", 100, 4000), Levels("MONOCHROME2", 100, 4000)):
        path = tmp_path / f"{levels.photometric}.dcm"
        path.write_bytes(dicom(image, levels, "x"))
        values.append(dcmread(path).pixel_array.astype(int))
    np.testing.assert_allclose(values[0], 4100 - values[1], atol=1)


# The folder


def read(table: Path) -> list[dict[str, str]]:
    with table.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root: Path = tmp_path_factory.mktemp("phantoms") / "new"
    assert write_phantoms(root, 42, seed=3) == root / TABLE
    return root


def test_the_table_names_every_file_and_its_size(folder: Path) -> None:
    rows = read(folder / TABLE)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 42
    names = {row["path"] for row in rows}
    assert names == {f"images/{path.name}" for path in (folder / "images").iterdir()}
    assert {Path(name).suffix for name in names} == {".png", ".jpg", ".dcm"}
    for row in rows:
        size = (int(row["height"]), int(row["width"]))
        assert min(size) >= 200
        assert max(size) <= 420
        path = folder / row["path"]
        image = dcmread(path).pixel_array if path.suffix == ".dcm" else stored_file(path)
        assert image.shape == size
        lungs, lesion = (
            stored_file(folder / kind / "images" / f"{path.stem}.png")
            for kind in ("lung-masks", "lesion-masks")
        )
        assert lungs.shape == lesion.shape == size
        assert lesion.any() == (row["label"] != "normal")


def stored_file(path: Path) -> NDArray[np.integer]:
    with Image.open(path) as image:
        return np.asarray(image)


def test_labels_are_balanced_and_a_patient_has_one(folder: Path) -> None:
    rows = read(folder / TABLE)
    counts = Counter(check_label(row["label"]) for row in rows)
    assert set(counts) == set(PHANTOM_LABELS)
    assert max(counts.values()) - min(counts.values()) <= 1
    of_patient = defaultdict(list)
    for row in rows:
        of_patient[row["patient"]].append((row["label"], row["age"], row["sex"]))
    assert all(len(set(facts)) == 1 for facts in of_patient.values())
    assert {len(facts) for facts in of_patient.values()} == {1, 2, 3}


def test_a_seed_gives_the_same_bytes_and_another_one_other_patients(tmp_path: Path) -> None:
    done: list[int] = []
    for name, seed in (("one", 1), ("same", 1), ("other", 2)):
        write_phantoms(
            tmp_path / name, 6, seed, labels=["viral", "normal"], on_progress=done.append
        )
    files = [path.relative_to(tmp_path / "one") for path in (tmp_path / "one").rglob("*.*")]
    assert len(files) == 19
    for file in files:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "same" / file).read_bytes()
    patients = [
        {row["patient"] for row in read(tmp_path / name / TABLE)} for name in ("one", "other")
    ]
    assert not patients[0] & patients[1]
    assert done == [1, 2, 3, 4, 5, 6] * 3


@pytest.mark.parametrize(
    ("count", "seed", "labels", "refused"),
    [
        (0, 1, ["covid"], ("phantom-count-invalid", "0")),
        (1, -1, ["covid"], ("seed-invalid", "-1")),
        (1, 1, ["covid", "flu"], ("label-unknown", "'flu'")),
        (1, 1, ["other"], ("phantom-label-unknown", "'other'")),
        (1, 1, ["covid", "covid"], ("phantom-labels-invalid",)),
        (1, 1, [], ("phantom-labels-invalid",)),
    ],
)
def test_bad_arguments_of_write_phantoms(
    count: int, seed: int, labels: list[str], refused: tuple[str, ...], tmp_path: Path
) -> None:
    with refuses(*refused):
        write_phantoms(tmp_path / "new", count, seed, labels=labels)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    for folder in (tmp_path, tmp_path / "notes.txt"):
        with refuses("folder-not-empty"):
            write_phantoms(folder, 1, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with refuses("file-not-written", "image-00000.png"):
        write_phantoms(tmp_path / "file" / "below", 1, 1)
