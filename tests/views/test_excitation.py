"""What excites a filter: receptive fields against changed pixels, the strongest patches against a search by hand."""

from __future__ import annotations

import numpy as np
import pytest
from picture_runs import colour_images, drawn, images, message_of, tile

import glassnet as gn
from glassnet.views import plot_excitation, strongest_patches
from glassnet.views.excitation import BEYOND, cut
from glassnet.views.receptive_field import Field, receptive_field
from glassnet.views.rows import line_values
from glassnet.views.sheets import Sheet


@pytest.mark.parametrize(
    ("layers", "name", "size", "jump", "start"),
    [
        ([gn.Conv2D(2, 3)], "Z1", (3, 3), (1, 1), (0, 0)),
        # a pool of 2 sees one pixel more, and moves by 2
        ([gn.Conv2D(2, 3), gn.MaxPool2D(2)], "P1", (4, 4), (2, 2), (0, 0)),
        # then 3 places of it are 2 · 2 pixels further
        ([gn.Conv2D(2, 3), gn.MaxPool2D(2), gn.Conv2D(3, 3)], "A2", (8, 8), (2, 2), (0, 0)),
        # a kernel of 3 with gaps of 2 reaches 5
        ([gn.Conv2D(2, 3, dilation=2)], "Z1", (5, 5), (1, 1), (0, 0)),
        # same: 1 zero around; a stride of 2 then doubles every later step
        ([gn.Conv2D(2, 3, padding="same"), gn.Conv2D(2, 3, stride=2, padding="same")], "Z2", (5, 5), (2, 2), (-1, -1)),
    ],
)
def test_fields_by_hand(layers, name, size, jump, start):
    net = gn.Network((1, 18, 18), *layers, gn.GlobalAveragePool2D(), gn.Dense(1))
    found = receptive_field(gn.derive(net), name)
    if name == "Z2":  # where an even size needs one zero in all, it stands behind
        assert (found.size, found.jump) == (size, jump)
    else:
        assert found == Field(size, jump, start)


@pytest.mark.parametrize("name", ["Z1", "N1", "B1", "A1", "P1", "Z2", "A2", "D2"])
def test_fields_against_changed_pixels(name):
    """The pixels whose change moves a place of the map lie in its box, and span it where it is inside the picture."""
    run = colour_images()
    state, field = run.state, receptive_field(run.derivation, name)
    draw = np.random.Generator(np.random.Philox(4))
    picture = draw.uniform(size=(3, 13, 10))
    moved = np.repeat(picture[None], 130, axis=0)
    for pixel in range(130):
        moved[pixel, :, pixel // 10, pixel % 10] += draw.normal(size=3)
    before, after = line_values(run, state, picture[None], name), line_values(run, state, moved, name)
    changed = (after != before).any(axis=1)  # (pixel, u, v)
    _, u_count, v_count = changed.shape
    whole = 0
    for u in range(u_count):
        for v in range(v_count):
            pixels = np.flatnonzero(changed[:, u, v])
            if not len(pixels):  # every unit of this place is off
                continue
            rows, columns = pixels // 10, pixels % 10
            top, bottom, left, right = field.box(u, v)
            assert rows.min() >= top
            assert rows.max() < bottom
            assert columns.min() >= left
            assert columns.max() < right
            if top >= 0 and left >= 0 and bottom <= 13 and right <= 10:
                whole += 1
                assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (top, bottom, left, right)
    assert whole > 5


def test_the_strongest_places_are_found_by_looking_everywhere():
    run = images()
    X, W, b = run.data.X, run.parameters["W1"], run.parameters["b1"]
    windows = np.lib.stride_tricks.sliding_window_view(X[:, 0], (3, 3), axis=(1, 2))  # (m, 6, 6, 3, 3)
    found = strongest_patches(run, filters=[4, 1], top=5)
    assert list(found) == [4, 1]
    for number, patches in found.items():
        answers = np.maximum((windows * W[number, 0]).sum(axis=(3, 4)) + b[number], 0).reshape(300, 36)
        order = np.argsort(-answers.max(axis=1), kind="stable")[:5]
        assert [patch.row for patch in patches] == order.tolist()
        assert [patch.value for patch in patches] == pytest.approx(answers.max(axis=1)[order], abs=1e-12)
        for patch in patches:
            u, v = patch.place
            assert answers[patch.row, 6 * u + v] == pytest.approx(patch.value, abs=1e-12)
            assert patch.box == (u, u + 3, v, v + 3)


def test_the_patches_that_are_drawn_are_cut_from_the_pictures():
    run = images()
    ax = plot_excitation(run, filters=[4, 1], top=3)
    (image,) = ax.images
    values = np.asarray(image.get_array())
    sheet = Sheet.of(6, 3, 3, grid=(2, 3))
    place = 0
    for number, patches in strongest_patches(run, filters=[4, 1], top=3).items():
        for patch in patches:
            top, bottom, left, right = patch.box
            expected = run.data.X[patch.row, 0, top:bottom, left:right]
            assert tile(sheet, values, place)[:, :, 1] == pytest.approx(expected, abs=1e-12)
            assert drawn(ax, f"patch {place}").get_text() == f"{patch.value:.2f}, row {patch.row}"
            place += 1
        assert f"filter {number}" in [tick.get_text() for tick in ax.get_yticklabels()]
    assert ax.get_title() == "What excites filters of A1 most, training rows"


def test_what_lies_beyond_a_picture_is_grey():
    picture = np.arange(12.0).reshape(3, 4, 1)
    assert cut(picture, (-1, 2, 2, 5))[:, :, 0].tolist() == [
        [BEYOND, BEYOND, BEYOND], [2.0, 3.0, BEYOND], [6.0, 7.0, BEYOND],
    ]  # fmt: skip


def test_a_patch_of_a_padded_layer_lies_where_its_field_does():
    run = colour_images()
    (patches,) = strongest_patches(run, filters=2, layer=2, top=4).values()
    maps = line_values(run, run.state, run.data.X, "A2")[:, 2]
    for patch in patches:
        assert patch.value == maps[patch.row].max() == maps[patch.row][patch.place]
        assert patch.box == receptive_field(run.derivation, "A2").box(*patch.place)
    assert ax_title(run) == "What excites filter 2 of A2 most"


def ax_title(run):
    return plot_excitation(run, run.data.X, filters=2, layer=2, top=4).get_title()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: strongest_patches(images(), top=0),
            "A picture of what excites a filter got top=0; it needs a whole number of patches, 1 or more.",
        ),
        (
            lambda: plot_excitation(images(), filters=9),
            "A picture of what excites a filter got filter 9; there are 8, numbered 0 to 7.",
        ),
        (
            lambda: receptive_field(images().derivation, "F1"),
            "A receptive field is that of a stack of maps, and F1 is none; choose one of X, Z1, A1, P1.",
        ),
    ],
)
def test_what_cannot_be_asked(call, sentence):
    assert message_of(call) == sentence
