"""`gn.train`: what it computes, what it records, and that one seed is one result."""

from __future__ import annotations

import signal

import numpy as np
import pytest

import glassnet as gn


def moons(rows=60, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(rows, 2))
    return X, (X[:, :1] * X[:, 1:] > 0).astype(float)


NET = gn.Network(2, gn.Dense(5, "tanh"), gn.Dense(1, "sigmoid"))
RICH = gn.Network(2, gn.Dense(6, "relu"), gn.BatchNorm(), gn.Dropout(0.2), gn.Dense(1, "sigmoid"))


def same(a, b):
    return set(a) == set(b) and all(np.array_equal(a[name], b[name]) for name in a)


def quiet(*args, **kwargs):
    return gn.train(*args, progress=False, **kwargs)


def test_linear_regression_step_by_hand():
    # X = (1, 2), Y = (3, 5), W = 1, b = 0.   A = (1, 2); A − Y = (−2, −3); J = (4 + 9) / (2 · 2) = 3.25
    # dW = (1·−2 + 2·−3) / 2 = −4; db = (−2 − 3) / 2 = −2.5;  rate 0.1: W = 1.4, b = 0.25
    net = gn.Network(1, gn.Dense(1))
    start = {"W1": [[1.0]], "b1": [0.0]}
    run = quiet(net, [[1.0], [2.0]], [3.0, 5.0], optimizer=gn.SGD(0.1), epochs=1, initial_parameters=start)
    assert run.initial["cost"] == pytest.approx(3.25, rel=1e-15)
    assert run.parameters["W1"][0, 0] == pytest.approx(1.4, rel=1e-15)
    assert run.parameters["b1"][0] == pytest.approx(0.25, rel=1e-15)
    # after: A = (1.65, 3.05), A − Y = (−1.35, −1.95): J = (1.8225 + 3.8025) / 4 = 1.40625; R² = 1 − 5.625 / 2
    assert run.history["cost"][0] == pytest.approx(1.40625, rel=1e-14)
    assert run.history["r2"][0] == pytest.approx(1 - 5.625 / 2, rel=1e-14)
    assert run.history["gradient_norm"][0] == pytest.approx(np.hypot(4, 2.5), rel=1e-14)


def test_weighted_cost_by_hand():
    # the first row counts three times: J = (3 · 4 + 1 · 9) / (2 · 4) = 2.625, dW = (3·1·−2 + 2·−3) / 4 = −3
    net = gn.Network(1, gn.Dense(1))
    run = quiet(
        net, [[1.0], [2.0]], [3.0, 5.0], sample_weight=[3, 1], optimizer=gn.SGD(0.1), epochs=1,
        initial_parameters={"W1": [[1.0]], "b1": [0.0]},
    )  # fmt: skip
    assert run.initial["cost"] == pytest.approx(2.625, rel=1e-15)
    assert run.parameters["W1"][0, 0] == pytest.approx(1.3, rel=1e-15)


def test_a_weight_of_zero_is_as_if_the_row_were_not_there():
    X, Y = moons(20)
    w = np.ones(20)
    w[[3, 7]] = 0
    kept = w > 0
    with_zero = quiet(NET, X, Y, sample_weight=w, epochs=5, batch_size=6)
    without = quiet(NET, X[kept], Y[kept], sample_weight=w[kept], epochs=5, batch_size=6)
    assert same(with_zero.parameters, without.parameters)


def test_whole_weights_are_repeated_rows():
    X, Y = moons(12)
    w = np.arange(12) % 3 + 1
    weighted = quiet(NET, X, Y, sample_weight=w, optimizer=gn.SGD(0.5), epochs=20)
    repeated = quiet(NET, X.repeat(w, axis=0), Y.repeat(w, axis=0), optimizer=gn.SGD(0.5), epochs=20)
    for name in weighted.parameters:
        np.testing.assert_allclose(weighted.parameters[name], repeated.parameters[name], rtol=1e-12)
    np.testing.assert_allclose(weighted.history["cost"], repeated.history["cost"], rtol=1e-12)


def test_penalty_is_reported_apart():
    X, Y = moons()
    plain = quiet(NET, X, Y, epochs=1, optimizer=gn.SGD(1e-9))
    both = quiet(NET, X, Y, epochs=1, optimizer=gn.SGD(1e-9), l1=0.1, l2=0.02)
    weights = [plain.parameters[n] for n in ("W1", "W2")]
    by_hand = 0.1 * sum(np.abs(w).sum() for w in weights) + 0.01 * sum((w**2).sum() for w in weights)
    assert both.history["penalty"][0] == pytest.approx(by_hand, rel=1e-8)
    assert both.history["cost"][0] == pytest.approx(plain.history["cost"][0], rel=1e-8)


@pytest.mark.filterwarnings("ignore:BatchNorm gets one sample at a time")
@pytest.mark.parametrize("net", [NET, RICH])
@pytest.mark.parametrize("size", [None, 16, 1])
def test_the_same_call_twice_is_bit_identical(net, size):
    X, Y = moons(33)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first = quiet(net, X, Y, epochs=3, batch_size=size, seed=4, validation=0.2)
    second = quiet(net, X, Y, epochs=3, batch_size=size, seed=4, validation=0.2)
    assert same(first.parameters, second.parameters)
    assert first.history.same_training(second.history)
    assert not same(first.parameters, quiet(net, X, Y, epochs=3, batch_size=size, seed=5, validation=0.2).parameters)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


SCHEDULES = [
    gn.SGD(0.1, momentum=0.9),
    gn.Adam(gn.CosineDecay(0.01, epochs=9)),
    gn.RMSprop(gn.OneCycle(0.01, epochs=9)),
    gn.SGD(gn.InverseScaling(0.5)),
    gn.AdamW(gn.WarmUp(0.01, iterations=7)),
    gn.Adagrad(gn.StepDecay(0.1, every=2)),
    gn.SGD(gn.ExponentialDecay(0.5)),
    gn.Adam(gn.Adaptive(0.05, patience=1)),
]


@pytest.mark.parametrize("optimizer", SCHEDULES, ids=lambda o: repr(o)[:40])
def test_first_epochs_do_not_depend_on_how_many_and_resuming_is_exact(optimizer, tmp_path):
    X, Y = moons(33)
    options = {"optimizer": optimizer, "batch_size": 8, "validation": 0.2, "seed": 3}
    whole = quiet(RICH, X, Y, epochs=9, **options)
    part = quiet(RICH, X, Y, epochs=4, out=tmp_path / "run", **options)
    assert part.history.same_training(whole.history[:4])
    assert same(part.parameters, whole.at(part.iteration).parameters)
    for start in (part, tmp_path / "run"):
        resumed = quiet(resume=start, epochs=9)
        assert same(resumed.parameters, whole.parameters)
        assert resumed.history.same_training(whole.history)
        assert same(resumed.at(11).parameters, whole.at(11).parameters)


@pytest.mark.parametrize("record", ["auto", "all", "last", 7])
@pytest.mark.parametrize("size", [None, 8])
def test_every_iteration_is_recreated_bit_for_bit(record, size):
    X, Y = moons(33)
    options = {"optimizer": gn.Adam(gn.Adaptive(0.05, patience=1)), "batch_size": size, "epochs": 12}
    every = quiet(RICH, X, Y, record="all", **options)
    some = quiet(RICH, X, Y, record=record, **options)
    for iteration in range(every.iteration + 1):
        assert same(some.at(iteration).parameters, every.snapshots[iteration].state | {}) or same(
            some.at(iteration).parameters,
            {n: every.snapshots[iteration].state[n] for n in every.parameter_names},
        )


def test_lbfgs_replays_and_resumes_exactly(tmp_path):
    X, Y = moons()
    whole = quiet(NET, X, Y, optimizer=gn.LBFGS(), epochs=30, l2=1e-3)
    part = quiet(NET, X, Y, optimizer=gn.LBFGS(), epochs=11, l2=1e-3, out=tmp_path / "run", record="last")
    assert same(part.parameters, whole.at(11).parameters)
    assert same(part.at(6).parameters, whole.at(6).parameters)
    resumed = quiet(resume=tmp_path / "run", epochs=30)
    assert same(resumed.parameters, whole.parameters)
    assert resumed.history.same_training(whole.history)


def test_lbfgs_finds_the_least_squares_solution():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 3))
    Y = X @ [1.0, -2.0, 0.5] + 3 + 0.1 * rng.normal(size=50)
    run = quiet(gn.Network(3, gn.Dense(1)), X, Y, optimizer=gn.LBFGS(), epochs=200)
    exact = np.linalg.lstsq(np.c_[np.ones(50), X], Y, rcond=None)[0]
    np.testing.assert_allclose([run.parameters["b1"][0], *run.parameters["W1"][:, 0]], exact, rtol=1e-7)
    assert run.status == "converged"


def test_the_last_partial_batch_is_kept():
    X, Y = moons(10)
    run = quiet(NET, X, Y, epochs=2, batch_size=4)
    assert (run.batches, run.iteration) == (3, 6)
    sizes = [len(run.intermediates(i)["Y"]) for i in range(3)]
    assert sizes == [4, 4, 2]
    rows = np.concatenate([run.intermediates(i)["X"] for i in range(3)])
    assert np.array_equal(np.sort(rows, axis=0), np.sort(X, axis=0))  # every sample once an epoch
    second = np.concatenate([run.intermediates(i)["X"] for i in range(3, 6)])
    assert not np.array_equal(rows, second)  # another order in the next


def test_shuffle_off_takes_the_rows_as_they_come():
    X, Y = moons(10)
    run = quiet(NET, X, Y, epochs=1, batch_size=4, shuffle=False)
    assert np.array_equal(run.intermediates(1)["X"], X[4:8])


def test_intermediates_are_the_step_that_was_made():
    X, Y = moons(20)
    run = quiet(NET, X, Y, epochs=3, optimizer=gn.SGD(0.3), batch_size=7)
    values = run.intermediates(4)
    before, after = run.at(4).parameters, run.at(5).parameters
    assert np.array_equal(values["W1"], before["W1"])
    assert np.array_equal(values["W1.after"], after["W1"])
    np.testing.assert_array_equal(before["W1"] - 0.3 * values["dW1"], after["W1"])
    some = run.intermediates(4, samples=[2])
    assert np.array_equal(some["dZ1"], values["dZ1"][[2]])
    assert np.array_equal(some["dW1"], values["dW1"])


def test_validation_fraction_is_stratified_and_seeded():
    X = np.arange(100.0)[:, None]
    Y = (np.arange(100) < 20).astype(float)
    run = quiet(gn.Network(1, gn.Dense(1, "sigmoid")), X / 100, Y, epochs=1, validation=0.25)
    assert (len(run.data), len(run.validation)) == (75, 25)
    assert run.validation.Y.sum() == 5
    rows = np.concatenate([run.data.X, run.validation.X])[:, 0]
    assert np.array_equal(np.sort(rows), X[:, 0] / 100)


def test_held_out_numbers_have_the_training_definition():
    X, Y = moons(40)
    run = quiet(RICH, X, Y, epochs=3, batch_size=8, validation=(X, Y), l2=0.1)
    assert np.array_equal(run.history["cost"], run.history["validation_cost"])
    assert np.array_equal(run.history["accuracy"], run.history["validation_accuracy"])
    A = run.predict(X)
    by_hand = -np.mean(Y * np.log(A) + (1 - Y) * np.log(1 - A))
    assert run.history["cost"][-1] == pytest.approx(by_hand, rel=1e-12)
    assert run.history["accuracy"][-1] == np.mean((A > 0.5) == Y)


def test_early_stopping_restores_the_best():
    X, Y = moons(40)
    rng = np.random.default_rng(1)
    held = rng.normal(size=(40, 2)), rng.integers(0, 2, 40).astype(float)  # nothing to learn there
    run = quiet(NET, X, Y, epochs=500, optimizer=gn.Adam(0.05), validation=held,
                callbacks=[gn.EarlyStopping(patience=7)])  # fmt: skip
    best = int(run.history["validation_cost"].argmin())
    assert run.status == "stopped early"
    assert len(run.history) == best + 1 + 7
    assert run.restored == best + 1
    assert same(run.parameters, run.at(best + 1).parameters)
    assert run.message == f"Stopped after epoch {best + 8}: the validation cost had not improved."
    again = quiet(resume=run, epochs=500)
    assert same(again.parameters, run.parameters)
    assert len(again.history) == len(run.history)
    assert again.message.startswith(f"Early stopping had ended this training after epoch {best + 8}. To go on, pass ")
    patient = quiet(resume=run, epochs=500, callbacks=[gn.EarlyStopping(patience=11)])
    assert len(patient.history) == best + 1 + 11


def test_callbacks_see_the_run_and_may_stop_it():
    X, Y = moons()
    seen = []

    def watch(run):
        seen.append(run.history["cost"][-1])
        return len(seen) == 3

    run = quiet(NET, X, Y, epochs=50, callbacks=[watch])
    assert run.status == "stopped early"
    assert seen == list(run.history["cost"])


def test_ctrl_c_ends_cleanly_and_resuming_is_exact(tmp_path):
    X, Y = moons(33)
    handler = signal.getsignal(signal.SIGINT)

    def press(run):
        if len(run.history) == 4:
            signal.raise_signal(signal.SIGINT)

    run = quiet(RICH, X, Y, epochs=9, batch_size=8, callbacks=[press], out=tmp_path / "run")
    assert run.status == "interrupted"
    assert len(run.history) == 4
    assert signal.getsignal(signal.SIGINT) is handler
    whole = quiet(RICH, X, Y, epochs=9, batch_size=8)
    assert same(quiet(resume=tmp_path / "run", epochs=9).parameters, whole.parameters)


def test_max_seconds_ends_cleanly_in_the_middle_of_an_epoch(monkeypatch):
    from glassnet.training import loop

    X, Y = moons(40)
    clock = iter(np.arange(0.0, 1e5, 0.25))
    monkeypatch.setattr(loop.time, "monotonic", lambda: float(next(clock)))
    run = quiet(RICH, X, Y, epochs=1000, batch_size=4, max_seconds=7, engine="reference")
    monkeypatch.undo()
    assert run.status == "out of time"
    assert run.iteration % run.batches != 0
    whole = quiet(RICH, X, Y, epochs=4, batch_size=4)
    resumed = quiet(resume=run, epochs=4)
    assert same(resumed.parameters, whole.parameters)
    assert resumed.history.same_training(whole.history)


def test_divergence_is_said_while_finite_and_names_the_equation():
    X, Y = np.arange(1.0, 21)[:, None] * 10, np.arange(20.0)
    with pytest.warns(gn.GlassnetWarning) as caught:
        run = quiet(gn.Network(1, gn.Dense(1)), X, Y, optimizer=gn.SGD(0.1), epochs=2000)
    said = [str(w.message) for w in caught]
    assert len(said) == 2
    assert said[0].startswith("The cost has grown from ")
    assert "this training diverges. Try a learning rate well below 0.1" in said[0]
    assert run.status == "diverged"
    assert run.message == said[1]
    first = run.derivation["J"]
    assert f"{first} is not finite, the first equation that is not" in said[1]
    assert f"(iteration {run.iteration}) are kept" in said[1]
    assert all(np.isfinite(v).all() for v in run.parameters.values())
    assert np.isfinite(run.history["cost"]).all()
    assert len(run.history) == run.iteration


def test_a_non_finite_start_is_said_at_once():
    X, Y = moons(10)
    start = {"W1": np.full((2, 5), 1e308), "W2": np.full((5, 1), 1e308)}
    net = gn.Network(2, gn.Dense(5, "relu"), gn.Dense(1))
    with pytest.warns(gn.GlassnetWarning, match="Training stopped in iteration 1"):
        run = quiet(net, X, Y, epochs=5, initial_parameters=start)
    assert (run.status, run.iteration, len(run.history)) == ("diverged", 0, 0)
    assert "initial parameters and the scale of X and Y" in run.message


def test_float32_stays_float32():
    X, Y = moons()
    run = quiet(RICH, X.astype(np.float32), Y, epochs=3, batch_size=8, sample_weight=np.ones(60), l2=0.1)
    assert {v.dtype.name for v in run.at(2).state.values()} == {"float32"}
    assert run.predict(X).dtype == np.float32
    double = quiet(
        RICH, X.astype(np.float32).astype(float), Y, epochs=3, batch_size=8, sample_weight=np.ones(60), l2=0.1
    )
    np.testing.assert_allclose(run.parameters["W1"], double.parameters["W1"], rtol=2e-4, atol=1e-5)


def test_class_numbers_are_taken_as_one_hot():
    X, _ = moons(30)
    labels = np.arange(30) % 3
    net = gn.Network(2, gn.Dense(3, "softmax"))
    assert same(quiet(net, X, labels, epochs=3).parameters, quiet(net, X, np.eye(3)[labels], epochs=3).parameters)


def test_sigmoids_for_exclusive_classes_are_warned_about():
    X, _ = moons(30)
    with pytest.warns(gn.GlassnetWarning, match="classes exclude one another"):
        quiet(gn.Network(2, gn.Dense(3, "sigmoid")), X, np.eye(3)[np.arange(30) % 3], epochs=1)


def test_a_default_recording_has_16_to_32_snapshots_evenly_apart():
    X, Y = moons(4)
    run = quiet(NET, X, Y, epochs=5000)
    assert 16 <= len(run.snapshots) <= 34  # the stride's, the latest, the best
    gaps = np.diff(run.snapshots.iterations)
    assert gaps.max() <= 5000 / 16


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"epochs": -1}, "train got epochs=-1 (a whole number, 0 or more); each needs what stands in parentheses."),
        ({"batch_size": 0, "l2": float("nan")}, "The penalty got l2=nan; it needs a finite number, 0 or above."),
        ({"batch_size": 2.5}, "train got batch_size=2.5 (a whole number, 1 or more, or None for full batches); "
                              "each needs what stands in parentheses."),
        ({"seed": -1}, "seed got -1; it needs a whole number from 0 to 2**64 - 1."),
        ({"engine": "refrence"}, "There is no engine 'refrence'; did you mean 'reference'? Known: auto, reference, compiled."),
        ({"loss": "binary_crossentropy"}, "There is no loss 'binary_crossentropy'; did you mean 'binary_cross_entropy'?"),
        ({"optimizer": "adm"}, "There is no optimiser 'adm'; did you mean 'adam'? Known: sgd, adagrad, rmsprop, adam, adamw, "
                               "lbfgs, least_squares, newton."),
        ({"validation": 1.5}, "validation got 1.5; it needs a fraction between 0 and 1, or a pair (X, Y)."),
        ({"validation": 0.001}, "validation=0.001 of 60 rows leaves no row to validate on; choose another fraction or pass "
                                "(X, Y)."),
        ({"record": "everything"}, "record got 'everything'; it needs 'auto', 'all', 'last' or a number of iterations."),
        ({"max_seconds": 0}, "train got max_seconds=0; it needs a number of seconds above 0."),
        ({"initial_parameters": {"w1": 1}}, "There is no parameter 'w1'; did you mean 'W1'? Known: W1, b1, W2, b2."),
        ({"initial_parameters": {"W1": [[1]]}}, "initial_parameters cannot be used: W1 has shape (1, 1), needs (2, 5)."),
        ({"callbacks": [gn.EarlyStopping()]}, "EarlyStopping watches 'validation_cost', and this training has no validation "
                                              "data; pass validation=0.2 or validation=(X, Y), or watch 'cost'."),
        ({"callbacks": ["stop"]}, "train got 'stop' as a callback; it needs functions of the run, or EarlyStopping."),
        ({"dtype": "float16"}, "train got dtype='float16'; it needs 'float32' or 'float64'."),
        ({"optimizer": gn.LBFGS(), "batch_size": 8}, "LBFGS got batch_size=8; it needs full batches (batch_size=None)."),
        ({"sample_weight": [1, 2]}, "sample_weight has 2 entries; it needs one for each of the 60 rows of X."),
        ({"sample_weight": -np.ones(60)}, "sample_weight has values from -1 to -1; it needs numbers of 0 or more, some above "
                                          "0."),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_settings_that_cannot_be(change, sentence, tmp_path):
    X, Y = moons()
    with pytest.raises(gn.GlassnetError) as problem:
        quiet(NET, X, Y, out=tmp_path / "run", **change)
    assert str(problem.value).startswith(sentence)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("X", "Y", "sentence"),
    [
        ([[1, 2], [3]], [0, 1], "X has rows of different lengths; it needs one number in every cell."),
        ([["a", "b"]], [0], "X contains 'a', which is no number; encode text first (glassnet.data.Preparation does it for "
                            "tables)."),
        ([[1.0, np.nan]], [0], "X has 1 values that are not finite, the first one NaN (missing) in row 0, column 1 (from 0); "
                               "remove such rows or fill them in."),
        ([[1.0, np.inf]], [0], "X has 1 values that are not finite, the first one infinite in row 0, column 1 (from 0); "
                               "remove such rows or fill them in."),
        (np.ones((3, 28, 28)), np.ones(3), "X has shape (3, 28, 28); the network 2 → 5 tanh → 1 sigmoid needs (m, 2), one "
                                           "column a feature. Pass one row a sample."),
        (np.ones((3, 1, 2)), np.ones(3), "X has shape (3, 1, 2); the network 2 → 5 tanh → 1 sigmoid needs (m, 2), one "
                                         "column a feature. Pass X.reshape(3, -1)."),
        (np.ones((3, 4)), np.ones(3), "X has shape (3, 4); the network 2 → 5 tanh → 1 sigmoid needs (m, 2), one column a "
                                      "feature. Pass one row a sample."),
        (np.ones((0, 2)), np.ones(0), "X has no rows; it needs at least one sample."),
        (np.ones((3, 2)), np.ones(4), "Y has shape (4, 1); for 3 rows of X and 1 output it needs (3, 1)."),
        (np.ones((2, 2)), [0, 2], "Y has values from 0 to 2; binary_cross_entropy needs targets between 0 and 1. Encode "
                                  "classes as 0 and 1."),
        (np.ones((2, 2)), [0, np.nan], "Y has 1 values that are not finite, the first one NaN (missing) in row 1, column 0 "
                                       "(from 0); remove such rows or fill them in."),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_data_that_cannot_be(X, Y, sentence):
    with pytest.raises(gn.DataError) as problem:
        quiet(NET, X, Y)
    assert str(problem.value) == sentence


@pytest.mark.parametrize(
    ("net", "loss", "Y", "sentence"),
    [
        (gn.Dense(3, "softmax"), None, [[1, 0, 0], [0.5, 0.2, 0.2]],
         "Row 1 of Y sums to 0.9; categorical_cross_entropy needs one-hot rows, or probabilities that sum to 1."),
        (gn.Dense(3, "softmax"), None, [0, 3], "Y has class numbers from 0 to 3; with 3 outputs they need to be whole numbers "
                                               "from 0 to 2, or pass one-hot rows."),
        (gn.Dense(1), "hinge", [0, 1], "Y has values from 0 to 1; hinge needs targets −1 and 1. For 0 and 1 pass 2 * Y - 1."),
        (gn.Dense(1, "exp"), None, [-1, 1], "Y has values from -1 to 1; poisson needs counts, 0 or above."),
        (gn.Dense(1, "step"), None, [-1, 1], "Y has values from -1 to 1; perceptron needs targets that are 0 or 1."),
    ],
    ids=["rows", "classes", "hinge", "poisson", "step"],
)  # fmt: skip
def test_targets_the_loss_cannot_use(net, loss, Y, sentence):
    with pytest.raises(gn.DataError) as problem:
        quiet(gn.Network(2, net), np.ones((2, 2)), Y, loss=loss)
    assert str(problem.value) == sentence


def test_resume_refuses_other_settings():
    X, Y = moons()
    run = quiet(NET, X, Y, epochs=2, batch_size=8, optimizer=gn.SGD(0.1))
    with pytest.raises(gn.GlassnetError) as problem:
        quiet(resume=run, epochs=4, batch_size=9, optimizer=gn.SGD(0.2))
    assert str(problem.value) == (
        "resume got other settings than the run was trained with: optimizer SGD(learning_rate=0.2, momentum=0.0, "
        "nesterov=False) (the run's: SGD(learning_rate=0.1, momentum=0.0, nesterov=False)); batch_size=9 (the run's: 8). "
        "Leave them out to go on, or start a new training."
    )


def test_at_refuses_iterations_that_were_not():
    X, Y = moons()
    run = quiet(NET, X, Y, epochs=2)
    with pytest.raises(gn.RunError, match=r"^run.at got 3; this training has iterations 0 to 2\.$"):
        run.at(3)
    with pytest.raises(gn.RunError, match=r"^run.at got 1.5; it needs an iteration"):
        run.at(1.5)


def test_perceptron_rule_separates_what_can_be_separated():
    # Rosenblatt's rule on logical and: W ← W + α Σ x (y − a) ends with all four rows right
    X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), [0, 0, 0, 1]
    net = gn.Network(2, gn.Dense(1, "step", init="zeros"))
    run = quiet(net, X, Y, optimizer=gn.SGD(1.0), epochs=40, batch_size=1)
    assert run.history["accuracy"][-1] == 1.0
    assert run.history["cost"][-1] == 0.0
