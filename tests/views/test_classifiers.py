"""Confusion, ROC, precision–recall and calibration of runs and of numbers, against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from picture_runs import cancer, diabetes, digits, drawn, flower, iris, legend_texts, message_of, plain, signed

from glassnet.data import dataset
from glassnet.views import plot_calibration, plot_confusion, plot_precision_recall, plot_roc
from glassnet.views.classifiers import calibration

RNG = np.random.default_rng(8)


def test_precision_and_recall_by_hand():
    # scores falling: 0.9 (1), 0.8 (0), 0.7 (1), 0.1 (0). From 0.9: 1/1 right, half found; from 0.7: 2/3 right, all found.
    ax = plot_precision_recall([0, 1, 0, 1], [0.1, 0.7, 0.8, 0.9], label="net")
    points = [tuple(point) for point in drawn(ax, "precision recall").get_xydata()]
    assert points == [(1.0, 0.5), (1.0, pytest.approx(2 / 3)), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0)]
    # AP = Σ (recall gained) · precision = 1/2 · 1 + 1/2 · 2/3 = 5/6
    assert legend_texts(ax) == ["net: AP 0.833", "guessing: 0.500"]


def test_precision_and_recall_of_a_run_are_scikit_learns():
    from sklearn.metrics import average_precision_score, precision_recall_curve

    run = cancer()
    true, score = run.data.Y[:, 0], run.predict(run.data.X)[:, 0]
    precision, recall, _ = precision_recall_curve(true, score)
    ax = plot_precision_recall(run)
    assert np.array_equal(drawn(ax, "precision recall").get_xydata(), np.column_stack([recall, precision]))
    assert legend_texts(ax) == [
        f"malignant: AP {average_precision_score(true, score):.3f}",
        f"guessing: {true.mean():.3f}",
    ]
    assert list(drawn(ax, "guessing").get_ydata()) == [true.mean()] * 2
    assert ax.get_title() == "Precision and recall, training rows"


def test_three_classes_are_each_against_the_rest():
    from sklearn.metrics import average_precision_score

    run = iris()
    scores = run.predict(run.data.X)
    expected = [
        f"{name}: AP {average_precision_score(run.data.Y[:, index], scores[:, index]):.3f}"
        for index, name in enumerate(run.preparation.classes)
    ]
    assert legend_texts(plot_precision_recall(run)) == expected
    assert len(set(expected)) == 3


def test_calibration_is_scikit_learns_with_counts():
    from sklearn.calibration import calibration_curve

    true = RNG.integers(0, 2, 500)
    p = np.clip(RNG.beta(1, 2, 500) + 0.2 * true, 0, 1)
    observed, predicted = calibration_curve(true, p, n_bins=8)
    found = calibration(true, p, bins=8)
    assert found.observed == pytest.approx(observed, rel=1e-12)
    assert found.predicted == pytest.approx(predicted, rel=1e-12)
    edges = np.linspace(0, 1, 9)
    assert found.counts.tolist() == np.histogram(p, bins=edges)[0][np.histogram(p, bins=edges)[0] > 0].tolist()
    ax = plot_calibration(true, p, bins=8)
    assert drawn(ax, "calibration").get_xydata() == pytest.approx(np.column_stack([predicted, observed]), rel=1e-12)
    assert [int(text.get_text()) for text in ax.texts] == found.counts.tolist()


def test_calibration_by_hand():
    # bins of a half: 0.2 and 0.4 (one of two came true, mean 0.3), 0.9 (came true) → error (2·0.2 + 1·0.1)/3
    found = calibration([0, 1, 1], [0.2, 0.4, 0.9], bins=2)
    assert found.predicted == pytest.approx([0.3, 0.9])
    assert found.observed.tolist() == [0.5, 1.0]
    assert found.counts.tolist() == [2, 1]
    assert found.error == pytest.approx(0.5 / 3)
    assert legend_texts(plot_calibration([0, 1, 1], [0.2, 0.4, 0.9], bins=2))[0] == "network: off by 0.167 on average"


def test_the_interval_of_a_bin_is_wilsons():
    from scipy.stats import binomtest

    ax = plot_calibration([0, 1, 1, 0], [0.6, 0.6, 0.6, 0.6], bins=1)
    ((_, low), (_, high)) = ax.collections[0].get_segments()[0]
    expected = binomtest(2, 4).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-6)


def test_calibration_of_many_classes_is_of_the_class_that_is_predicted():
    from sklearn.calibration import calibration_curve

    run = digits()
    scores = run.predict(run.data.X)
    right = scores.argmax(axis=1) == run.data.Y.argmax(axis=1)
    observed, predicted = calibration_curve(right, scores.max(axis=1), n_bins=10)
    ax = plot_calibration(run)
    assert drawn(ax, "calibration").get_xydata() == pytest.approx(np.column_stack([predicted, observed]), rel=1e-9)
    assert ax.get_xlabel() == "probability of the predicted class"


def test_confusion_and_roc_of_a_run():
    from sklearn.metrics import confusion_matrix, roc_auc_score

    run, data = iris(), dataset("iris")
    said = run.predict_labels(data.table)
    matrix = confusion_matrix(data.table.column("species").to_pylist(), said, labels=run.preparation.classes)
    ax = plot_confusion(run, X=data.table)
    cells = [[int(drawn(ax, f"cell {i} {j}").get_text().split("\n")[0]) for j in range(3)] for i in range(3)]
    assert cells == matrix.tolist()
    assert ax.get_title() == "Confusion matrix"
    assert plot_confusion(run, iteration=2).get_title() == "Confusion matrix, training rows, iteration 2"

    run = flower()
    area = roc_auc_score(run.data.Y[:, 0], run.predict(run.data.X)[:, 0])
    ax = plot_roc(run)
    assert legend_texts(ax) == [f"1: AUC {area:.3f}", "chance: AUC 0.500"]
    assert ax.get_title() == "ROC curve, training rows"
    # A hinge gives scores, and a ROC curve needs no more than these.
    assert drawn(plot_roc(signed()), "roc") is not None


def test_a_run_on_arrays_calls_its_classes_by_number():
    assert legend_texts(plot_roc(plain()))[0].startswith("1: AUC")
    matrix = plot_confusion(plain())
    assert [text.get_text() for text in matrix.get_xticklabels()] == ["0", "1"]


@pytest.mark.parametrize(
    ("draw", "picture"),
    [
        (plot_roc, "A ROC curve"),
        (plot_precision_recall, "A precision–recall curve"),
        (plot_calibration, "A calibration"),
        (plot_confusion, "A confusion matrix"),
    ],
)
def test_a_regression_has_no_classes(draw, picture):
    assert message_of(draw, diabetes()) == (
        f"{picture} needs classes, and this run predicts a quantity; plot its cost, metric, weights or layers instead."
    )


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            lambda: plot_calibration(signed()),
            "A calibration needs probabilities, and this network's outputs are scores; train with a sigmoid or softmax output, "
            "or look at the confusion matrix.",
        ),
        (
            lambda: plot_calibration([0, 1], [-1.0, 2.0]),
            "A calibration got scores from -1 to 2; it needs probabilities from 0 to 1, as a sigmoid or softmax output gives "
            "them.",
        ),
        (
            lambda: plot_calibration([0, 1], [0.5, 0.5], bins=0),
            "A calibration got bins=0; it needs a whole number of bins, 1 or more, say 10.",
        ),
        (
            lambda: plot_precision_recall([1, 1], [0.1, 0.2]),
            "A precision–recall curve got 2 rows of only 1 class; it needs rows of two or more classes. Evaluate on data that "
            "holds the other class as well.",
        ),
        (
            lambda: plot_precision_recall([1, 0]),
            "A precision–recall curve got true classes and no scores; pass both, or a run.",
        ),
        (
            lambda: plot_roc(flower(), [0.5]),
            "A ROC curve got a run and scores; pass the run alone, with X and y for other rows.",
        ),
        (
            lambda: plot_confusion([[1, 0], [0, 1]]),
            "plot_confusion got a matrix without class names; pass classes, or a run, which has its own.",
        ),
    ],
)
def test_curves_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence
