"""The decision boundary of a run: its own rows and units, chosen pairs, planes of principal components, hard and soft."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.contour import ContourSet
from picture_runs import (
    cancer,
    coloured,
    diabetes,
    digits,
    drawn,
    flower,
    iris,
    legend_texts,
    message_of,
    plain,
    signed,
)

import glassnet as gn
from glassnet.data import dataset
from glassnet.views import palette, plot_boundary


def border_points(ax: Any) -> np.ndarray:
    sets = [child for child in ax.get_children() if isinstance(child, ContourSet)]
    return np.vstack([path.vertices for each in sets for path in each.get_paths()])


def own_to_inputs(run: Any, points: np.ndarray, columns: Any) -> np.ndarray:
    """(value − mean) / std, from the preparation's own numbers."""
    features = [run.preparation.features[column] for column in columns]
    return (points - [f.mean for f in features]) / [f.std for f in features]


def test_the_line_is_where_the_run_says_one_half_in_the_features_own_units():
    run = flower()
    ax = plot_boundary(run, resolution=300)
    vertices = border_points(ax)
    assert len(vertices) > 100
    assert run.predict(own_to_inputs(run, vertices, (0, 1))) == pytest.approx(0.5, abs=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("x1", "x2")
    assert ax.get_title() == "Decision boundary, training rows"


def test_the_rings_are_the_rows_that_the_run_predicts_wrongly():
    run = flower()
    data = dataset("flower", n=120)
    raw, true = data.arrays()
    wrong = run.predict_labels(data.table) != np.array(run.preparation.classes)[true]
    assert 0 < wrong.sum() < 60
    ax = plot_boundary(run, resolution=5)
    assert np.asarray(drawn(ax, "wrong").get_offsets()) == pytest.approx(raw[wrong])
    assert f"predicted wrongly ({wrong.sum()} of 120)" in legend_texts(ax)


def test_an_earlier_iteration():
    run = flower()
    ax = plot_boundary(run, iteration=3, resolution=200)
    points = own_to_inputs(run, border_points(ax), (0, 1))
    assert run.at(3).predict(points) == pytest.approx(0.5, abs=0.01)
    assert np.abs(run.predict(points) - 0.5).max() > 0.1
    assert ax.get_title() == "Decision boundary, training rows, iteration 3"


def test_other_rows_as_a_table_and_as_arrays():
    run, table = flower(), dataset("flower", n=60, seed=9).table
    X, Y = run.preparation.transform(table), run.preparation.transform_target(table)
    by_table, by_array = plot_boundary(run, table, resolution=5), plot_boundary(run, X, Y, resolution=5)
    for gid in ("wrong", "class 0", "class 1"):
        assert drawn(by_table, gid).get_offsets().tolist() == drawn(by_array, gid).get_offsets().tolist()
    assert by_table.get_title() == "Decision boundary"


@pytest.mark.parametrize("at", ["mean", "median"])
def test_a_pair_of_more_features_holds_the_others(at):
    run = iris()
    pair = ["petal width (cm)", "sepal length (cm)"]  # columns 3 and 0, in that order
    ax = plot_boundary(run, features=pair, at=at, resolution=300)
    vertices = border_points(ax)
    held = getattr(np, at)(run.data.X, axis=0)
    inputs = np.tile(held, (len(vertices), 1))
    inputs[:, [3, 0]] = own_to_inputs(run, vertices, (3, 0))
    ordered = np.sort(run.predict(inputs), axis=1)
    assert np.quantile(ordered[:, 2] - ordered[:, 1], 0.9) < 0.01
    assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(pair)
    assert ax.get_title() == f"Decision boundary, training rows\nthe other 2 at their {at}"


def test_rows_are_judged_with_all_their_features_not_on_the_plane():
    run = iris()
    wrong = run.predict(run.data.X).argmax(axis=1) != run.data.Y.argmax(axis=1)
    assert wrong.any()
    ax = plot_boundary(run, features=(2, 3), resolution=5)
    raw = np.column_stack([run.data.X[wrong, c] * f.std + f.mean for c, f in enumerate(run.preparation.features)])
    assert np.asarray(drawn(ax, "wrong").get_offsets()) == pytest.approx(raw[:, 2:])


def test_the_plane_of_principal_components():
    run = cancer()
    X = run.data.X
    values, vectors = np.linalg.eigh(np.cov(X.T))
    ax = plot_boundary(run, plane="pca", resolution=200)
    share = values[::-1][:2] / values.sum()
    assert ax.get_title() == f"Decision boundary, training rows\nPCA plane, {share.sum():.0%} of the variance"
    assert ax.get_xlabel() == f"principal component 1 ({share[0]:.0%})"
    first = X - X.mean(axis=0)
    shown = np.vstack([np.asarray(drawn(ax, f"class {index}").get_offsets()) for index in (0, 1)])
    both = np.vstack([first[run.data.Y[:, 0] == index] for index in (0, 1)])
    for axis in (0, 1):  # the sign of a component is free
        expected = both @ vectors[:, -1 - axis]
        assert np.abs(shown[:, axis]) == pytest.approx(np.abs(expected), abs=1e-8)
    # The line on the plane, carried back into the 30 inputs, is where the network says one half.
    signs = [np.sign((both @ vectors[:, -1 - axis]) @ shown[:, axis]) for axis in (0, 1)]
    back = border_points(ax) @ (vectors[:, [-1, -2]] * signs).T + X.mean(axis=0)
    assert run.predict(back) == pytest.approx(0.5, abs=0.01)


def test_categories_are_held_at_the_most_frequent():
    run = coloured()
    ax = plot_boundary(run, features=["a", "b"], resolution=200)
    assert ax.get_title().splitlines()[1] == "categories at their most frequent"
    vertices = border_points(ax)
    blue = run.preparation.input_names.index("colour=blue")
    inputs = np.zeros((len(vertices), 5))
    inputs[:, :2] = own_to_inputs(run, vertices, (0, 1))
    inputs[:, blue] = 1
    assert run.predict(inputs) == pytest.approx(0.5, abs=0.01)


def test_a_hard_boundary_has_one_tint_a_class():
    run = flower()
    ax = plot_boundary(run, hard=True, resolution=40)
    image = np.asarray(ax.images[0].get_array())
    tints = {tuple(np.round(colour, 6)) for colour in image.reshape(-1, 3)}
    expected = {tuple(np.round(1 - 0.35 * (1 - np.array(to_rgb(palette.class_colour(c)))), 6)) for c in (0, 1)}
    assert tints == expected
    low, high = ax.get_xlim(), ax.get_ylim()
    places = np.stack(np.meshgrid(np.linspace(*low, 40), np.linspace(*high, 40)), axis=-1).reshape(-1, 2)
    second = run.predict(own_to_inputs(run, places, (0, 1)))[:, 0] >= 0.5
    of_second = np.all(np.isclose(image.reshape(-1, 3), 1 - 0.35 * (1 - np.array(to_rgb(palette.VERMILLION)))), axis=1)
    assert of_second.tolist() == second.tolist()
    assert len(ax.figure.axes) == 1  # no scale of probabilities


def test_scores_have_a_border_at_zero_and_no_probabilities():
    run = signed()
    ax = plot_boundary(run, resolution=50)
    assert run.predict(border_points(ax)) == pytest.approx(0.0, abs=1e-9)
    wrong = (run.predict(run.data.X) > 0) != (run.data.Y > 0)
    assert drawn(ax, "wrong").get_offsets().tolist() == run.data.X[wrong[:, 0]].tolist()
    assert legend_texts(ax)[-1] == "border"
    assert len(ax.figure.axes) == 1


def test_a_perceptrons_border_is_the_line_where_its_sum_is_zero():
    draw = np.random.default_rng(2)
    X = draw.normal(size=(60, 2))
    y = (X @ [2.0, -1.0] + 0.3 > 0).astype(int)
    run = gn.Perceptron(max_iter=5, tol=None).fit(X, y).run_
    ax = plot_boundary(run, resolution=20)
    sums = border_points(ax) @ run.parameters["W1"] + run.parameters["b1"]
    assert sums == pytest.approx(0.0, abs=1e-9)
    wrong = run.predict(X)[:, 0] != y
    assert np.asarray(drawn(ax, "wrong").get_offsets()) == pytest.approx(X[wrong])
    shade = np.asarray(ax.images[0].get_array())
    blue = np.isclose(shade[0, 0, 0], 1 - 0.35 * (1 - to_rgb(palette.BLUE)[0]))  # 2·(−) − (−) + 0.3 at the lower left
    left, bottom = ax.get_xlim()[0], ax.get_ylim()[0]
    assert blue == (run.predict([[left, bottom]])[0, 0] == 0)


def test_data_that_are_not_at_hand(tmp_path):
    X = np.random.default_rng(1).normal(size=(6, 2))
    run = gn.train(gn.Network(2, gn.Dense(1, "sigmoid")), X, (X[:, :1] > 0) * 1.0, epochs=1, progress=False)
    run.save(tmp_path / "run", data=False)
    assert message_of(plot_boundary, gn.Run.load(tmp_path / "run")) == (
        "This run was saved without its data, which are needed to draw a decision boundary; call run.attach(X, Y) with the "
        "data it was trained on."
    )


def test_a_function_of_many_features_can_be_cut_as_well():
    run = plain()
    ax = plot_boundary(run.predict, run.data.X, run.data.Y, features=(0, 2), names=["u", "v", "w"], resolution=100)
    vertices = border_points(ax)
    inputs = np.column_stack([vertices[:, 0], np.full(len(vertices), run.data.X[:, 1].mean()), vertices[:, 1]])
    assert run.predict(inputs) == pytest.approx(0.5, abs=0.01)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "w")
    assert ax.get_title() == "Decision boundary\nthe other at its mean"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_boundary(digits()),
            "A decision boundary is drawn over two numeric features, and this network has 59 inputs; choose a pair with "
            "features=[A,B] (command line: --features A,B), the others held at their mean, or plane='pca' (command line: "
            "--plane pca).",
        ),
        (
            lambda: plot_boundary(diabetes()),
            "A decision boundary needs classes, and this run predicts a quantity; plot its cost, metric, weights or layers "
            "instead.",
        ),
        (
            lambda: plot_boundary(iris(), features=["petal lenght (cm)", "petal width (cm)"]),
            "There is no numeric feature 'petal lenght (cm)'; did you mean 'petal length (cm)'? Known: sepal length (cm), "
            "sepal width (cm), petal length (cm), petal width (cm).",
        ),
        (
            lambda: plot_boundary(iris(), features=(1, 1)),
            "A decision boundary got the features 1, 1; it needs two different ones.",
        ),
        (
            lambda: plot_boundary(iris(), features=(1, 4)),
            "There is no numeric feature '4'. Known: sepal length (cm), sepal width (cm), petal length (cm), petal width (cm).",
        ),
        (
            lambda: plot_boundary(coloured(), features=["a", "colour=red"]),
            "'colour=red' is one category of a column; a plane needs two numeric features, such as a, b.",
        ),
        (lambda: plot_boundary(iris(), plane="pcs"), "There is no plane 'pcs'; did you mean 'pca'? Known: pca."),
        (
            lambda: plot_boundary(iris(), plane="pca", features=(0, 1)),
            "A decision boundary got a pair of features and a plane; it can be drawn over one of them.",
        ),
        (
            lambda: plot_boundary(iris(), features=(0, 1), at="zero"),
            "There is no place to hold the other features at 'zero'. Known: mean, median.",
        ),
        (
            lambda: plot_boundary(iris(), y=np.zeros(3), features=(0, 1)),
            "A decision boundary got y without X; pass the rows that y belongs to as well, or neither.",
        ),
        (
            lambda: plot_boundary(flower(), np.zeros((3, 2))),
            "A decision boundary got X without y; pass the true class of each row as y.",
        ),
        (
            lambda: plot_boundary(flower(), np.zeros((3, 2)), [0, 1]),
            "A decision boundary got 3 rows of X and 2 of y; it needs one class for each row.",
        ),
        (
            lambda: plot_boundary(flower().predict),
            "plot_boundary got a function without X and y; pass both, or a run, which has its own.",
        ),
        (
            lambda: plot_boundary(flower().predict, np.zeros((2, 2)), [0, 1], iteration=3),
            "plot_boundary got an iteration and a function; only a run has iterations: pass the run.",
        ),
        (lambda: plot_boundary(flower(), iteration=999), "run.at got 999; this training has iterations 0 to 150."),
        (
            lambda: plot_boundary(flower(), names=["a", "b", "c"]),
            "plot_boundary got 3 names for 2 features; it needs one for each.",
        ),
    ],
)
def test_boundaries_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence


def test_a_fine_grid_through_many_inputs_is_asked_in_pieces():
    """A grid of 200 × 200 through 12,288 inputs would be 4 GB."""
    seen = []

    def watched(points: np.ndarray) -> np.ndarray:
        seen.append(points.shape)
        return 1 / (1 + np.exp(-points[:, 0]))

    X = np.random.default_rng(1).normal(size=(4, 5000))
    plot_boundary(watched, X, [0, 1, 0, 1], features=(0, 1), resolution=70)
    assert sum(rows for rows, _ in seen) == 4 + 70 * 70
    assert max(rows * columns for rows, columns in seen) <= 8_000_000


def test_several_labels_a_row_have_no_boundary():
    X = np.random.default_rng(1).normal(size=(20, 2))
    Y = (X > 0).astype(float)
    run = gn.train(gn.Network(2, gn.Dense(2, "sigmoid")), X, Y, loss="binary_cross_entropy", epochs=1, progress=False)
    assert message_of(plot_boundary, run) == (
        "A decision boundary needs one class a row, and the targets of this run have several or none; draw each output with "
        "numbers of its own instead of the run."
    )


def test_one_input_and_rows_that_are_all_alike():
    X = np.arange(6.0)[:, None]
    run = gn.train(gn.Network(1, gn.Dense(1, "sigmoid")), X, (X > 2.5) * 1.0, epochs=1, progress=False)
    assert message_of(plot_boundary, run) == (
        "A decision boundary needs two numeric features, and this network has 1 input; plot its weights instead."
    )
    assert message_of(plot_boundary, run, plane="pca") == (
        "A decision boundary needs two numeric features, and this network has 1 input; plot its weights instead."
    )
    assert message_of(plot_boundary, lambda P: P[:, 0], np.ones((3, 3)), [0, 1, 0], plane="pca") == (
        "A plane of principal components needs rows that differ; these are all alike."
    )
