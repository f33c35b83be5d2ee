"""What the first update shows: each kind planted, a healthy twin that stays silent, and the numbers against NumPy."""

import dataclasses
import math
import warnings

import numpy as np
import pytest

import glassnet as gn
from glassnet import Network
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.data_checks import check_data
from glassnet.diagnosis.overfit_check import few_rows, small_case
from glassnet.diagnosis.rate_checks import check_rate
from glassnet.diagnosis.setting_checks import check_settings
from glassnet.diagnosis.start_checks import check_overfits, check_start
from glassnet.diagnosis.starting_layers import starting_layers

RNG = np.random.default_rng(1)
X = RNG.standard_normal((80, 2))
TWO = (X[:, 0] * X[:, 1] > 0).astype(float)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
NUMBERS = np.sin(2 * X[:, 0])
PICTURES = RNG.standard_normal((40, 1, 8, 8))


def found(network, Y=TWO, X=X, **settings):
    return {f.kind: f for f in check_start(Case.asked(Network.parse(network), X, Y, **settings))}


@pytest.mark.parametrize(
    ("network", "Y", "X"),
    [
        ("2 → 16 relu → 16 relu → 1 sigmoid", TWO, X),
        ("2 → 16 tanh → 16 tanh → 16 tanh → 1 sigmoid", TWO, X),
        ("2 → 16 sigmoid → 3 softmax", THREE, X),
        ("2 → 32 relu → 32 relu → 1 linear", NUMBERS, X),
        ("2 → 1 sigmoid", TWO, X),
        ("2 → 3 softmax init zeros", THREE, X),
        ("2 → 16 relu → 3 softmax init zeros", THREE, X),
        ("2 " + "→ 32 linear → batch norm → relu " * 8 + "→ 1 sigmoid", TWO, X),
        ("1×8×8 → conv 8x3 relu → pool 2 → flatten → 16 relu → 1 sigmoid", TWO[:40], PICTURES),
    ],
)
def test_a_healthy_start_gives_no_finding(network, Y, X):
    assert found(network, Y, X) == {}


def test_all_units_equal_by_their_gradients():
    finding = found("2 → 16 relu init constant(0.1) → 1 sigmoid init constant(0.1)")["init.symmetric"]
    assert finding.confidence > 0.8
    assert finding.measured[0].value == 1
    assert finding.measured[1].value == 1
    assert str(finding.cures[0].settings["network"]) == "2 → 16 relu → 1 sigmoid"
    stuck = found("2 → 16 tanh init zeros → 1 sigmoid init zeros")["init.symmetric"]
    assert stuck.confidence > 0.9  # no gradient reaches any weight but the last bias
    # What follows is random, so the gradients differ and the units part in the first update.
    assert found("2 → 16 tanh init zeros → 1 sigmoid")["init.symmetric"].confidence < 0.2


def test_equal_filters_of_a_layer_of_pictures():
    finding = found(
        "1×8×8 → conv 4x3 relu init constant(0.1) → flatten → 1 sigmoid init constant(0.1)", TWO[:40], PICTURES
    )
    assert finding["init.symmetric"].confidence > 0.8


@pytest.mark.parametrize("std", [10.0, 20.0])
def test_weights_that_start_too_large(std):
    network = f"2 → 16 relu init normal({std:g}) → 16 relu init normal({std:g}) → 1 sigmoid"
    finding = found(network)["init.too_large"]
    W2 = Network.parse(network).initial_parameters(0)["W2"]
    W3 = Network.parse(network).initial_parameters(0)["W3"]
    sizes = {2: math.sqrt((W2**2).mean() * 16), 3: math.sqrt((W3**2).mean() * 16)}
    assert finding.confidence > 0.9
    assert finding.measured[0].value == pytest.approx(sizes[finding.where.layer])
    assert str(finding.cures[0].settings["network"]) == "2 → 16 relu → 16 relu → 1 sigmoid"


def test_weights_that_start_too_small_in_depth():
    deep = found("2 " + "→ 16 relu init uniform(-0.05, 0.05) " * 8 + "→ 1 sigmoid", optimizer=gn.SGD(0.05))[
        "init.too_small"
    ]
    assert deep.confidence > 0.9
    shallow = found("2 → 16 relu init normal(0.05) → 1 sigmoid")["init.too_small"]
    assert shallow.confidence <= 0.4 < deep.confidence


def test_a_fixed_spread_is_a_faint_note():
    findings = found("2 → 40 relu init normal(0.4) → 40 relu init normal(0.4) → 1 sigmoid init normal(0.4)")
    assert findings["init.wrong_scale"].confidence <= 0.15
    assert "init.wrong_scale" not in found(
        "2 → 16 relu init normal(0.4) → 16 relu init he → 1 sigmoid init normal(0.4)"
    )


def test_given_starting_weights_are_looked_at_and_the_cure_forgets_them():
    network = Network.parse("2 → 16 relu → 16 relu → 1 sigmoid")
    start = {n: 30 * v for n, v in network.initial_parameters(0).items()}
    case = Case.asked(network, X, TWO, initial_parameters=start)
    finding = next(f for f in check_start(case) if f.kind == "init.too_large")
    better = case.changed(finding.cures[0])
    assert "initial_parameters" not in better.settings
    assert not any(f.kind == "init.too_large" for f in check_start(better))


def test_dead_units_and_the_biases_that_kill_them():
    findings = found("2 → 16 relu bias init constant(-10) → 16 relu bias init constant(-10) → 1 sigmoid")
    assert findings["arch.dying_relu"].confidence > 0.9
    assert findings["arch.dying_relu"].where.units == tuple(range(16))
    assert findings["init.bias"].measured[0].value == -10
    assert "bias init zeros" not in str(findings["init.bias"].cures[0].settings["network"])
    narrow = found("2 " + "→ 5 relu " * 17 + "→ 1 sigmoid")
    assert max(narrow[k].confidence for k in ("arch.dying_relu", "arch.too_deep") if k in narrow) >= 0.5


def test_biases_far_above_what_the_inputs_move():
    finding = found("2 → 16 relu bias init constant(50) → 1 sigmoid")["init.bias"]
    assert finding.confidence == 0.8
    assert finding.measured[0].value == 50
    W1 = Network.parse("2 → 16 relu → 1 sigmoid").initial_parameters(0)["W1"]
    assert finding.measured[1].value == pytest.approx((X @ W1).std(axis=0).mean())
    assert "init.bias" not in found("2 → 16 relu bias init constant(0.1) → 1 sigmoid")
    assert "init.bias" not in found("2 → 16 relu → 1 linear bias init constant(50)", NUMBERS)  # the mean of a target


def test_layers_before_an_activation_without_slope_are_frozen():
    pinched = gn.activation("pinched", lambda z: gn.minimum(gn.maximum(1e12 * z, -1), 1))
    network = Network(2, gn.Dense(16, pinched), gn.Dense(16, pinched), gn.Dense(1, "sigmoid"))
    findings = {f.kind: f for f in check_start(Case.asked(network, X, TWO))}
    assert findings["arch.frozen"].confidence == 0.9
    assert findings["arch.frozen"].where.layer == 2
    assert str(findings["arch.frozen"].cures[0].settings["network"]) == "2 → 16 relu → 16 relu → 1 sigmoid"
    assert "arch.frozen" not in found("2 → 16 relu → 16 relu → 1 sigmoid")


def test_dead_units_are_those_that_are_zero_for_every_row():
    case = Case.asked(Network.parse("2 → 8 relu bias init constant(-2) → 1 sigmoid"), X, TWO)
    layer = starting_layers(case)[0]
    p = case.network.initial_parameters(0)
    A = np.maximum(X @ p["W1"] + p["b1"], 0)
    assert layer.dead == pytest.approx((A == 0).all(axis=0).mean())
    assert layer.spread == pytest.approx((X @ p["W1"]).std(axis=0).mean())
    assert layer.size == pytest.approx(math.sqrt((p["W1"] ** 2).mean() * 2))


def test_sizes_of_layers_of_pictures_count_the_places_of_a_kernel():
    case = Case.asked(Network.parse("1×8×8 → conv 4x3 relu → conv 6x2 relu → flatten → 1 sigmoid"), PICTURES, TWO[:40])
    first, second, last = starting_layers(case)
    W = case.network.initial_parameters(0)
    assert first.size == pytest.approx(math.sqrt((W["W1"] ** 2).mean() * 9))
    assert second.size == pytest.approx(math.sqrt((W["W2"] ** 2).mean() * 4 * 2 * 2))
    assert second.units.shape == (16, 6)
    assert second.sums.shape == (40 * 5 * 5, 6)
    assert last.units.shape == (6 * 25, 1)


def test_saturated_units_from_inputs_and_from_weights():
    from_inputs = found("2 → 16 tanh → 1 sigmoid", X=1000 * X)
    assert from_inputs["training.saturated_units"].confidence > 0.7
    assert from_inputs["data.unscaled_features"].confidence > 0.7
    assert from_inputs["data.unscaled_features"].cures[0].data
    from_weights = found("2 → 16 tanh init normal(300) → 1 sigmoid")
    assert from_weights["init.too_large"].confidence > 0.9
    assert "data.unscaled_features" not in from_weights


def test_a_stack_of_sigmoids_leaves_all_outputs_alike():
    network = "2 " + "→ 16 sigmoid " * 8 + "→ 1 sigmoid"
    findings = found(network)
    assert findings["arch.saturating_hidden"].confidence > 0.8
    p, A = Network.parse(network).initial_parameters(0), X
    for n in range(1, 9):
        A = 1 / (1 + np.exp(-(A @ p[f"W{n}"] + p[f"b{n}"])))
    shown = {m.name: m.value for m in findings["arch.saturating_hidden"].measured}
    assert shown["spread of Z9 over the rows"] == pytest.approx((A @ p["W9"]).std(axis=0).mean())
    assert "training.vanishing_gradient" in findings


def test_the_ratio_of_gradients_is_that_of_the_first_update():
    network = "2 " + "→ 16 sigmoid " * 8 + "→ 1 sigmoid"
    start = Case.asked(Network.parse(network), X, TWO).start
    assert start is not None
    finding = found(network)["training.vanishing_gradient"]
    assert finding.measured[0].value == pytest.approx(
        math.sqrt((start["dZ1"] ** 2).mean()) / math.sqrt((start["dZ9"] ** 2).mean())
    )


def test_exponentials_overflow_in_the_first_pass():
    findings = check_start(Case.asked(Network.parse("2 " + "→ 5 exp init normal(1) " * 9 + "→ 1 sigmoid"), 3 * X, TWO))
    kinds = [f.kind for f in findings if f.certain]
    assert kinds == ["arch.exploding_hidden", "training.not_finite"]
    assert all(f.severity == "critical" for f in findings if f.certain)
    assert "exp" not in str(findings[0].cures[0].settings["network"])


def test_a_logarithm_of_outputs_that_are_no_probabilities():
    bare = gn.loss("bare_of_start", lambda y, a: -(y * gn.log(a) + (1 - y) * gn.log(1 - a)))
    case = Case.asked(Network.parse("2 → 16 relu → 1 linear"), X, TWO, loss=bare)
    first = check_start(case)[0]
    assert (first.kind, first.certain) == ("out.missing_sigmoid", True)
    assert case.changed(first.cures[0]).refusal is None


def test_a_clipped_output_without_any_slope():
    kept = gn.loss(
        "kept_of_start", lambda y, a: -(y * gn.log(gn.maximum(a, 1e-7)) + (1 - y) * gn.log(gn.maximum(1 - a, 1e-7)))
    )
    network = Network.parse("2 → 16 relu → 1 relu bias init constant(-50)")
    findings = {f.kind: f for f in check_start(Case.asked(network, X, TWO, loss=kept))}
    assert findings["training.vanishing_gradient"].measured[0].value == 0


def test_the_first_cost_against_that_of_guessing():
    finding = found("2 → 16 relu init normal(50) → 1 sigmoid init normal(50)")["training.initial_cost"]
    share = TWO.mean()
    entropy = -(share * math.log(share) + (1 - share) * math.log(1 - share))
    start = Case.asked(Network.parse("2 → 16 relu init normal(50) → 1 sigmoid init normal(50)"), X, TWO).start
    assert start is not None
    assert finding.measured[0].value == pytest.approx(float(start["J"]))
    assert float(finding.measured[0].normal.split(",")[0]) == pytest.approx(entropy, rel=1e-3)
    assert float(start["J"]) / entropy > 30
    assert finding.confidence == 0.5


def test_data_that_cannot_be_used_give_no_finding():
    wrong = np.where(np.arange(160).reshape(80, 2) == 7, np.nan, X)
    assert found("2 → 16 relu → 1 sigmoid", X=wrong) == {}
    assert check_overfits(Case.asked(Network.parse("2 → 16 relu → 1 sigmoid"), wrong, TWO)) == []


# One small batch.


@pytest.mark.parametrize(("network", "Y"), [("2 → 16 relu → 16 relu → 1 sigmoid", TWO), ("2 → 16 relu → 3 softmax", THREE),
                                            ("2 → 32 relu → 32 relu → 1 linear", 1e4 * NUMBERS + 5e4)])  # fmt: skip
def test_a_healthy_network_learns_sixteen_rows_by_heart(network, Y):
    case = Case.asked(Network.parse(network), X, Y, l2=0.1, optimizer=gn.SGD(1e-6))
    assert check_overfits(case) == []


@pytest.mark.parametrize("network", ["2 → 16 relu bias init constant(-20) → 1 sigmoid", "2 → 1 relu → 1 sigmoid",
                                     "2 " + "→ 6 sigmoid " * 12 + "→ 1 sigmoid"])  # fmt: skip
def test_a_network_that_cannot_learn_sixteen_rows(network):
    findings = check_overfits(Case.asked(Network.parse(network), X, TWO))
    assert [f.kind for f in findings] == ["training.cannot_overfit"]
    assert findings[0].confidence >= 0.25
    assert findings[0].measured[0].value < 0.9


def test_the_layers_without_gradient_are_named():
    (finding,) = check_overfits(Case.asked(Network.parse("2 → 16 relu bias init constant(-20) → 1 sigmoid"), X, TWO))
    assert finding.where.layer == 1
    assert "Layers 1, 2 get no gradient" in finding.sentence
    assert finding.confidence == 0.75


def test_equal_inputs_with_different_labels_are_not_blamed():
    once = np.repeat(X[:40], 2, axis=0)
    labels = np.tile([0.0, 1.0], 40)
    case = Case.asked(Network.parse("2 → 32 relu → 32 relu → 1 sigmoid"), once, labels)
    rows = few_rows(case)
    assert len(np.unique(once[rows], axis=0)) == len(rows) == 16
    assert sorted(labels[rows].tolist()) == [0.0] * 8 + [1.0] * 8
    assert check_overfits(case) == []


def test_the_small_case_has_neither_penalty_nor_dropout():
    case = Case.asked(
        Network.parse("2 → 16 relu → dropout 0.5 → 1 sigmoid"), X, TWO, l2=1.0, batch_size=4, validation=(X, TWO),
        sample_weight=np.ones(80),
    )  # fmt: skip
    small = small_case(case)
    assert str(small.network) == "2 → 16 relu → 1 sigmoid"
    assert small.held is None
    assert set(small.settings) == {"epochs", "seed"}
    assert dataclasses.asdict(case.network) != dataclasses.asdict(small.network)


def test_a_first_cost_too_high_is_not_blamed_on_a_start_that_is_usual():
    X = np.random.default_rng(0).standard_normal((100, 3)) * 50
    case = Case.asked(gn.Network(3, gn.Dense(8, "relu"), gn.Dense(1, "sigmoid")), X, (X[:, 0] > 0).astype(float))
    finding = next(f for f in check_start(case) if f.kind == "training.initial_cost")
    assert [change.said for change in finding.cures] == ["standardise the features"]


def test_the_spread_of_every_layer_is_listed():
    X = np.random.default_rng(0).standard_normal((100, 3))
    network = gn.Network(3, *[gn.Dense(8, "sigmoid")] * 5, gn.Dense(1, "sigmoid"))
    finding = next(f for f in check_start(Case.asked(network, X, X[:, 0] > 0)) if f.kind == "arch.saturating_hidden")
    assert [m.name.split()[2] for m in finding.measured] == [f"Z{n}" for n in range(1, 7)]
    assert finding.where.layer is None


def test_inputs_of_1e200_are_looked_at_without_a_warning():
    X = np.random.default_rng(0).standard_normal((60, 3)) * 1e200
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        case = Case.asked(gn.Network(3, gn.Dense(4, "relu"), gn.Dense(1)), X, X[:, 0], loss="mean_squared_error")
        for check in (check_start, check_settings, check_rate):
            check(case)
        kinds = {finding.kind for finding in check_data(case)}
    assert "data.unscaled_features" in kinds
    assert not {"data.labels_shuffled", "data.no_signal"} & kinds  # the target is a feature, however large
