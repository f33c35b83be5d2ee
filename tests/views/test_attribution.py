"""Saliency against finite differences, occlusion against pictures covered by hand; both on what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from picture_runs import colour_images, drawn, images, message_of, plain

from glassnet.views import occlusion_drop, plot_occlusion, plot_saliency, score_gradients
from glassnet.views.attribution import input_gradient_lines
from glassnet.views.rows import line_values


def slopes_by_differences(run, picture, name, output, h=1e-6):
    """∂(name[output])/∂pixel by central differences."""
    pixels = picture.size
    up, down = (np.repeat(picture[None], pixels, axis=0) for _ in range(2))
    up.reshape(pixels, -1)[np.arange(pixels), np.arange(pixels)] += h
    down.reshape(pixels, -1)[np.arange(pixels), np.arange(pixels)] -= h
    rise = line_values(run, run.state, up, name)[:, output] - line_values(run, run.state, down, name)[:, output]
    return (rise / (2 * h)).reshape(picture.shape)


def off_kinks(picture):
    """The same picture a little moved, so that no pool has two equal entries and no relu stands at 0."""
    return picture + 1e-3 * np.random.Generator(np.random.Philox(9)).uniform(size=picture.shape)


def test_the_lines_are_those_of_the_chain_rule():
    assert [str(line) for line in input_gradient_lines(images().derivation)] == [
        "dF1 = dZ2 W2ᵀ", "dP1 = unflatten(dF1)", "dA1 = unpool2×2(dP1, A1)", "dZ1 = dA1 ⊙ (Z1 > 0)",
        "dX = dZ1 ⋆full flip(W1)",
    ]  # fmt: skip


@pytest.mark.parametrize("row", [0, 17])
def test_saliency_is_the_slope_of_the_predicted_score(row):
    run = images()
    picture = off_kinks(run.data.X[row])
    said = int(run.predict(picture[None]).argmax())
    expected = slopes_by_differences(run, picture, "Z2", said)
    assert score_gradients(run, picture[None])[0] == pytest.approx(expected, abs=1e-7)
    other = slopes_by_differences(run, picture, "Z2", 4)
    assert score_gradients(run, picture[None], 4)[0] == pytest.approx(other, abs=1e-7)
    assert score_gradients(run, picture[None], "4")[0] == pytest.approx(other, abs=1e-7)


def test_a_single_output_speaks_for_class_1_and_against_class_0():
    run = colour_images()
    X = off_kinks(run.data.X[:6])
    said = (run.predict(X)[:, 0] >= 0.5).astype(int)
    found = score_gradients(run, X)
    for row in range(6):
        slope = slopes_by_differences(run, X[row], "Z4", 0)
        assert found[row] == pytest.approx(slope if said[row] else -slope, abs=1e-7)
    assert score_gradients(run, X, 0) == pytest.approx(-score_gradients(run, X, 1), abs=0)


def test_smoothed_saliency_is_a_mean_over_noisy_copies():
    run = images()
    X = run.data.X[:3]
    found = score_gradients(run, X, 2, smooth=4, noise=0.2, seed=5)
    spread = 0.2 * np.ptp(X, axis=(1, 2, 3), keepdims=True)
    total = np.zeros_like(X)
    for copy in range(4):
        draw = np.random.Generator(np.random.Philox(key=np.array([5, copy], dtype=np.uint64)))
        total += score_gradients(run, X + spread * draw.standard_normal(X.shape), 2)
    assert found == pytest.approx(total / 4, abs=1e-12)
    assert np.array_equal(found, score_gradients(run, X, 2, smooth=4, noise=0.2, seed=5))


def covered_by_hand(run, picture, output, size, stride, fill):
    """The mean drop of each pixel, patch by patch."""
    height, width = picture.shape[1:]
    tops = sorted({*range(0, height - size[0] + 1, stride[0]), height - size[0]})
    lefts = sorted({*range(0, width - size[1] + 1, stride[1]), width - size[1]})
    lost = [[[] for _ in range(width)] for _ in range(height)]
    for top in tops:
        for left in lefts:
            copy = picture.copy()
            copy[:, top : top + size[0], left : left + size[1]] = fill
            drop = output(run.predict(picture[None])) - output(run.predict(copy[None]))
            for u in range(top, top + size[0]):
                for v in range(left, left + size[1]):
                    lost[u][v].append(float(drop))
    return np.array([[np.mean(each) for each in row] for row in lost])


def test_occlusion_is_the_drop_of_the_probability():
    run = images()
    picture = run.data.X[11]
    said = int(run.predict(picture[None]).argmax())
    found = occlusion_drop(run, picture[None])
    # a quarter of 8 is 2, and half of that is 1
    expected = covered_by_hand(run, picture, lambda A: A[0, said], (2, 2), (1, 1), picture.mean())
    assert found[0] == pytest.approx(expected, abs=1e-12)


def test_occlusion_of_colours_with_a_patch_of_ones_own():
    run = colour_images()
    picture = run.data.X[3]
    options = {"patch": (5, 3), "stride": (3, 2)}
    mean = picture.mean(axis=(1, 2), keepdims=True)
    for of, output in ((1, lambda A: A[0, 0]), (0, lambda A: 1 - A[0, 0])):
        expected = covered_by_hand(run, picture, output, (5, 3), (3, 2), mean)
        assert occlusion_drop(run, picture[None], of, **options)[0] == pytest.approx(expected, abs=1e-12)
    grey = covered_by_hand(run, picture, lambda A: A[0, 0], (5, 3), (3, 2), 0.25)
    assert occlusion_drop(run, picture[None], 1, grey=0.25, **options)[0] == pytest.approx(grey, abs=1e-12)


def test_what_is_drawn_is_what_was_computed():
    run = images()
    X = run.data.X
    slopes, probability = score_gradients(run, X[[5, 9]]), run.predict(X[[5, 9]])
    size, signed = plot_saliency(run, [5, 9]), plot_saliency(run, [5, 9], signed=True)
    covered = plot_occlusion(run, [5, 9])
    for place, row in enumerate((5, 9)):
        assert np.array_equal(drawn(size, f"map {place}").get_array(), np.abs(slopes[place, 0]))
        assert np.array_equal(drawn(signed, f"map {place}").get_array(), slopes[place, 0])
        assert np.array_equal(drawn(covered, f"map {place}").get_array(), occlusion_drop(run, X[[5, 9]])[place])
        for ax in (size, signed, covered):
            assert np.asarray(drawn(ax, f"picture {place}").get_array()) == pytest.approx(X[row, 0], abs=1e-12)
            assert drawn(ax, f"called {place}").get_text() == f"training row {row}"
            said = probability[place].argmax()
            assert drawn(ax, f"said {place}").get_text() == f"said {said} ({probability[place, said]:.0%})"
    for_two = plot_saliency(run, 5, of=2)
    assert drawn(for_two, "said 0").get_text() == f"for 2 ({probability[0, 2]:.0%})"


def test_the_largest_channel_is_drawn_of_colours():
    run = colour_images()
    ax = plot_saliency(run, 2, of=1)
    assert np.array_equal(
        drawn(ax, "map 0").get_array(), np.abs(score_gradients(run, run.data.X[[2]], 1)[0]).max(axis=0)
    )
    assert np.asarray(drawn(ax, "picture 0").get_array()) == pytest.approx(np.moveaxis(run.data.X[2], 0, 2), abs=1e-12)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_saliency(plain()),
            "A saliency map needs a network of images, and this one takes rows of 3 features; train one whose input shape is "
            "(channels, height, width), or plot its weights.",
        ),
        (
            lambda: plot_saliency(images(), of="cat"),
            "There is no class of a saliency map 'cat'. Known: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9.",
        ),
        (
            lambda: plot_saliency(images(), smooth=-1),
            "A saliency map got smooth=-1 and noise=0.1; it needs a whole number of noisy copies, 0 or more, and a noise above "
            "0.",
        ),
        (
            lambda: plot_occlusion(images(), patch=9),
            "An occlusion map got patch=9; it needs a whole number of pixels, or (down, across), from 1 to the picture's "
            "8 × 8.",
        ),
        (
            lambda: occlusion_drop(images(), images().data.X[:1], patch=2, stride=3),
            "An occlusion map got stride=3; it needs a whole number of pixels, or (down, across), from 1 to the patch's 2 × 2.",
        ),
        (lambda: plot_saliency(images(), []), "No row was named; the rows that are shown are numbered 0 to 299."),
    ],
)
def test_what_cannot_be_asked(call, sentence):
    assert message_of(call) == sentence
