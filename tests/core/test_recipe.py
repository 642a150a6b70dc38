import hashlib
import json
import tomllib
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.recipe import load_recipe, parse_recipe
from pulmo.core.recipe_file import shipped_recipes


def test_every_shipped_recipe_is_named_after_its_file() -> None:
    for name in shipped_recipes():
        assert load_recipe(name).name == name


def test_a_recipe_survives_toml() -> None:
    recipe = load_recipe(
        "demo",
        [
            "train.patience=3",
            "labels.merge={viral='bacterial'}",
            "labels.order=['covid','bacterial','normal']",
        ],
    )
    assert parse_recipe(tomllib.loads(recipe.to_toml()), "it") == recipe


def test_settings_are_toml_or_text() -> None:
    recipe = load_recipe(
        "demo", ["train.lr=0.5", "model.weights=some/file", "data.views=['PA']", "train.seed=3"]
    )
    assert (recipe.train.lr, recipe.model.weights) == (0.5, "some/file")
    assert (recipe.data.views, recipe.train.seed) == (("PA",), 3)


@pytest.mark.parametrize("text", ["[covid,normal]", "[ covid, 'normal' ]", '["covid", normal]'])
def test_the_words_of_a_list_need_no_quotes(text: str) -> None:
    assert load_recipe("demo", [f"labels.order={text}"]).labels.order == ("covid", "normal")
    settings = ["labels.order=[covid, normal]", "labels.merge={viral=covid, other = normal}"]
    assert load_recipe("demo", settings).labels.merge == {"viral": "covid", "other": "normal"}
    assert load_recipe("demo", ["model.weights=[a, b"]).model.weights == "[a, b"


def test_a_file_is_blamed_only_for_its_own_faults(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped_recipes()["demo"].read_text())
    with refuses("recipe-invalid") as wrong:
        load_recipe(str(path), ["train.seed=1", "train.lr=fast"])
    assert "mine.toml" not in str(wrong.value)
    assert "seed" not in str(wrong.value)
    path.write_text(path.read_text().replace("[train]", "[train]\nspeed = 3"))
    with refuses("recipe-invalid", "mine.toml", "train.speed"):
        load_recipe(str(path), ["train.seed=1"])


def test_a_random_start_takes_the_weights_out() -> None:
    recipe = load_recipe("starter", scratch=True)
    assert (recipe.model.weights, recipe.name) == ("none", "starter")
    assert load_recipe("starter").model.weights != "none"
    with refuses("weights-contradict"):
        load_recipe("starter", ["model.weights=timm"], scratch=True)


def test_a_description_is_true_of_what_a_recipe_became() -> None:
    written = load_recipe("starter").description
    assert "ImageNet" in written
    for settings in ([], ["train.epochs=2"]):
        assert load_recipe("starter", settings).description == written
    changed = ["labels.order=[covid,normal]", "model.backbone=resnet18"]
    described = load_recipe("starter", changed, scratch=True).description
    assert "ImageNet" not in described
    assert "its classes are covid, normal; its network is resnet18; it starts from random" in (
        described
    )
    assert load_recipe("starter", [*changed, "description=Mine."]).description == "Mine."


def test_the_hash_follows_the_content() -> None:
    assert load_recipe("demo").sha256 == load_recipe("demo").sha256
    assert load_recipe("demo").sha256 != load_recipe("demo", ["train.seed=1"]).sha256


@pytest.mark.parametrize(
    ("setting", "refused"),
    [
        (
            "train.epoch=2",
            ("recipe-invalid", "train.epoch is not known, did you mean 'train.epochs'"),
        ),
        ("modle.x=1", ("recipe-invalid", "modle is not known, did you mean 'model'")),
        ("train.zzz=1", ("recipe-invalid", "train.zzz is not known; known are epochs")),
        ("epochs=5", ("recipe-invalid", "epochs is not known, did you mean 'train.epochs'")),
        ("train.size=64", ("recipe-invalid", "train.size is not known, did you mean 'image.size'")),
        ("train.lr=fast", ("recipe-invalid", "setting 'train.lr=fast'", "train.lr", "got 'fast'")),
        ("train.lr=-1", ("recipe-invalid", "train.lr", "greater than 0")),
        ("image.size=4096", ("recipe-invalid", "image.size", "1024")),
        ("labels.order=['covid']", ("labels-too-few",)),
        ("labels.order=['covid','nromal']", ("label-unknown", "Did you mean 'normal'")),
        ("decision.positive=['other']", ("positive-classes-invalid",)),
        ("decision.positive=[]", ("positive-classes-invalid",)),
        ("decision.positive=['covid','covid']", ("positive-classes-invalid",)),
        ("decision.positive=['covid','bacterial','viral','normal']", ("positive-classes-invalid",)),
        (
            "labels.ordr=['covid']",
            ("recipe-invalid", "labels.ordr is not known, did you mean 'labels.order'"),
        ),
        ("train.lr=true", ("recipe-invalid", "train.lr", "valid number")),
        ("train.epochs='3'", ("recipe-invalid", "train.epochs", "valid integer")),
        ("model.mean=nan", ("recipe-invalid", "model.mean", "finite")),
        ("train.batch=1", ("recipe-invalid", "train.batch", "greater than or equal to 2")),
        (".a=3", ("setting-invalid",)),
        ("name.a=1", ("setting-not-section", "'name'")),
        ("train.lr", ("setting-invalid",)),
        ("train.class_weights={nromal=2}", ("recipe-class-unknown", "class_weights", "nromal")),
        ("train.oversample={other=2}", ("recipe-class-unknown", "oversample", "other")),
        (
            "train.stages=[{epoch=2}]",
            ("recipe-invalid", "train.stages.0.epoch", "'train.stages.0.epochs'"),
        ),
        ("train.stages.0.epochs=2", ("recipe-invalid", "train.stages", "valid tuple")),
    ],
)
def test_a_bad_setting_is_a_sentence(setting: str, refused: tuple[str, ...]) -> None:
    with refuses(*refused):
        load_recipe("demo", [setting])


def test_an_entry_of_a_list_is_set_by_its_number() -> None:
    recipe = load_recipe("fastai-resnet50", ["train.stages.1.epochs=7"])
    assert [stage.epochs for stage in recipe.train.plan[:3]] == [1, 7, 10]
    with refuses("setting-index-unknown", "'9'", "5"):
        load_recipe("fastai-resnet50", ["train.stages.9.epochs=7"])
    with refuses("setting-key-missing", "'1'"):
        load_recipe("fastai-resnet50", ["train.stages.1=7"])


def test_a_stage_has_the_settings_of_the_training_that_it_leaves_out() -> None:
    recipe = load_recipe("demo", ["train.lr=0.5", "train.stages=[{},{lr=0.25,trains='head'}]"])
    assert [stage.lr for stage in recipe.train.plan] == [0.5, 0.25]
    assert [stage.epochs for stage in recipe.train.plan] == [20, 20]
    assert parse_recipe(tomllib.loads(recipe.to_toml()), "it") == recipe


def test_a_recipe_without_a_quick_variant_says_so() -> None:
    with refuses("recipe-variant-missing", "quick"):
        load_recipe("starter", quick=True)


def test_a_network_without_weights_has_a_variant_of_its_own() -> None:
    recipe = load_recipe("vgg16-cli", scratch=True)
    assert recipe.name == "vgg16-cli-scratch"
    assert (recipe.model.weights, recipe.train.trains, recipe.image.size) == ("none", "all", 224)
    quick = load_recipe("vgg16-cli", scratch=True, quick=True)
    assert quick.name == "vgg16-cli-scratch-quick"
    assert (quick.train.trains, quick.train.views, quick.image.size) == ("all", 0, 128)
    # One that has no such table stays what it is.
    assert load_recipe("minivgg", scratch=True) == load_recipe("minivgg")
    assert load_recipe("minivgg", scratch=True, quick=True) == load_recipe("minivgg", quick=True)


@pytest.mark.parametrize("table", ["quick = 3", "[scratch]", "[scratch]\nquick = 3"])
def test_a_variant_is_a_table_of_settings(tmp_path: Path, table: str) -> None:
    path = tmp_path / "mine.toml"
    shipped = shipped_recipes()["demo"].read_text()
    path.write_text(f"{table}\n{shipped}" if table.startswith("quick") else f"{shipped}\n{table}")
    with refuses("recipe-table-expected"):
        load_recipe(str(path))


def test_a_variant_without_weights_may_have_no_cheaper_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped_recipes()["demo"].read_text() + '\n[scratch]\n"train.lr" = 0.1\n')
    with refuses("recipe-variant-missing", "scratch.quick"):
        load_recipe(str(path), quick=True, scratch=True)


def test_rates_said_twice_are_refused() -> None:
    with refuses("learning-rates-contradict"):
        load_recipe("demo", ["train.lr_first=1e-5", "train.lr_divisors=[2,1]"])


def test_a_recipe_without_a_network_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'mine'\ndescription = ''\nlabels = {order = ['covid', 'normal']}\n")
    with refuses("recipe-invalid", "model is missing; decision is missing"):
        load_recipe(str(path))


def test_an_unknown_recipe_names_the_nearest() -> None:
    with refuses("recipe-unknown", "Did you mean 'starter'"):
        load_recipe("startr")
    with refuses("recipe-unknown"):
        load_recipe("zzzzzz")


def test_a_recipe_file_must_exist_and_be_toml(tmp_path: Path) -> None:
    with refuses("file-missing"):
        load_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("= 3")
    with refuses("toml-invalid"):
        load_recipe(str(tmp_path / "bad.toml"))


def test_nothing_is_outside_of_the_whole_image() -> None:
    recipe = load_recipe("demo", ["image.region=lungs", "image.outside=black", "image.margin=0.1"])
    assert (recipe.image.region, recipe.image.outside, recipe.image.margin) == (
        "lungs", "black", 0.1
    )  # fmt: skip
    assert load_recipe("demo").image.region == "all"
    for setting in ("outside=black", "outside=mean", "frame=moments", "normalise=lungs"):
        with refuses("setting-without-region", f"image.{setting.split('=')[0]}", "image.region"):
            load_recipe("demo", [f"image.{setting}"])
    with refuses("grey-scales-contradict", "equalise", "image.normalise"):
        load_recipe("demo", ["image.region=lungs", "image.normalise=lungs", "image.grey=equalise"])
    with refuses("recipe-invalid", "image.region=heart"):
        load_recipe("demo", ["image.region=heart"])


def test_a_recipe_keeps_its_hash_when_there_are_more_fields() -> None:
    recipe = load_recipe("demo")
    tree = recipe.model_dump(mode="json")
    for name, section in tree.items():
        later = getattr(type(getattr(recipe, name)), "later_fields", ())
        tree[name] = {k: v for k, v in section.items() if k not in later} if later else section
    before = json.dumps(tree, separators=(",", ":"), ensure_ascii=False)
    assert recipe.sha256 == hashlib.sha256(before.encode()).hexdigest()
    changed = load_recipe("demo", ["image.region=lungs"])
    other = load_recipe("demo", ["image.region=lungs", "image.frame=moments"])
    assert len({recipe.sha256, changed.sha256, other.sha256}) == 3
    assert load_recipe("demo", ["image.spread=2.1"]).sha256 == recipe.sha256
