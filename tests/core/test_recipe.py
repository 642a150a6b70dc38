import tomllib
from pathlib import Path

import pytest

from pulmo.core.errors import InputError, UsageError
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
    with pytest.raises(UsageError) as wrong:
        load_recipe(str(path), ["train.seed=1", "train.lr=fast"])
    assert "mine.toml" not in str(wrong.value)
    assert "seed" not in str(wrong.value)
    path.write_text(path.read_text().replace("[train]", "[train]\nspeed = 3"))
    with pytest.raises(UsageError, match=r"mine\.toml is not a usable recipe: train\.speed"):
        load_recipe(str(path), ["train.seed=1"])


def test_a_random_start_takes_the_weights_out() -> None:
    recipe = load_recipe("starter", scratch=True)
    assert (recipe.model.weights, recipe.name) == ("none", "starter")
    assert load_recipe("starter").model.weights != "none"
    with pytest.raises(UsageError, match="contradict each other"):
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
    ("setting", "message"),
    [
        ("train.epoch=2", "train.epoch is not known, did you mean 'train.epochs'"),
        ("modle.x=1", "modle is not known, did you mean 'model'"),
        ("train.zzz=1", "train.zzz is not known; known are epochs"),
        ("epochs=5", "epochs is not known, did you mean 'train.epochs'"),
        ("train.size=64", "train.size is not known, did you mean 'image.size'"),
        ("train.lr=fast", "The setting 'train.lr=fast' cannot be used: train.lr: .* got 'fast'"),
        ("train.lr=-1", "train.lr: .* greater than 0"),
        ("image.size=4096", "image.size: .* 1024"),
        ("labels.order=['covid']", "two or more"),
        ("labels.order=['covid','nromal']", "Did you mean 'normal'"),
        ("decision.positive=['other']", "decision.positive must name"),
        ("decision.positive=[]", "decision.positive must name"),
        ("decision.positive=['covid','covid']", "each once"),
        ("decision.positive=['covid','bacterial','viral','normal']", "some but not all"),
        ("labels.ordr=['covid']", "labels.ordr is not known, did you mean 'labels.order'"),
        ("train.lr=true", "train.lr: .* valid number"),
        ("train.epochs='3'", "train.epochs: .* valid integer"),
        ("model.mean=nan", "model.mean: .* finite"),
        ("train.batch=1", "train.batch: .* greater than or equal to 2"),
        (".a=3", "is not a setting"),
        ("name.a=1", "'name' is a value, not a section"),
        ("train.lr", "is not a setting"),
        ("train.class_weights={nromal=2}", "train.class_weights speaks of nromal; the classes"),
        ("train.oversample={other=2}", "train.oversample speaks of other"),
        ("train.stages=[{epoch=2}]", "train.stages.0.epoch is not known, did you mean '.*epochs'"),
        ("train.stages.0.epochs=2", "train.stages: .* valid tuple"),
    ],
)
def test_a_bad_setting_is_a_sentence(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_recipe("demo", [setting])


def test_an_entry_of_a_list_is_set_by_its_number() -> None:
    recipe = load_recipe("fastai-resnet50", ["train.stages.1.epochs=7"])
    assert [stage.epochs for stage in recipe.train.plan[:3]] == [1, 7, 10]
    with pytest.raises(UsageError, match="'9' is no entry of the list; it has 0 to 5"):
        load_recipe("fastai-resnet50", ["train.stages.9.epochs=7"])
    with pytest.raises(UsageError, match="say which key of the entry '1' of the list is meant"):
        load_recipe("fastai-resnet50", ["train.stages.1=7"])


def test_a_stage_has_the_settings_of_the_training_that_it_leaves_out() -> None:
    recipe = load_recipe("demo", ["train.lr=0.5", "train.stages=[{},{lr=0.25,trains='head'}]"])
    assert [stage.lr for stage in recipe.train.plan] == [0.5, 0.25]
    assert [stage.epochs for stage in recipe.train.plan] == [20, 20]
    assert parse_recipe(tomllib.loads(recipe.to_toml()), "it") == recipe


def test_a_recipe_without_a_quick_variant_says_so() -> None:
    with pytest.raises(UsageError, match="has no quick variant"):
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
    with pytest.raises(UsageError, match="must be a table of settings"):
        load_recipe(str(path))


def test_a_variant_without_weights_may_have_no_cheaper_one(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(shipped_recipes()["demo"].read_text() + '\n[scratch]\n"train.lr" = 0.1\n')
    with pytest.raises(UsageError, match=r"has no scratch\.quick variant"):
        load_recipe(str(path), quick=True, scratch=True)


def test_rates_said_twice_are_refused() -> None:
    with pytest.raises(UsageError, match="lr_first and lr_divisors both say"):
        load_recipe("demo", ["train.lr_first=1e-5", "train.lr_divisors=[2,1]"])


def test_a_recipe_without_a_network_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'mine'\ndescription = ''\nlabels = {order = ['covid', 'normal']}\n")
    with pytest.raises(UsageError, match="model is missing; decision is missing"):
        load_recipe(str(path))


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'starter'"):
        load_recipe("startr")
    with pytest.raises(UsageError, match=r"shipped are .*\.$"):
        load_recipe("zzzzzz")


def test_a_recipe_file_must_exist_and_be_toml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_recipe(str(tmp_path / "bad.toml"))
