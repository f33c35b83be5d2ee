"""`Augmentation`: pictures by hand, against SciPy's interpolation, and drawn by address."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from scipy.ndimage import affine_transform
from scipy.stats import norm

import glassnet as gn
from glassnet.equations.storing import from_plain, to_plain
from glassnet.training.augmentation import Augmentation, Changes, normal, quantiles

RICH = Augmentation(shift=(1, 2), flip="both", rotate=20, scale=0.1, noise=0.05, fill=0.5)
PICTURE = np.arange(1.0, 13.0).reshape(1, 1, 3, 4)
"""1 2 3 4 / 5 6 7 8 / 9 10 11 12"""


def pictures(count=40, channels=2, height=7, width=5, seed=0):
    return np.random.default_rng(seed).normal(size=(count, channels, height, width))


def change(count=1, **given):
    """What happens to `count` pictures: nothing but what is given."""
    still = {
        "down": 0, "across": 0, "flip_rows": False, "flip_columns": False, "cosine": 1.0, "sine": 0.0, "noise": 0,
    }  # fmt: skip
    found = {name: np.full(count, value) for name, value in {**still, **given}.items()}
    return Changes(**{**found, "noise": found["noise"].astype(np.uint64)})


# By hand.


@pytest.mark.parametrize(
    ("settings", "given", "expected"),
    [
        # One down and one to the left: the first row and the last column come in from outside.
        ({"shift": 1}, {"down": 1, "across": -1}, [[0, 0, 0, 0], [2, 3, 4, 0], [6, 7, 8, 0]]),
        ({"shift": 2, "fill": 9}, {"down": -2}, [[9, 10, 11, 12], [9, 9, 9, 9], [9, 9, 9, 9]]),
        ({"shift": 2, "fill": "edge"}, {"across": 2}, [[1, 1, 1, 2], [5, 5, 5, 6], [9, 9, 9, 10]]),
        ({"flip": "horizontal"}, {"flip_columns": True}, [[4, 3, 2, 1], [8, 7, 6, 5], [12, 11, 10, 9]]),
        ({"flip": "vertical"}, {"flip_rows": True}, [[9, 10, 11, 12], [5, 6, 7, 8], [1, 2, 3, 4]]),
        ({"flip": "both", "shift": 1}, {"flip_rows": True, "flip_columns": True, "across": 1},
         [[0, 12, 11, 10], [0, 8, 7, 6], [0, 4, 3, 2]]),
        # A half turn is both flips: the cosine of 180 degrees is −1, its sine 0.
        ({"rotate": 180}, {"cosine": -1.0}, [[12, 11, 10, 9], [8, 7, 6, 5], [4, 3, 2, 1]]),
        # Twice as large, about the centre (row 1, column 1.5): row u shows row 1 + (u − 1)/2 = 0.5, 1, 1.5, column v shows
        # column 1.5 + (v − 1.5)/2 = 0.75, 1.25, 1.75, 2.25; a pixel is 1 + 4 · row + column.
        ({"scale": 0.5}, {"cosine": 0.5}, [[3.75, 4.25, 4.75, 5.25], [5.75, 6.25, 6.75, 7.25], [7.75, 8.25, 8.75, 9.25]]),
    ],
)  # fmt: skip
def test_pictures_changed_by_hand(settings, given, expected):
    augmentation = Augmentation(**settings)
    np.testing.assert_array_equal(augmentation.changed(PICTURE, change(**given))[0, 0], expected)


def test_a_quarter_turn_goes_to_the_left():
    square = np.arange(1.0, 10.0).reshape(1, 1, 3, 3)  # 1 2 3 / 4 5 6 / 7 8 9
    turned = Augmentation(rotate=90).changed(square, change(cosine=0.0, sine=1.0))
    np.testing.assert_array_equal(turned[0, 0], [[3, 6, 9], [2, 5, 8], [1, 4, 7]])
    np.testing.assert_array_equal(turned[0, 0], np.rot90(square[0, 0]))


def test_outside_is_mixed_in_at_the_border():
    # Half as large: column 0 of the result comes from column 1.5 + (0 − 1.5)/0.5 = −1.5, beyond the border; column 1 from
    # 0.5; rows from 1 + (u − 1)/0.5 = −1, 1, 3: the first and the last are outside.
    small = Augmentation(scale=0.5, fill=100).changed(PICTURE, change(cosine=2.0))
    np.testing.assert_array_equal(small[0, 0], [[100] * 4, [100, 5.5, 7.5, 100], [100] * 4])
    # A shift by half a pixel, as a turn about the centre never makes it: between 5 and what is outside, 100.
    half = Augmentation(scale=0.5, fill=100).changed(PICTURE[:, :, :, :1], change(cosine=1.5))
    np.testing.assert_allclose(half[0, 0, :, 0], [1 / 2 + 100 / 2, 5, 9 / 2 + 100 / 2])


# Against SciPy.


@pytest.mark.parametrize("fill", [0.0, 0.7, "edge"])
def test_turned_enlarged_and_shifted_pictures_are_scipys(fill):
    X = pictures()
    augmentation = Augmentation(shift=(2, 1), rotate=70, scale=0.4, fill=fill)
    changes = augmentation.changes(3, 5, len(X))
    made = augmentation.changed(X, changes)
    mode = {"mode": "nearest"} if fill == "edge" else {"mode": "grid-constant", "cval": fill}
    centre = np.array([3.0, 2.0])
    for i in range(len(X)):
        cosine, sine = changes.cosine[i], changes.sine[i]
        matrix = np.array([[cosine, sine], [-sine, cosine]])
        offset = centre - matrix @ np.add(centre, [changes.down[i], changes.across[i]])
        for channel in range(2):
            expected = affine_transform(X[i, channel], matrix, offset, order=1, **mode)
            np.testing.assert_allclose(made[i, channel], expected, atol=1e-12)


def test_the_quantiles_are_those_of_the_normal_distribution():
    levels = quantiles(np.dtype("float64"))
    assert (levels.shape, levels.mean(), levels.max()) == ((65536,), 0.0, -levels.min())
    np.testing.assert_allclose(levels.std(), 1, rtol=1e-10)
    np.testing.assert_allclose(levels, norm.ppf((np.arange(65536) + 0.5) / 65536), rtol=1e-4)


def test_splitmix_is_the_published_one():
    # The first numbers of SplitMix64 from the seed 1234567, as its authors' program prints them; each is four steps.
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    levels = quantiles(np.dtype("float64"))
    steps = [(number >> shift) & 0xFFFF for number in published for shift in (0, 16, 32, 48)]
    found = normal(np.array([1234567], dtype=np.uint64), 14, "float64")
    np.testing.assert_array_equal(found[0], levels[steps[:14]])


# Drawn by address.


def test_any_part_of_an_epoch_is_as_the_whole():
    X = pictures()
    whole = RICH.apply(X, seed=4, epoch=9)
    np.testing.assert_array_equal(RICH.apply(X[:7], seed=4, epoch=9), whole[:7])
    rows = np.array([31, 2, 17, 2])
    part = RICH.changed(X[rows], RICH.changes(4, 9, len(X)).take(rows))
    np.testing.assert_array_equal(part, whole[rows])


@pytest.mark.parametrize("other", [{"seed": 5}, {"epoch": 10}])
def test_another_seed_or_epoch_is_another_picture(other):
    X = pictures()
    a, b = RICH.apply(X, seed=4, epoch=9), RICH.apply(X, **{"seed": 4, "epoch": 9, **other})
    assert (a != b).any(axis=(1, 2, 3)).all()


def test_every_change_is_as_often_as_said():
    count = 20_000
    changes = Augmentation(shift=(2, 1), flip="both", rotate=30, scale=0.2).changes(0, 0, count)
    for values, most in ((changes.down, 2), (changes.across, 1)):
        found, often = np.unique(values, return_counts=True)
        np.testing.assert_array_equal(found, np.arange(-most, most + 1))
        np.testing.assert_allclose(often / count, 1 / (2 * most + 1), atol=0.015)
    for flips in (changes.flip_rows, changes.flip_columns):
        assert abs(flips.mean() - 0.5) < 0.015
    larger = 1 / np.hypot(changes.cosine, changes.sine)
    assert 0.8 <= larger.min() < 0.801 < 1.199 < larger.max() <= 1.2
    degrees = np.rad2deg(np.arctan2(changes.sine, changes.cosine))
    assert -30 <= degrees.min() < -29.9 < 29.9 < degrees.max() <= 30
    assert abs(degrees.mean()) < 0.5
    drawn = np.array([changes.down, changes.across, changes.flip_rows, changes.flip_columns, larger, degrees])
    assert np.abs(np.corrcoef(drawn) - np.eye(6)).max() < 0.03


def test_noise_is_normal_and_of_the_size_asked_for():
    noise = Augmentation(noise=0.3).apply(np.zeros((50, 3, 20, 20))) / 0.3
    assert abs(noise.mean()) < 0.02
    np.testing.assert_allclose([noise.var(), (noise**4).mean()], [1, 3], rtol=0.05)
    flat = noise.reshape(50, -1)
    assert np.abs(np.corrcoef(flat) - np.eye(50)).max() < 0.15  # pictures have nothing to do with one another
    assert abs((flat[:, 1:] * flat[:, :-1]).mean()) < 0.02


def test_what_is_not_asked_for_changes_nothing():
    X = pictures()
    np.testing.assert_array_equal(Augmentation().apply(X), X)
    flipped, both = Augmentation(flip="horizontal"), Augmentation(flip="horizontal", noise=0.1)
    np.testing.assert_allclose(both.apply(X) - Augmentation(noise=0.1).apply(X * 0), flipped.apply(X), atol=1e-12)


def test_pictures_come_in_several_forms_and_are_left_alone():
    X = pictures(channels=1)
    before = X.copy()
    made = RICH.apply(X)
    np.testing.assert_array_equal(RICH.apply(X[:, 0]), made[:, 0])
    np.testing.assert_array_equal(X, before)
    single = RICH.apply(X.astype(np.float32))
    assert (made.dtype, single.dtype) == (np.float64, np.float32)
    np.testing.assert_allclose(single, made, atol=1e-5)
    whole = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    np.testing.assert_array_equal(Augmentation(shift=1).apply(whole), Augmentation(shift=1).apply(whole * 1.0))
    assert Augmentation(shift=1).apply(np.zeros((0, 1, 3, 3))).shape == (0, 1, 3, 3)


# A description.


@pytest.mark.parametrize("augmentation", [RICH, Augmentation(), Augmentation(shift=3, fill="edge")])
def test_stored_as_json_and_read_back(augmentation):
    plain = json.loads(json.dumps(to_plain(augmentation)))
    assert from_plain(plain, {"Augmentation": Augmentation}) == augmentation
    assert copy.deepcopy(augmentation) == augmentation
    assert eval(repr(augmentation), {"Augmentation": Augmentation}) == augmentation


def test_said_in_words():
    assert str(RICH) == "shift 1×2, flip both, rotate 20°, scale 0.1, noise 0.05, fill 0.5"
    assert str(Augmentation(shift=2, flip="horizontal")) == "shift 2, flip horizontal"
    assert str(Augmentation()) == "nothing changed"


def test_numpys_numbers_are_made_plain():
    given = Augmentation(shift=np.array([1, 2]), rotate=np.float32(10), noise=np.float64(0.5))
    assert given == Augmentation(shift=(1, 2), rotate=10.0, noise=0.5)
    assert json.dumps(to_plain(given))


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"shift": -1, "rotate": 400, "scale": 1, "noise": -0.1, "fill": "black"},
            "Augmentation got shift=-1 (a whole number of pixels, 0 or more, or a pair of them), rotate=400 (degrees from 0 "
            "to 180), scale=1 (a number from 0 up to, but not including, 1), noise=-0.1 (a finite number, 0 or more), "
            "fill='black' (a finite number, or 'edge'); each needs what stands in parentheses.",
        ),
        (
            {"shift": (1, 2, 3)},
            "Augmentation got shift=(1, 2, 3) (a whole number of pixels, 0 or more, or a pair of them); each needs what "
            "stands in parentheses.",
        ),
        (
            {"shift": 0.5, "noise": float("nan"), "rotate": True, "fill": float("inf")},
            "Augmentation got shift=0.5 (a whole number of pixels, 0 or more, or a pair of them), rotate=True (degrees from "
            "0 to 180), noise=nan (a finite number, 0 or more), fill=inf (a finite number, or 'edge'); each needs what "
            "stands in parentheses.",
        ),
        (
            {"flip": "horizontl"},
            "There is no flip 'horizontl'; did you mean 'horizontal'? Known: horizontal, vertical, both.",
        ),
        ({"flip": True}, "There is no flip 'True'. Known: horizontal, vertical, both."),
    ],
)
def test_settings_that_cannot_be(settings, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        Augmentation(**settings)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"),
    [
        (
            {},
            (np.zeros((4, 9)),),
            "Augmentation.apply got X of shape (4, 9) and type float64; it needs numbers of shape (m, channels, height, "
            "width), or (m, height, width) for one channel.",
        ),
        (
            {},
            (np.full((1, 2, 2), "a"),),
            "Augmentation.apply got X of shape (1, 2, 2) and type <U1; it needs numbers of shape (m, channels, height, "
            "width), or (m, height, width) for one channel.",
        ),
        (
            {"shift": (1, 5)},
            (np.zeros((4, 6, 5)),),
            "Augmentation got shift=(1, 5), and the pictures have 6×5 pixels; it needs shifts smaller than that.",
        ),
        ({}, (np.zeros((4, 6, 5)), -1), "seed got -1; it needs a whole number from 0 to 2**64 - 1."),
        ({}, (np.zeros((4, 6, 5)), 0, 1.5), "Augmentation.apply got epoch=1.5; it needs a whole number, 0 or more."),
    ],
)
def test_pictures_that_cannot_be(settings, arguments, sentence):
    with pytest.raises(gn.GlassnetError) as caught:
        Augmentation(**settings).apply(*arguments)
    assert str(caught.value) == sentence
