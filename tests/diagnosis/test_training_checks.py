"""Each kind of suspicion with its fault planted, and a healthy twin of which nothing strong is said."""

import math
import warnings
from functools import cache

import numpy as np
import pytest
from sklearn.datasets import load_iris, make_moons

import glassnet as gn
from glassnet.diagnosis import training_cures as cures
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.course import Course
from glassnet.diagnosis.evidence import Evidence
from glassnet.diagnosis.findings import Finding
from glassnet.diagnosis.kinds import KINDS
from glassnet.diagnosis.training_checks import check_slow, check_training, epochs_to_halve, still_epochs

TWO = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(16, "relu"), gn.Dense(1, "sigmoid"))
STRONG = 0.3
"""What a healthy training's suspicions stay below."""


@cache
def moons(count=400, noise=0.15, seed=0):
    X, y = make_moons(count, noise=noise, random_state=seed)
    return X * 1.0, y.astype(float)


def looked(network=TWO, X=None, Y=None, validation=None, **settings):
    """The suspicions about a training, by kind."""
    if X is None:
        X, Y = moons()
    settings = {"epochs": 60, "batch_size": 32, "optimizer": gn.Adam(0.01), **settings}
    case = Case.asked(network, X, Y, validation=validation, **settings)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)
        run = case.train()
        found = check_training(case, run, Evidence.of(run))
    assert all(isinstance(f, Finding) for f in found)
    for finding in found:
        assert 0 < finding.confidence <= 1
        assert finding.sentence.endswith(".")
        assert finding.measured
        assert finding.false_alarm
        assert finding.severity == ("critical" if finding.certain else "note")
    return {f.kind: f for f in sorted(found, key=lambda f: f.confidence)}, case, run


def measured(finding, name):
    return next(m.value for m in finding.measured if name in m.name)


def test_every_cure_can_be_trained():
    for settings in (
        {"optimizer": gn.Adam(10.0)}, {"optimizer": gn.SGD(1e-7)}, {"l2": 1.0}, {"epochs": 1},
        {"network": gn.Network(2, *[gn.Dense(4, "sigmoid")] * 8, gn.Dense(1, "sigmoid"))},
    ):  # fmt: skip
        found, case, _ = looked(**{"epochs": 3, **settings})
        assert found
        for finding in found.values():
            for change in finding.cures:
                changed = case.changed(change)
                assert changed.refusal is None, (finding.kind, change.said, changed.refusal)
                assert changed.train(epochs=1).iteration > 0


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"network": gn.Network(2, gn.Dense(32, "tanh"), gn.Dense(1, "sigmoid")), "epochs": 150},
        {"optimizer": gn.SGD(0.1, momentum=0.9), "epochs": 100},
        {"l2": 1e-4},
        {"optimizer": gn.RMSprop(0.003), "batch_size": 64, "epochs": 100},
    ],
)
def test_of_healthy_trainings_nothing_strong_is_said(settings, seed):
    found, _, run = looked(**settings, seed=seed)
    assert run.history["accuracy"][-1] > 0.95
    assert max((f.confidence for f in found.values()), default=0) < STRONG, {k: f.confidence for k, f in found.items()}


def test_of_a_healthy_regression_nothing_strong_is_said():
    X = np.random.default_rng(2).normal(size=(300, 3))
    y = np.sin(X[:, 0]) + X[:, 1]
    found, _, run = looked(gn.Network(3, gn.Dense(32, "relu"), gn.Dense(1)), X, y, epochs=100)
    assert run.history["r2"][-1] > 0.95
    assert max((f.confidence for f in found.values()), default=0) < STRONG


def test_a_value_that_is_not_finite():
    X, y = moons()
    network = gn.Network(2, gn.Dense(8, "relu"), gn.Dense(8, "relu"), gn.Dense(1))
    found, _, run = looked(network, X * 100, y, loss="mean_squared_error", optimizer=gn.SGD(10.0))
    assert run.status == "diverged"
    finding = found["training.not_finite"]
    assert finding.certain
    assert measured(finding, "iteration of") == run.iteration + 1
    # The equation it names is the first of the trace that is not finite.
    steps = [run.trace(i) for i in range(run.iteration, run.iteration + 2)]
    bad = [e.name for t in steps for e in run.derivation.equations if not np.isfinite(np.asarray(t[e.name])).all()]
    assert finding.where.equation == bad[0]
    assert measured(finding, "largest input") == np.abs(X * 100).max()
    assert "opt.lr_too_large" in found
    assert "training.not_finite" not in looked()[0]


def test_a_rate_that_is_too_large():
    found, _, run = looked(optimizer=gn.Adam(10.0))
    finding = found["opt.lr_too_large"]
    assert finding.confidence > 0.8
    # The largest update of the first steps, from the trace.
    ratios = []
    for iteration in (0, 1, *[look.iteration for look in Evidence.of(run).looks[2:3]]):
        values = run.intermediates(iteration)
        ratios += [
            np.linalg.norm(values[f"W{n}.after"] - values[f"W{n}"]) / np.linalg.norm(values[f"W{n}"]) for n in (1, 2, 3)
        ]
    assert measured(finding, "largest update") == pytest.approx(max(ratios), rel=1e-6)
    rates = [c.settings["optimizer"].learning_rate for c in finding.cures]
    assert rates == [0.01, 1.0, 0.1]
    assert looked()[0].get("opt.lr_too_large") is None


def test_a_schedule_keeps_its_shape_when_its_rate_is_changed():
    found, _, _ = looked(optimizer=gn.SGD(gn.StepDecay(50.0, every=5)))
    changed = found["opt.lr_too_large"].cures[1].settings["optimizer"]
    assert changed == gn.SGD(gn.StepDecay(5.0, every=5))


def test_a_cost_that_grows():
    tanh = gn.Network(2, gn.Dense(16, "tanh"), gn.Dense(16, "tanh"), gn.Dense(1, "sigmoid"))
    found, _, run = looked(tanh, optimizer=gn.RMSprop(3.0))
    costs = run.history["cost"]
    assert measured(found["training.divergence"], "last cost") == pytest.approx(
        np.median(costs[-6:]) / run.initial["cost"]
    )
    assert "training.divergence" not in looked()[0]


def test_a_rate_that_is_too_small():
    found, _, run = looked(optimizer=gn.SGD(1e-6), epochs=60)
    finding = found["opt.lr_too_small"]
    assert finding.confidence >= 0.8
    assert finding.confidence > found["opt.too_few_epochs"].confidence
    first, last = run.at(0).parameters, run.parameters
    moved = [np.linalg.norm(last[n] - first[n]) / np.linalg.norm(first[n]) for n in ("W1", "W2", "W3")]
    assert measured(finding, "distance") == pytest.approx(max(moved))
    assert finding.cures[-1].settings["optimizer"].learning_rate == pytest.approx(1e-4)
    assert looked()[0].get("opt.lr_too_small", finding).confidence < STRONG or "opt.lr_too_small" not in looked()[0]


def test_too_few_epochs():
    found, _, _ = looked(epochs=2, optimizer=gn.Adam(0.003))
    finding = found["opt.too_few_epochs"]
    assert finding.confidence >= 0.6
    assert finding.confidence > found["opt.lr_too_small"].confidence if "opt.lr_too_small" in found else True
    assert finding.cures[0].settings["epochs"] >= 10


def test_epochs_a_falling_cost_would_need():
    e = np.arange(41)
    # J = 2·e^(−e/30) is half of J(40) at e = 40 + 30 ln 2; J = 3·e^(−½) at e = 40·4.
    assert epochs_to_halve(2 * np.exp(-e / 30)) == pytest.approx(40 + 30 * math.log(2), rel=1e-9)
    assert epochs_to_halve(np.concatenate([[3.0], 3 * e[1:] ** -0.5])) == pytest.approx(160, rel=1e-9)
    assert epochs_to_halve(np.ones(41) + 0.01 * e) == math.inf
    assert epochs_to_halve(np.array([1.0, 0.5])) == math.inf


def test_a_cost_that_still_falls():
    found, case, run = looked(optimizer=gn.SGD(0.003), epochs=60)
    assert "opt.too_few_epochs" in found
    assert "training.slow" not in found  # the cause says it
    (finding,) = check_slow(Course(case, run, Evidence.of(run)))
    needed = epochs_to_halve(np.concatenate([[run.initial["cost"]], run.history["cost"]]))
    assert measured(finding, "half of its last") == round(needed)
    assert needed > 60
    assert "training.slow" not in looked(epochs=300)[0] or looked(epochs=300)[0]["training.slow"].confidence < STRONG


def test_where_a_cost_stands_still():
    costs = np.array([1.0, 0.8, 0.5, 0.5, 0.501, 0.502, 0.5, 0.3, 0.1, 0.05, 0.02])
    assert still_epochs(costs) == (2, 6)
    assert still_epochs(np.linspace(1, 0, 11)) is None


def test_a_plateau():
    deep = gn.Network(2, *[gn.Dense(4, "sigmoid")] * 8, gn.Dense(1, "sigmoid"))
    found, _, run = looked(deep, epochs=40)
    finding = found["training.plateau"]
    first, last = finding.where.epochs
    assert measured(finding, "gradient norm there") == np.median(run.history["gradient_norm"][first - 1 : last])
    stretch = run.history["cost"][first - 1 : last]
    assert stretch.max() - stretch.min() <= 0.01 * run.initial["cost"]


def test_a_gradient_that_vanishes():
    deep = gn.Network(2, *[gn.Dense(6, "sigmoid")] * 8, gn.Dense(1, "sigmoid"))
    found, _, run = looked(deep, epochs=20, optimizer=gn.SGD(0.1))
    finding = found["training.vanishing_gradient"]
    assert finding.confidence >= 0.6
    trace = run.trace(0)

    def rms(layer):
        flat = np.concatenate([np.ravel(trace[f"d{p}{layer}"]) for p in "Wb"])
        return np.sqrt((flat**2).mean())

    assert measured(finding, "at the start") == pytest.approx(rms(1) / rms(9), rel=1e-6)
    assert (
        "training.vanishing_gradient"
        not in looked(gn.Network(2, *[gn.Dense(6, "tanh")] * 4, gn.Dense(1, "sigmoid")))[0]
    )


def test_a_gradient_that_explodes():
    # dW1 = Xᵀ(… W4ᵀ) has no small factor; dW4 = A3ᵀ dZ4 has that of the first weights, a thousandth.
    layers = [gn.Dense(16, "tanh", init=f"normal({d})") for d in (0.001, 1.0, 1.0)]
    found, _, run = looked(gn.Network(2, *layers, gn.Dense(1, "sigmoid", init="normal(1.0)")), epochs=3)
    finding = found["arch.exploding_gradient"]
    trace = run.trace(0)
    rms = [np.sqrt((np.concatenate([np.ravel(trace[f"d{p}{n}"]) for p in "Wb"]) ** 2).mean()) for n in (1, 4)]
    assert measured(finding, "of the last, at the start") == pytest.approx(rms[0] / rms[1])
    assert (run.history["gradient_norm"] < 100 * Evidence.of(run).start.gradient_norm).all()
    assert len(finding.measured) == 1  # it does not grow later, and nothing is said of that
    assert "later" not in finding.sentence
    assert (
        "arch.exploding_gradient" not in looked(gn.Network(2, *[gn.Dense(16, "relu")] * 5, gn.Dense(1, "sigmoid")))[0]
    )


def test_dead_units():
    # Biases of −100 leave no unit of layer 2 alive.
    start = {"b2": np.full(16, -100.0)}
    found, _, run = looked(initial_parameters=start)
    finding = found["arch.dying_relu"]
    assert finding.confidence >= 0.85
    assert finding.where.layer == 2
    assert finding.where.units == tuple(range(16))
    assert measured(finding, "first seen dead") == 0
    assert (np.asarray(run.trace(run.iteration - 1)["A2"]) == 0).all()
    assert found["arch.frozen"].where.layer == 1
    assert found["training.base_rate"].confidence > 0.3
    healthy = looked()[0]
    assert "arch.frozen" not in healthy
    assert "training.base_rate" not in healthy
    assert healthy["arch.dying_relu"].confidence < STRONG if "arch.dying_relu" in healthy else True


def test_units_that_die_on_the_way():
    found, _, run = looked(optimizer=gn.Adam(10.0))
    finding = found["arch.dying_relu"]
    when = measured(finding, "first seen dead")
    assert 0 < when <= run.iteration
    A = np.maximum(moons()[0] @ run.at(when).parameters["W1"] + run.at(when).parameters["b1"], 0)
    if finding.where.layer == 1:
        assert not A[:, list(finding.where.units)].any()


def test_an_output_that_is_cut_off():
    X, y = moons()
    network = gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1, "relu"))
    start = {"b2": np.array([-100.0])}
    found, _, _ = looked(network, X, y, loss="mean_squared_error", initial_parameters=start)
    assert found["out.relu_output"].confidence > 0.8
    assert "out.relu_output" not in looked(gn.Network(2, gn.Dense(16, "relu"), gn.Dense(1)), X, y)[0]


def test_saturated_units():
    X, y = moons()
    wide = gn.Network(2, gn.Dense(16, "tanh"), gn.Dense(16, "tanh"), gn.Dense(1, "sigmoid"))
    found, _, run = looked(wide, X * 1000, y, epochs=10)
    finding = found["training.saturated_units"]
    name = finding.where.equation
    A = units_of(run, name, X * 1000)
    assert measured(finding, "at the end") == pytest.approx((np.abs(A) > 0.975).mean())
    assert "training.saturated_units" not in looked(wide)[0]


def units_of(run, name, X):
    p = run.parameters
    A = np.tanh(X @ p["W1"] + p["b1"])
    return A if name == "A1" else np.tanh(A @ p["W2"] + p["b2"])


def test_updates_of_the_wrong_size():
    found, _, run = looked(optimizer=gn.SGD(1e-9), epochs=10)
    finding = found["training.update_ratio"]
    middle = Evidence.of(run).middle
    layer = finding.where.layer
    values = run.intermediates(middle.iteration)
    W, after = values[f"W{layer}"], values[f"W{layer}.after"]
    # Differences of 1e-11 of the weights: the digits that are left of them.
    assert measured(finding, f"weight of W{layer}") == pytest.approx(
        np.linalg.norm(after - W) / np.linalg.norm(W), rel=1e-3
    )
    assert "training.update_ratio" not in looked(epochs=10)[0]


def test_predictions_that_are_all_alike():
    iris = load_iris()
    network = gn.Network(4, *[gn.Dense(4, "sigmoid")] * 8, gn.Dense(3, "softmax"))
    found, _, run = looked(network, iris.data, iris.target, epochs=10)
    finding = found["training.base_rate"]
    A = run.predict(iris.data)
    assert measured(finding, "spread of the outputs over") == pytest.approx(A.std(axis=0).mean(), rel=1e-9)
    assert measured(finding, "most often") == np.bincount(A.argmax(axis=1)).max() / 150
    healthy = looked(gn.Network(4, gn.Dense(16, "relu"), gn.Dense(3, "softmax")), iris.data, iris.target)[0]
    assert "training.base_rate" not in healthy


def test_units_that_start_and_stay_alike():
    start = {"W1": np.full((2, 16), 0.3), "W2": np.full((16, 16), 0.2), "W3": np.full((16, 1), 0.2)}
    found, case, run = looked(initial_parameters=start)
    finding = found["init.symmetric"]
    assert finding.confidence > 0.8
    assert (run.parameters["W1"] == run.parameters["W1"][:, :1]).all()
    cured = case.changed(finding.cures[0]).train()
    assert cured.history["accuracy"][-1] > 0.95
    assert "init.symmetric" not in looked()[0]


def test_too_little_capacity():
    X, y = moons(noise=0.05)
    ring = ((X - X.mean(axis=0)) ** 2).sum(axis=1)
    y = (ring > np.median(ring)).astype(float)
    network = gn.Network(2, gn.Dense(1, "tanh"), gn.Dense(1, "sigmoid"))
    found, case, run = looked(network, X, y, epochs=200)
    finding = found["arch.too_little_capacity"]
    assert finding.confidence >= 0.6
    assert measured(finding, "training accuracy") == run.history["accuracy"][-1] < 0.9
    assert case.changed(finding.cures[0]).train().history["accuracy"][-1] > run.history["accuracy"][-1] + 0.05
    assert "arch.too_little_capacity" not in looked()[0]


def test_a_penalty_that_swamps():
    found, _, run = looked(l2=1.0, optimizer=gn.SGD(0.05), epochs=60)
    finding = found["reg.too_strong"]
    assert finding.confidence > 0.8
    end = Evidence.of(run).end
    assert end.penalty == pytest.approx(run.history["penalty"][-1])  # the penalty has no rows in it
    assert measured(finding, "penalty / cost at the end") == pytest.approx(end.penalty / end.cost)
    lengths = [np.linalg.norm(run.parameters[n]) / np.linalg.norm(run.at(0).parameters[n]) for n in ("W1", "W2", "W3")]
    assert measured(finding, "length of a layer") == pytest.approx(min(lengths))
    assert [dict(c.settings)["l2"] for c in finding.cures] == [0.0, 0.01]
    assert "reg.too_strong" not in looked(l2=1e-4)[0]


def test_too_much_dropout():
    def network(rate):
        return gn.Network(
            2, gn.Dense(16, "relu"), gn.Dropout(rate), gn.Dense(16, "relu"), gn.Dropout(rate), gn.Dense(1, "sigmoid")
        )

    found, _, run = looked(network(0.9))
    finding = found["reg.dropout_too_high"]
    assert finding.confidence >= 0.6
    assert measured(finding, "units left") == pytest.approx(1.6)
    last = run.history["batch_cost"][-6:]
    assert measured(finding, "with units dropped") == pytest.approx(
        np.median(last) / np.median(run.history["cost"][-6:])
    )
    assert "reg.dropout_too_high" not in looked(network(0.1))[0]


def test_overfitting_and_where_it_began():
    generator = np.random.default_rng(1)
    X = generator.normal(size=(240, 10))
    y = ((X[:, 0] > 0) ^ (generator.random(240) < 0.25)).astype(float)
    network = gn.Network(10, gn.Dense(64, "relu"), gn.Dense(64, "relu"), gn.Dense(1, "sigmoid"))
    found, case, run = looked(network, X[:80], y[:80], validation=(X[80:], y[80:]), epochs=100)
    finding = found["reg.missing"]
    held = np.concatenate([[run.initial["validation_cost"]], run.history["validation_cost"]])
    assert finding.where.epochs == (held.argmin(), 100)
    assert finding.confidence > 0.4
    assert finding.cures[0].settings == {"epochs": max(1, held.argmin())}
    assert measured(finding, "training accuracy less") == pytest.approx(
        run.history["accuracy"][-1] - run.history["validation_accuracy"][-1]
    )
    Xm, ym = moons()
    Xv, yv = moons(seed=7)
    assert "reg.missing" not in looked(X=Xm, Y=ym, validation=(Xv, yv))[0]
    assert case.held is not None


def test_a_cost_that_swings():
    X, y = moons(noise=0.3)
    found, _, run = looked(X=X, Y=y, batch_size=4, optimizer=gn.SGD(1.0, momentum=0.9), epochs=30)
    finding = found["opt.oscillation"]
    assert finding.confidence > 0.3
    scores = np.concatenate([[run.initial["accuracy"]], run.history["accuracy"]])
    share = (np.diff(np.concatenate([[run.initial["cost"]], run.history["cost"]])[15:]) > 0).mean()
    assert measured(finding, "share of later epochs") <= share
    # The best score is half of all rows, as is the median: nothing was lost, and nothing is said of it.
    assert scores.max() == np.median(scores[15:])
    assert not any("best score" in m.name for m in finding.measured)
    assert "opt.oscillation" not in looked(X=X, Y=y)[0]


def test_gradients_that_are_mostly_noise():
    generator = np.random.default_rng(1)
    X, y = generator.normal(size=(300, 2)), generator.integers(0, 2, 300).astype(float)
    found, _, run = looked(X=X, Y=y, batch_size=2, optimizer=gn.SGD(0.3), epochs=8)
    noise = Evidence.of(run).noise
    finding = found["training.gradient_noise"]
    assert measured(finding, "variance") == noise.ratio > 10
    assert found["opt.batch_size"].confidence > finding.confidence
    assert "training.gradient_noise" not in looked(batch_size=200)[0]


def test_one_batch_of_all_rows_makes_few_updates():
    found, _, _ = looked(batch_size=None, epochs=20, optimizer=gn.Adam(0.003))
    assert found["opt.batch_size"].cures[0].settings == {"batch_size": 32}
    assert "opt.batch_size" not in looked()[0]


def test_an_unfinished_training_is_called_a_pilot():
    X, y = moons()
    case = Case.asked(TWO, X, y, epochs=2, batch_size=32, optimizer=gn.Adam(0.003))
    run = case.train()
    for unfinished, called in ((False, "training"), (True, "pilot")):
        found = {f.kind: f for f in check_training(case, run, Evidence.of(run), unfinished)}
        assert found["opt.too_few_epochs"].sentence.startswith(f"The {called} ends after {run.iteration} updates")


@pytest.mark.parametrize("optimizer", [gn.LBFGS(), gn.Newton()])
def test_solvers_are_looked_at_too(optimizer):
    X, y = moons()
    case = Case.asked(gn.Network(2, gn.Dense(1, "sigmoid")), X, y, optimizer=optimizer, epochs=20)
    run = case.train()
    found = check_training(case, run, Evidence.of(run))
    assert all(f.kind in KINDS for f in found)
    assert not any(f.kind.startswith("opt.lr") for f in found)


def test_a_training_that_was_stopped_early_had_enough_epochs():
    X, y = moons()
    stopping = gn.EarlyStopping(patience=1, min_delta=0.05)
    found, _, run = looked(
        X=X[:300], Y=y[:300], validation=(X[300:], y[300:]), optimizer=gn.SGD(0.01), epochs=100, callbacks=[stopping]
    )
    assert run.status == "stopped early"
    assert not {"opt.too_few_epochs", "training.slow"} & set(found)


def test_only_numbers_out_of_the_ordinary_speak_for_a_rate_too_large():
    found, _, run = looked(optimizer=gn.SGD(300.0))
    finding = found["opt.lr_too_large"]
    ratio = max(layer.update_ratio for look in Evidence.of(run).looks[:3] for layer in look.layers)
    assert measured(finding, "largest update / weight") == pytest.approx(ratio)
    assert ratio > 0.1
    assert f"{float(f'{ratio:.3g}'):,g} times as large as the weights they change" in finding.sentence
    for name, usual in (("highest cost", 2.0), ("last cost", 1.05), ("median over layers", 0.003)):
        assert all(m.value > usual for m in finding.measured if name in m.name)


def test_a_few_dead_units_leave_a_layer_alive():
    start = {"b2": np.array([-100.0] + [0.0] * 15)}
    finding = looked(initial_parameters=start, epochs=1, optimizer=gn.SGD(1e-4))[0]["arch.dying_relu"]
    assert finding.sentence.startswith("1 of the 16 units of layer 2 is 0 for every row")


def test_weights_that_start_well_need_no_fresh_start():
    case = Case.asked(TWO, *moons())
    assert cures.fresh_start(case) == ()
    given = Case.asked(TWO, *moons(), initial_parameters={"b2": np.ones(16)})
    assert [change.settings for change in cures.fresh_start(given)] == [{"initial_parameters": None}]


def test_a_run_whose_numbers_overflow_is_looked_at_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = looked(gn.Network(2, gn.Dense(8, "relu"), gn.Dense(1)), optimizer=gn.SGD(1e30), epochs=5)[0]
    assert "training.not_finite" in found
    assert all(": 0 (normal" not in str(m) for m in found["opt.lr_too_large"].measured)
