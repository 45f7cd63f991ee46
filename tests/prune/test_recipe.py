"""What a recipe may say, and what is refused before hours are spent."""

from pathlib import Path

import pytest

from capexport.errors import CapexportError, InputError, UnsupportedError
from capexport.prune.from_recipe import train_recipe
from capexport.prune.recipe import read_recipe
from capexport.prune.training import Plan
from capexport.scenes import write_scenes

WHOLE = """
architecture = "up_down_lstm"
image_encoder = "scene_net"
seed = 3
[config]
rnn_size = 8
input_encoding_size = 8
att_hid_size = 8
[words]
max_length = 18
[training]
epochs = 2
learning_rate = 1
"""


def written(folder: Path, text: str) -> Path:
    (folder / "recipe.toml").write_text(text)
    return folder / "recipe.toml"


def test_what_is_left_out_has_the_plans_own_value(tmp_path: Path) -> None:
    recipe = read_recipe(written(tmp_path, WHOLE))
    assert recipe.plan == Plan(epochs=2, learning_rate=1.0, seed=3)
    assert isinstance(recipe.plan.learning_rate, float)
    assert (recipe.least, recipe.max_length, recipe.beam) == (1, 18, 2)
    assert recipe.config == {"rnn_size": 8, "input_encoding_size": 8, "att_hid_size": 8}


@pytest.mark.parametrize(
    ("old", "new", "where", "message"),
    [
        ("seed = 3", "sede = 3", "sede", "sede is unknown"),
        ("epochs = 2", "epochs = 2\nlr = 1", "training.lr", "lr is unknown"),
        ("epochs = 2", "", "training.epochs", "epochs is missing"),
        ('architecture = "up_down_lstm"', "", "architecture", "architecture is missing"),
        ("epochs = 2", "epochs = 0", "training.epochs", "0, not from 1 to 10000"),
        ("epochs = 2", 'epochs = "2"', "training.epochs", "another kind"),
        ("epochs = 2", "epochs = true", "training.epochs", "another kind"),
        ("epochs = 2", "epochs = 2.5", "training.epochs", "another kind"),
        ("learning_rate = 1", "learning_rate = nan", "training.learning_rate", "is nan"),
        ("epochs = 2", "epochs = 2\ndistillation = 0.5", "distillation", "is unknown"),
        ("epochs = 2", "epochs = 2\naverage = 0.3", "training.average", "does not fit averaged"),
        ("rnn_size = 8", "vocab_size = 8", "config.vocab_size", "follows from the data"),
        ("[words]", "[words", "recipe.toml", "not TOML"),
        ("[words]", "[[words]]", "words", "another kind"),
        ("max_length = 18", "max_length = 1", "words.max_length", "not from 2"),
    ],
)
def test_errors_say_where(old: str, new: str, where: str, message: str, tmp_path: Path) -> None:
    assert old in WHOLE
    with pytest.raises(InputError, match=message) as caught:
        read_recipe(written(tmp_path, WHOLE.replace(old, new, 1)))
    assert where in caught.value.where


def test_an_average_and_the_best_epoch_exclude_each_other(tmp_path: Path) -> None:
    frozen = WHOLE.replace('image_encoder = "scene_net"', "")
    with pytest.raises(InputError, match="two answers"):
        read_recipe(written(tmp_path, f"{frozen}average = 0.1\npatience = 2\n"))


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new", "options", "message"),
    [
        ("up_down_lstm", "up_down", {}, "no architecture 'up_down' can be trained"),
        ("up_down_lstm", "blip", {}, "no architecture 'blip' can be trained"),
        ("scene_net", "tf_mobilenet_v1", {}, "no image encoder 'tf_mobilenet_v1' can be trained"),
        ("scene_net", "eye", {}, "no image encoder 'eye' can be trained"),
        ("rnn_size = 8", "", {}, "rnn_size is None"),
        ("rnn_size = 8", "rnn_size = -8", {}, "rnn_size is -8"),
        ('image_encoder = "scene_net"', "", {}, "from 0 places"),
        ("seed = 3", "seed = 3", {"encoder": "eye.pth"}, "from 2 places"),
        ("seed = 3", "seed = 3", {"split": "dev"}, "no image is in split 'dev'"),
    ],
)
def test_a_model_that_cannot_be_trained_is_refused(
    old: str, new: str, options: dict[str, str], message: str, tmp_path: Path
) -> None:
    write_scenes(tmp_path / "scenes", {"train": 1}, seed=0)
    file = written(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises((InputError, UnsupportedError), match=message) as caught:
        train_recipe(file, tmp_path / "scenes", tmp_path / "out", **options)
    assert isinstance(caught.value, CapexportError)
    assert not list(tmp_path.glob("out*"))
