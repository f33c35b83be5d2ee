"""What the pictures hold: the drawn data, not the pixels."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure

from glassnet.errors import GlassnetError
from glassnet.views import boundary, curves, palette, plots, weights

RNG = np.random.default_rng(7)
X = RNG.normal(size=(60, 2)) * [1.0, 3.0] + [2.0, -1.0]


def logistic(points: np.ndarray) -> np.ndarray:
    """P = σ(3 x1 − 2 x2 − 5): the border is the line 3 x1 − 2 x2 = 5."""
    return 1 / (1 + np.exp(-(points @ [3.0, -2.0] - 5.0)))[:, None]


def softmax(points: np.ndarray) -> np.ndarray:
    scores = points @ np.array([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]]) + [0.0, 1.5, -1.0]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def drawn(ax: Axes, gid: str) -> Any:
    found = [artist for artist in ax.get_children() if artist.get_gid() == gid]
    assert len(found) == 1, f"{len(found)} artists named {gid}"
    return found[0]


def legend_texts(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def border_points(ax: Axes) -> np.ndarray:
    sets = [child for child in ax.get_children() if isinstance(child, ContourSet)]
    return np.vstack([path.vertices for each in sets for path in each.get_paths()])


def message_of(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(GlassnetError) as error:
        call(*arguments, **options)
    return str(error.value)


# --- cost and metric ------------------------------------------------------------------------------------------------


class ColumnHistory:
    """A history as a run has it: columns by name, and their names."""

    def __init__(self, **columns: Any) -> None:
        self._data = columns
        self.columns = tuple(columns)

    def __getitem__(self, name: str) -> Any:
        return self._data[name]


HISTORY = {
    "epoch": [0, 1, 2, 3],
    "cost": [0.8, 0.6, 0.5, 0.4],
    "validation_cost": [0.9, 0.7, np.nan, 0.75],
    "accuracy": [0.5, 0.6, 0.7, 0.8],
    "validation_accuracy": [0.4, 0.5, 0.65, 0.6],
}


@pytest.mark.parametrize("history", [HISTORY, ColumnHistory(**HISTORY)], ids=["dict", "columns"])
def test_cost_draws_both_curves_and_the_best_epoch(history):
    ax = curves.plot_cost(history)
    assert drawn(ax, "training").get_xydata().tolist() == [[0, 0.8], [1, 0.6], [2, 0.5], [3, 0.4]]
    assert drawn(ax, "held out").get_xydata().tolist() == [[0, 0.9], [1, 0.7], [3, 0.75]]
    assert drawn(ax, "best").get_xydata().tolist() == [[1, 0.7]]
    assert legend_texts(ax) == ["training", "held out", "best held out: 0.7 at epoch 1"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "cost (mean over samples)")
    assert ax.get_yscale() == "linear"


def test_metric_takes_the_first_there_is_and_its_highest_epoch():
    ax = curves.plot_metric(HISTORY)
    assert ax.get_ylabel() == "accuracy (share of rows)"
    assert drawn(ax, "best").get_xydata().tolist() == [[2, 0.65]]
    assert legend_texts(ax) == ["training", "held out", "best held out: 0.65 at epoch 2"]


def test_of_an_error_the_lowest_epoch_is_best():
    history = {"epoch": [1, 2, 3], "rmse": [3.0, 2.0, 1.0], "validation_rmse": [3.0, 2.5, 4.0]}
    assert drawn(curves.plot_metric(history), "best").get_xydata().tolist() == [[2, 2.5]]


@pytest.mark.parametrize(
    ("cost", "log", "scale"),
    [
        ([1.0, 0.01], None, "linear"),  # two decades exactly
        ([1.0, 0.009], None, "log"),
        ([1.0, 0.009], False, "linear"),
        ([1.0, 0.5], True, "log"),
        ([1.0, 0.0], None, "linear"),
        ([1000.0, -1.0], None, "linear"),
    ],
)
def test_log_scale(cost, log, scale):
    assert curves.plot_cost({"epoch": [1, 2], "cost": cost}, log=log).get_yscale() == scale


def test_a_cost_that_is_not_finite_is_marked():
    ax = curves.plot_cost({"epoch": [1, 2, 3], "cost": [1.0, np.inf, np.nan]})
    assert legend_texts(ax) == ["training", "not finite from epoch 2"]
    assert drawn(ax, "training").get_xydata().tolist() == [[1, 1.0]]


def test_log_of_a_negative_cost_is_refused():
    assert message_of(curves.plot_cost, {"epoch": [1], "cost": [-0.5]}, log=True) == (
        "plot_cost got log=True and a cost of -0.5; a logarithmic axis needs costs above 0. Leave log out, or "
        "log=False."
    )


def test_histories_that_cannot_be_drawn():
    assert message_of(curves.plot_cost, {"epoch": [1], "coast": [1.0]}) == (
        "There is no column in this history 'cost'; did you mean 'coast'? Known: epoch, coast."
    )
    assert message_of(curves.plot_cost, {"epoch": [1, 2], "cost": [1.0]}) == (
        "The history's column 'cost' has shape (1,) beside 2 epochs; it needs one value for each epoch, and at least "
        "one epoch. Train for an epoch or more."
    )
    assert message_of(curves.plot_metric, {"epoch": [1], "cost": [1.0]}) == (
        "This history has the columns epoch, cost and no metric; plot_metric needs one of accuracy, r2, precision, "
        "recall, f1, rmse, mae. Use plot_cost for the cost."
    )
    assert message_of(curves.plot_metric, HISTORY, metric="acuracy") == (
        "There is no metric in this history 'acuracy'; did you mean 'accuracy'? Known: accuracy."
    )


# --- boundary -------------------------------------------------------------------------------------------------------


def test_the_border_is_where_the_probability_is_one_half():
    ax = boundary.plot_boundary(logistic, X, np.zeros(60), resolution=40)
    vertices = border_points(ax)
    assert len(vertices) > 20
    assert logistic(vertices) == pytest.approx(0.5, abs=1e-9)


def test_the_border_holds_where_the_network_is_steep():
    """A border contoured from the probabilities themselves would be off by up to half a cell here."""

    def steep(points: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-30.0 * (points[:, 0] - 2.03)))

    spread = np.array([[0.0, 0.0], [4.0, 1.0]])
    vertices = border_points(boundary.plot_boundary(steep, spread, [0, 1], resolution=30))
    assert vertices[:, 0] == pytest.approx(2.03, abs=1e-6)


def test_borders_of_three_classes_are_ties_of_the_two_likeliest():
    ax = boundary.plot_boundary(softmax, X, np.zeros(60), resolution=200)
    ordered = np.sort(softmax(border_points(ax)), axis=1)
    assert np.median(ordered[:, 2] - ordered[:, 1]) < 1e-9
    assert (ordered[:, 2] - ordered[:, 1]).max() < 0.05  # where three classes meet the line is a chord


@pytest.mark.parametrize("predict", [logistic, softmax], ids=["two classes", "three classes"])
def test_rings_are_exactly_the_wrong_rows(predict):
    probability = predict(X)
    predicted = (probability[:, 0] > 0.5).astype(int) if probability.shape[1] == 1 else probability.argmax(axis=1)
    k = max(2, probability.shape[1])
    y = predicted.copy()
    flipped = [3, 17, 40]
    y[flipped] = (y[flipped] + 1) % k
    ax = boundary.plot_boundary(predict, X, y)
    assert drawn(ax, "wrong").get_offsets().tolist() == X[flipped].tolist()
    assert "predicted wrongly (3 of 60)" in legend_texts(ax)
    for index in range(k):
        assert drawn(ax, f"class {index}").get_offsets().tolist() == X[y == index].tolist()


def test_boundary_is_labelled():
    ax = boundary.plot_boundary(
        logistic, X, np.where(X[:, 0] > 2, "yes", "no"), names=("price ($)", "mass (kg)"), classes=["no", "yes"]
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == (r"price (\$)", "mass (kg)")
    assert legend_texts(ax)[:2] == ["no", "yes"]
    assert legend_texts(ax)[-1] == "P = 1/2"
    figure = ax.get_figure()
    assert isinstance(figure, Figure)
    assert figure.axes[1].get_ylabel() == "P(yes)"


def test_shading_is_the_probability():
    image = boundary.plot_boundary(logistic, X, np.zeros(60), resolution=30).images[0]
    left, right, bottom, top = image.get_extent()
    width, height = (right - left) / 30, (top - bottom) / 30
    x, y = left + (np.arange(30) + 0.5) * width, bottom + (np.arange(30) + 0.5) * height
    centres = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)
    assert np.asarray(image.get_array()).ravel() == pytest.approx(logistic(centres)[:, 0], abs=1e-12)


def test_the_forms_of_y_and_of_probabilities_agree():
    index = (X[:, 0] > 2).astype(int)
    both = lambda points: np.hstack([1 - logistic(points), logistic(points)])  # noqa: E731
    forms = [index, index[:, None], np.eye(2)[index], index.astype(float), index.astype(bool)]
    rings = [drawn(boundary.plot_boundary(logistic, X, y, resolution=5), "wrong").get_offsets().tolist() for y in forms]
    for predict in (both, lambda points: logistic(points)[:, 0]):
        rings.append(drawn(boundary.plot_boundary(predict, X, index, resolution=5), "wrong").get_offsets().tolist())
    assert all(each == rings[0] for each in rings)


def test_prediction_comes_in_chunks():
    seen = []

    def watched(points: np.ndarray) -> np.ndarray:
        seen.append(len(points))
        return logistic(points)

    boundary.plot_boundary(watched, X, np.zeros(60), resolution=200)
    assert sum(seen) == 60 + 200 * 200
    assert max(seen) <= 8192


def test_one_class_over_the_whole_plane_has_no_border():
    ax = boundary.plot_boundary(lambda points: np.full(len(points), 0.2), X, np.zeros(60), resolution=10)
    assert "P = 1/2" not in legend_texts(ax)


def test_a_feature_that_does_not_vary():
    ax = boundary.plot_boundary(logistic, [[1.0, 2.0], [1.0, 3.0]], [0, 1], resolution=10)
    assert ax.get_xlim() == pytest.approx((0.92, 1.08))


@pytest.mark.parametrize(
    ("predict", "points", "y", "options", "message"),
    [
        (
            logistic,
            np.ones((5, 4)),
            np.zeros(5),
            {},
            "A decision boundary is drawn over two numeric features, and this network has 4 inputs; choose a pair with "
            "features=[A,B] (command line: --features A,B), the others held at their mean, or plane='pca' (command line: "
            "--plane pca).",
        ),
        (
            logistic,
            [[1.0, np.nan]],
            [0],
            {},
            "plot_boundary got X with NaN or infinity; every row needs numbers. Drop those rows.",
        ),
        (
            lambda points: points[:, 0] * 10,
            [[1.0, 2.0]],
            [0],
            {},
            "predict returned values from 10 to 10; plot_boundary needs probabilities from 0 to 1. Use a classifier "
            "with a sigmoid or softmax output.",
        ),
        (
            lambda points: np.ones(3),
            [[1.0, 2.0]],
            [0],
            {},
            "predict returned shape (3, 1) for 1 rows; plot_boundary needs probabilities, (1, 1) for two classes or "
            "(1, k). Pass the network's predict or predict_proba.",
        ),
        (
            logistic,
            [[1.0, 2.0]],
            [2],
            {},
            "The true classes arrived with shape (1,) and type int64; for 2 classes they need to be whole numbers from "
            "0 to 1, one a row. Pass the index of each row's class.",
        ),
        (
            logistic,
            [[1.0, 2.0]],
            ["rde"],
            {"classes": ["red", "blue"]},
            "There is no class 'rde'; did you mean 'red'? Known: red, blue.",
        ),
        (
            logistic,
            [[1.0, 2.0]],
            [0],
            {"classes": ["red", "blue", "green"]},
            "3 class names (red, blue, green) arrived for 2 classes; it needs one for each, in the order of the "
            "outputs. Pass classes=[...] with 2 names.",
        ),
        (
            logistic,
            [[1.0, 2.0]],
            [0, 1],
            {},
            "plot_boundary got 1 rows of X and 2 of y; it needs one class for each row of X.",
        ),
        (
            logistic,
            [[1.0, 2.0]],
            [0],
            {"resolution": 1},
            "plot_boundary got resolution=1; it needs 2 or more points an axis, say 200.",
        ),
    ],
)
def test_boundaries_that_cannot_be_drawn(predict, points, y, options, message):
    assert message_of(boundary.plot_boundary, predict, points, y, **options) == message


# --- confusion ------------------------------------------------------------------------------------------------------


MATRIX = [[50, 0, 0], [0, 47, 3], [1, 2, 47]]


@pytest.mark.parametrize("normalise", [False, True])
def test_confusion_cells_say_the_matrix(normalise):
    ax = plots.plot_confusion(MATRIX, ["a", "b", "c"], normalise=normalise)
    for row, counts in enumerate(MATRIX):
        for column, count in enumerate(counts):
            text = drawn(ax, f"cell {row} {column}")
            assert text.get_position() == (column, row)
            percent = f"{round(100 * count / 50)}%"
            assert text.get_text() == (f"{percent}\n({count})" if normalise else f"{count}\n({percent})")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted class", "true class")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "c"]


def test_confusion_ink_is_light_on_dark():
    ax = plots.plot_confusion([[90, 10], [0, 100]], ["a", "b"])
    assert drawn(ax, "cell 1 1").get_color() == "white"
    assert drawn(ax, "cell 1 0").get_color() == "black"


def test_a_class_without_rows_has_no_share():
    ax = plots.plot_confusion([[0, 0], [1, 2]], ["a", "b"])
    assert drawn(ax, "cell 0 0").get_text() == "0\n(–)"


# --- ROC ------------------------------------------------------------------------------------------------------------


def test_roc_by_hand():
    # scores falling: 0.9 (1), 0.8 (0), 0.7 (1), 0.1 (0) → of the four pairs (1, 0) three are in order: AUC 3/4
    ax = plots.plot_roc([0, 1, 0, 1], [0.1, 0.7, 0.8, 0.9], label="net")
    assert drawn(ax, "roc").get_xydata().tolist() == [[0, 0], [0, 0.5], [0.5, 0.5], [0.5, 1], [1, 1]]
    assert legend_texts(ax) == ["net: AUC 0.750", "chance: AUC 0.500"]
    assert ax.get_xlabel() == "false positive rate (share of the other rows)"
    assert ax.get_ylabel() == "true positive rate (recall)"


def test_roc_area_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    true = RNG.integers(0, 2, 200)
    score = RNG.normal(size=200) + true
    line = drawn(plots.plot_roc(true, score[:, None]), "roc")
    across, up = line.get_xydata().T
    area = np.sum(np.diff(across) * (up[1:] + up[:-1]) / 2)
    assert area == pytest.approx(roc_auc_score(true, score), rel=1e-12)


def test_roc_of_three_classes_is_one_against_the_rest():
    from sklearn.metrics import roc_auc_score

    true = RNG.integers(0, 3, 150)
    score = RNG.random((150, 3)) + 0.5 * np.eye(3)[true]
    ax = plots.plot_roc(true, score, classes=["a", "b", "c"])
    areas = [roc_auc_score(true == index, score[:, index]) for index in range(3)]
    expected = [f"{name}: AUC {area:.3f}" for name, area in zip("abc", areas, strict=True)]
    assert legend_texts(ax) == [*expected, "chance: AUC 0.500"]


def test_a_second_roc_curve_on_the_same_axes():
    ax = plots.plot_roc([0, 1], [0.1, 0.9], label="network")
    assert plots.plot_roc([0, 1], [0.9, 0.1], ax, label="logistic regression") is ax
    assert legend_texts(ax) == ["network: AUC 1.000", "logistic regression: AUC 0.000", "chance: AUC 0.500"]
    assert len({line.get_color() for line in ax.lines}) == 3


def test_a_class_without_rows_has_no_curve():
    ax = plots.plot_roc([0, 1], np.eye(3)[:2])
    assert "2: no rows to compare" in legend_texts(ax)


def test_rocs_that_cannot_be_drawn():
    assert message_of(plots.plot_roc, [1, 1], [0.1, 0.2]) == (
        "A ROC curve got 2 rows of only 1 class; it needs rows of two or more classes. Evaluate on data that holds the "
        "other class as well."
    )
    assert message_of(plots.plot_roc, [0, 1], [0.1, np.nan]) == (
        "A ROC curve got scores of shape (2, 1), 1 of them not finite; it needs a finite score a row, (m,) for two "
        "classes or (m, k) for k. Pass the predicted probabilities."
    )
    assert message_of(plots.plot_roc, [0, 1], [0.1]) == (
        "A ROC curve got 2 true classes and 1 scores; it needs one each."
    )


# --- weights --------------------------------------------------------------------------------------------------------


def test_weights_are_the_heat_map_and_zero_is_its_middle():
    W = np.array([[0.5, -2.0, 0.0], [1.0, 0.25, 0.1]])
    ax = weights.plot_weights({"W1": W, "b1": np.zeros(3)}, input_names=["age", "mass (kg)"])
    image = ax.images[0]
    assert np.asarray(image.get_array()).tolist() == W.tolist()
    assert image.get_clim() == (-2.0, 2.0)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["age", "mass (kg)"]
    assert [label.get_text() for label in ax.get_xticklabels()] == ["0", "1", "2"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("unit", "input")
    assert ax.get_title() == "Weights W1: 2 inputs → 3 units"


def test_a_later_layer_reads_from_units():
    ax = weights.plot_weights({"W1": np.ones((2, 3)), "W2": np.ones((3, 1))}, layer=2)
    assert ax.get_ylabel() == "unit of layer 1"
    assert ax.get_title() == "Weights W2: 3 inputs → 1 unit"


def test_pixels_are_shown_as_pictures():
    W = RNG.normal(size=(64, 5))
    ax = weights.plot_weights({"W1": W})
    sheet = np.ma.filled(np.ma.asarray(ax.images[0].get_array()), np.nan)
    # 5 pictures in 3 columns; a picture is 8 wide, 1 apart, 2 rows above it for its number
    for unit in range(5):
        top, left = unit // 3 * 11 + 2, unit % 3 * 9
        assert sheet[top : top + 8, left : left + 8].tolist() == W[:, unit].reshape(8, 8).tolist()
    assert np.isfinite(sheet).sum() == W.size
    assert [text.get_text() for text in ax.texts] == ["0", "1", "2", "3", "4"]


def test_at_most_64_pictures():
    ax = weights.plot_weights({"W1": np.zeros((100, 70))})
    assert len(ax.texts) == 64
    assert ax.get_title() == "Weights W1: 100 inputs → 70 units, the first 64 shown"


def test_pictures_only_when_they_make_sense():
    many = {"W1": np.ones((64, 2)), "W2": np.ones((64, 2))}
    assert not weights.plot_weights(many, layer=2).texts
    assert not weights.plot_weights(many, pictures=False).texts
    assert weights.plot_weights({"W1": np.ones((9, 2))}, pictures=True).texts


def test_weights_that_cannot_be_drawn():
    assert message_of(weights.plot_weights, {"W1": [[1.0]], "b1": [1.0]}, layer=3) == (
        "There is no parameter 'W3'. Known: W1."
    )
    assert message_of(weights.plot_weights, {"W1": np.ones((2, 1, 3, 3))}) == (
        "plot_weights got W1 of shape (2, 1, 3, 3); it draws dense layers, whose weights are (inputs, units). Choose a "
        "dense layer of this network."
    )
    assert message_of(weights.plot_weights, {"W1": np.ones((2, 3))}, input_names=["a"]) == (
        "plot_weights got 1 input names for the 2 inputs of W1; it needs one for each."
    )
    assert message_of(weights.plot_weights, {"W1": np.ones((2, 3))}, pictures=True) == (
        "plot_weights got pictures=True for W1 with 2 inputs; square pictures need a square number of them. Pass "
        "shape=(height, width), or leave pictures out for a heat map."
    )


# --- every picture, and files ---------------------------------------------------------------------------------------


PICTURES = {
    "cost": lambda ax=None: curves.plot_cost(HISTORY, ax),
    "metric": lambda ax=None: curves.plot_metric(HISTORY, ax),
    "boundary": lambda ax=None: boundary.plot_boundary(softmax, X, np.zeros(60), ax, resolution=30),
    "confusion": lambda ax=None: plots.plot_confusion(MATRIX, ["_a", "$b$", "c" * 30], ax),
    "roc": lambda ax=None: plots.plot_roc([0, 1, 1], [0.1, 0.2, 0.0], ax),
    "weights": lambda ax=None: weights.plot_weights({"W1": np.ones((2, 40))}, ax),
    "pictures": lambda ax=None: weights.plot_weights({"W1": np.ones((784, 20))}, ax),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_every_picture_is_dressed_and_can_be_written(kind, tmp_path):
    ax = PICTURES[kind]()
    assert ax.get_xlabel()
    assert ax.get_title()
    assert ax.xaxis.label.get_fontsize() >= 14
    assert ax.get_facecolor() == (1, 1, 1, 1)
    assert plots.save(ax, tmp_path / "a.png", dpi=40).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("kind", PICTURES)
def test_every_picture_can_be_drawn_on_given_axes(kind):
    ax = Figure().subplots()
    assert PICTURES[kind](ax) is ax


def test_nothing_is_left_in_pyplot():
    import sys

    PICTURES["cost"]()
    pyplot = sys.modules.get("matplotlib.pyplot")
    assert pyplot is None or not pyplot.get_fignums()


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "PNG"])
def test_the_same_picture_gives_the_same_bytes(suffix, tmp_path):
    first, second = (plots.save(PICTURES["boundary"](), tmp_path / f"{name}.{suffix}", dpi=40) for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert b"Matplotlib v" not in first.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{suffix}", f"b.{suffix}"]


def test_a_figure_can_be_saved_as_well(tmp_path):
    ax = PICTURES["cost"]()
    both = [plots.save(each, tmp_path / f"{name}.png", 40) for name, each in (("a", ax), ("b", ax.get_figure()))]
    assert both[0].read_bytes() == both[1].read_bytes()


def test_places_that_cannot_be_written(tmp_path):
    ax = PICTURES["roc"]()
    assert message_of(plots.save, ax, tmp_path / "a.bmp") == (
        f"A picture cannot be written to '{tmp_path / 'a.bmp'}': its suffix is '.bmp' and needs to be .png, .svg or "
        f".pdf. Give the file one of these."
    )
    assert message_of(plots.save, ax, tmp_path / "no" / "a.png") == (
        f"A picture cannot be written to '{tmp_path / 'no' / 'a.png'}': there is no folder '{tmp_path / 'no'}'. "
        f"Make it first, or give another place."
    )
    (tmp_path / "folder.png").mkdir()
    assert message_of(plots.save, ax, tmp_path / "folder.png") == (
        f"A picture cannot be written to '{tmp_path / 'folder.png'}': is a directory. Give a place that can be written."
    )
    assert message_of(plots.save, ax, tmp_path / "a.png", dpi=0) == (
        "A picture cannot have dpi=0; it needs a number of dots an inch above 0, such as 150."
    )
    assert [path.name for path in tmp_path.iterdir()] == ["folder.png"]


def test_a_failed_write_keeps_the_old_picture(tmp_path):
    path = plots.save(PICTURES["roc"](), tmp_path / "a.png", dpi=40)
    before = path.read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    message = message_of(plots.save, SimpleNamespace(savefig=full), path)
    assert message.endswith("no space left on device. Give a place that can be written.")
    assert path.read_bytes() == before


def test_more_classes_than_colours():
    k = 12
    ax = boundary.plot_boundary(lambda points: np.full((len(points), k), 1 / k), X, np.arange(60) % k, resolution=5)
    assert drawn(ax, "class 11").get_facecolor()[0, :3] == pytest.approx(drawn(ax, "class 1").get_facecolor()[0, :3])
    assert palette.class_marker(11) != palette.class_marker(1)
