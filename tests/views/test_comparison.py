"""Several runs together: curves, the table of final numbers, boundaries."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure
from picture_runs import diabetes, drawn, flower, iris, legend_texts, message_of, plain, signed

import glassnet as gn
from glassnet.views import plot_comparison, plot_cost, plot_metric, save
from glassnet.views.comparison import final_numbers


def test_a_run_is_as_good_as_its_history():
    for draw in (plot_cost, plot_metric):
        of_run, of_history = draw(iris()), draw(iris().history)
        for gid in ("training", "held out", "best"):
            assert np.array_equal(drawn(of_run, gid).get_xydata(), drawn(of_history, gid).get_xydata())


@pytest.mark.parametrize("given", ["names", "list"])
def test_curves_of_several_runs(given):
    runs = {"four inputs": iris(), "two inputs": flower()} if given == "names" else [iris(), flower()]
    first, second = ("four inputs", "two inputs") if given == "names" else (str(iris().network), str(flower().network))
    ax = plot_cost(runs)
    assert legend_texts(ax) == [first, f"{first}, held out", second]
    assert np.array_equal(drawn(ax, first).get_ydata(), iris().history["cost"])
    assert np.array_equal(drawn(ax, f"{first}, held out").get_ydata(), iris().history["validation_cost"])
    assert np.array_equal(drawn(ax, second).get_xdata(), flower().history["epoch"])
    assert drawn(ax, first).get_color() == drawn(ax, f"{first}, held out").get_color() != drawn(ax, second).get_color()
    assert np.array_equal(drawn(plot_metric(runs), second).get_ydata(), flower().history["accuracy"])


def test_equal_networks_are_told_apart():
    name = str(flower().network)
    assert legend_texts(plot_cost([flower(), flower()])) == [f"{name} (1)", f"{name} (2)"]


def test_one_that_diverges_is_named():
    diverged = {"epoch": [1, 2], "cost": [1.0, np.inf]}
    ax = plot_cost({"calm": flower(), "wild": diverged})
    assert legend_texts(ax)[-1] == "wild: not finite from epoch 2"


def test_runs_side_by_side(tmp_path):
    axes = plot_comparison({"net": flower(), "other": flower(), "hinge": signed(), "three": plain()})
    assert [ax.get_title() for ax in axes] == [
        "Cost",
        "Accuracy",
        "",
        "net",
        "other",
        "hinge",
    ]  # three inputs: no plane
    rings = drawn(axes[3], "wrong").get_offsets()
    assert len(rings) == round(120 * (1 - flower().history["accuracy"][-1]))
    table = axes[2].tables[0]
    head, rows = final_numbers({"net": flower(), "other": flower(), "hinge": signed(), "three": plain()})
    shown = {at: cell.get_text().get_text() for at, cell in table.get_celld().items()}
    assert (
        [shown[0, column] for column in range(len(head))]
        == head
        == ["", "parameters", "epochs", "cost", "accuracy", "seconds"]
    )
    assert [shown[4, column] for column in range(len(head))] == rows[3]
    assert save(axes, tmp_path / "a.png", 30).is_file()


def test_the_numbers_of_the_table():
    _, ((name, parameters, epochs, cost, held, accuracy, held_accuracy, _seconds),) = final_numbers({"iris": iris()})
    last = iris().history[-1]
    # 4·8 + 8 + 8·5 + 5 + 5·3 + 3 = 103
    assert (name, parameters, epochs) == ("iris", "103", "12")
    assert (cost, held) == (f"{last['cost']:.4g}", f"{last['validation_cost']:.4g}")
    assert (accuracy, held_accuracy) == (f"{last['accuracy']:.4g}", f"{last['validation_accuracy']:.4g}")


def test_a_run_that_was_put_back_is_judged_at_its_best():
    draw = np.random.default_rng(3)
    X = draw.normal(size=(20, 3))
    Y = (X[:, :1] + draw.normal(size=(20, 1)) > 0) * 1.0
    run = gn.train(
        gn.Network(3, gn.Dense(10, "tanh"), gn.Dense(1, "sigmoid")), X, Y, optimizer=gn.Adam(0.1), epochs=60,
        validation=0.3, callbacks=[gn.EarlyStopping(patience=5)], progress=False,
    )  # fmt: skip
    best = run.restored // run.batches
    assert best < len(run.history)
    _, (row,) = final_numbers({"a": run})
    assert row[2] == f"{len(run.history)}, best {best}"
    assert row[4] == f"{run.history['validation_cost'].min():.4g}"


def test_the_best_of_each_measure_is_bold():
    axes = plot_comparison({"a": iris(), "b": flower()}, boundaries=False)
    cells = axes[2].tables[0].get_celld()
    costs = [run.history["cost"][-1] for run in (iris(), flower())]
    weights = [cells[row, 3].get_text().get_fontweight() for row in (1, 2)]
    assert weights == ["bold" if cost == min(costs) else "normal" for cost in costs]
    assert len(axes) == 3


def test_on_axes_that_are_given():
    given = Figure().subplots(1, 5)
    axes = plot_comparison([flower(), flower()], given)
    assert list(axes) == list(given)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: plot_comparison([flower()]), "A comparison got 1 run; it needs two to 6."),
        (lambda: plot_comparison([]), "No run was given to compare; pass two or more, as {name: run} or a list."),
        (lambda: plot_comparison([flower()] * 7), "A comparison got 7 runs; it needs two to 6."),
        (
            lambda: plot_comparison({"a": flower(), "b": flower().history}),
            "A comparison got 'b', which is no run; pass runs, as {name: run} or a list.",
        ),
        (
            lambda: plot_comparison([flower(), flower()], Figure().subplots(1, 2)),
            "plot_comparison got 2 axes and needs 5; pass them, or a figure.",
        ),
        (
            lambda: plot_metric([iris(), diabetes()]),
            "These runs have no metric in common; draw runs of one task together, or use plot_cost for their cost.",
        ),
    ],
)
def test_comparisons_that_cannot_be_drawn(call, sentence):
    assert message_of(call) == sentence


def test_a_run_without_an_epoch():
    run = gn.train(gn.Network(1, gn.Dense(1)), np.ones((2, 1)), np.ones((2, 1)), epochs=0, progress=False)
    assert message_of(plot_cost, run) == (
        "This run has finished no epoch, so there is no curve to draw; train for an epoch or more."
    )
    assert message_of(plot_cost, {"a": run, "b": flower()}) == (
        "The run 'a' has finished no epoch, so there is no curve to draw; train for an epoch or more."
    )
