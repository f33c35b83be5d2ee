"""What settings alone give away: each kind planted, and a healthy twin that stays silent."""

import math

import numpy as np
import pytest

import glassnet as gn
from glassnet import Network
from glassnet.diagnosis.case import Case
from glassnet.diagnosis.fitting_output import bounds, fitting, growth, steepest, target
from glassnet.diagnosis.loss_checks import multiple_of
from glassnet.diagnosis.setting_checks import check_settings
from glassnet.equations.functions import ACTIVATIONS

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 2))
TWO = (X[:, 0] > 0).astype(float)
THREE = np.digitize(X[:, 0], [-0.5, 0.5])
ONE_HOT = np.eye(3)[THREE]
NUMBERS = 3 * X[:, 0] - 1
HEALTHY = {
    "two": ("2 → 16 relu → 1 sigmoid", TWO), "three": ("2 → 16 relu → 16 relu → 3 softmax", THREE),
    "one-hot": ("2 → 16 tanh → 3 softmax", ONE_HOT), "numbers": ("2 → 16 relu → 16 relu → 1 linear", NUMBERS),
    "several": ("2 → 32 relu → dropout 0.3 → 2 sigmoid", (X > 0).astype(float)),
}  # fmt: skip


def kept(a):
    return gn.minimum(gn.maximum(a, 1e-7), 1 - 1e-7)


BINARY = gn.loss("kept_binary", lambda y, a: -(y * gn.log(kept(a)) + (1 - y) * gn.log(kept(1 - a))))
CATEGORICAL = gn.loss("kept_categorical", lambda y, a: -y * gn.log(kept(a)))
SUMMED = gn.loss("summed", lambda y, a: 60 * (a - y) ** 2)
DOUBLED = gn.loss("doubled", lambda y, a: (a - y) ** 2)
THIRD = gn.loss("third", lambda y, a: -(y * gn.log(a)) / 3)
TURNED = gn.loss("turned", lambda y, a: y * gn.log(a))
AWAY = gn.loss("away", lambda y, a: -((a - y) ** 2))
CAUCHY = gn.loss("cauchy_of_tests", lambda y, a: gn.log(1 + (a - y) ** 2))
BARE = gn.loss("bare", lambda y, a: -(y * gn.log(a) + (1 - y) * gn.log(1 - a)) * 1.5)


def found(network, Y, X=X, **settings):
    return {f.kind: f for f in check_settings(Case.asked(Network.parse(network), X, Y, **settings))}


@pytest.mark.parametrize("name", HEALTHY)
@pytest.mark.parametrize("settings", [{}, {"l2": 1e-4}, {"optimizer": "adam", "batch_size": 16}])
def test_healthy_settings_give_no_finding(name, settings):
    network, Y = HEALTHY[name]
    assert found(network, Y, **settings) == {}


REFUSED = [
    ("2 → 16 relu → 1 softmax", TWO, "binary_cross_entropy", "out.softmax_single_unit", "16 relu → 1 sigmoid"),
    ("2 → 16 relu → 1 softmax", TWO, "mean_absolute_error", "out.softmax_single_unit", "16 relu → 1 sigmoid"),
    ("2 → 16 relu → 1 relu", TWO, "binary_cross_entropy", "out.relu_output", "16 relu → 1 sigmoid"),
    ("2 → 16 relu → 3 relu", ONE_HOT, "categorical_cross_entropy", "out.relu_output", "16 relu → 3 softmax"),
    ("2 → 16 relu → 1 linear", TWO, "binary_cross_entropy", "out.missing_sigmoid", "16 relu → 1 sigmoid"),
    ("2 → 16 relu → 1 tanh", TWO, "binary_cross_entropy", "out.missing_sigmoid", "16 relu → 1 sigmoid"),
    ("2 → 16 relu → 3 linear", THREE, "categorical_cross_entropy", "out.missing_softmax", "16 relu → 3 softmax"),
    ("2 → 16 relu → 3 linear → relu", THREE, "categorical_cross_entropy", "out.relu_output", "3 linear → softmax"),
    ("2 → 16 relu → 3 sigmoid", THREE, "categorical_cross_entropy", "out.sigmoid_multiclass", "16 relu → 3 softmax"),
    ("2 → 16 relu → 3 softmax", ONE_HOT, "binary_cross_entropy", "loss.wrong_kind", "16 relu → 3 softmax"),
    ("2 → 16 relu → 1 linear", NUMBERS, "binary_cross_entropy", "loss.wrong_kind", "16 relu → 1 linear"),
    ("2 → 16 relu → 1 step", TWO, "mean_squared_error", "out.relu_output", "16 relu → 1 sigmoid"),
]


@pytest.mark.parametrize(("network", "Y", "loss", "kind", "cured"), REFUSED)
def test_settings_that_are_refused_are_critical_and_their_cure_is_accepted(network, Y, loss, kind, cured):
    case = Case.asked(Network.parse(network), X, Y, loss=loss)
    assert case.refusal is not None
    first = check_settings(case)[0]
    assert (first.kind, first.severity, first.certain) == (kind, "critical", True)
    assert first.confidence > 0.9
    assert first.sentence
    assert first.false_alarm
    better = case.changed(first.cures[0])
    assert better.refusal is None
    assert better.data_refusal is None
    assert str(better.network).endswith(cured)
    assert not any(f.certain for f in check_settings(better))


def test_a_hidden_step_freezes_what_stands_before_it():
    stairs = gn.activation("stairs", lambda z: gn.where(z > 0, 1, -1))
    for activation in ("step", stairs):
        case = Case.asked(Network(2, gn.Dense(16, activation), gn.Dense(1, "sigmoid")), X, TWO)
        first = check_settings(case)[0]
        assert (first.kind, first.severity, first.certain) == ("arch.frozen", "critical", True)
        assert str(case.changed(first.cures[0]).network) == "2 → 16 relu → 1 sigmoid"


def test_the_other_way_to_probabilities_of_two_classes_is_told_too():
    other = found("2 → 16 relu → 1 linear", TWO, loss="binary_cross_entropy")["out.missing_softmax"]
    better = Case.asked(Network.parse("2 → 16 relu → 1 linear"), X, TWO).changed(other.cures[0])
    assert better.data_refusal is None
    assert str(better.network) == "2 → 16 relu → 2 softmax"


@pytest.mark.parametrize(
    ("network", "Y", "loss", "certain"),
    [
        ("2 → 16 relu → 2 softmax", THREE, None, True),
        ("2 → 16 relu → 2 softmax", ONE_HOT, None, True),
        ("2 → 16 relu → 5 softmax", THREE, None, False),
        ("2 → 16 relu → 1 sigmoid", THREE, None, True),
    ],
)
def test_a_wrong_number_of_outputs(network, Y, loss, certain):
    finding = found(network, Y, loss=loss)["out.wrong_units"]
    assert finding.certain == certain
    assert finding.severity == ("critical" if certain else "note")
    assert str(finding.cures[0].settings["network"]).endswith("16 relu → 3 softmax")


@pytest.mark.parametrize(
    ("network", "Y", "loss", "kind"),
    [
        ("2 → 16 relu → 1 relu", TWO, BINARY, "out.relu_output"),
        ("2 → 16 relu → 3 relu", ONE_HOT, CATEGORICAL, "out.relu_output"),
        ("2 → 16 relu → 1 linear", TWO, BINARY, "out.missing_sigmoid"),
        ("2 → 16 relu → 1 tanh", TWO, BINARY, "out.missing_sigmoid"),
        ("2 → 16 relu → 3 linear", THREE, CATEGORICAL, "out.missing_softmax"),
        ("2 → 16 relu → 3 linear", ONE_HOT, BARE, "out.missing_softmax"),
    ],
)
def test_a_clipped_loss_over_outputs_that_are_no_probabilities(network, Y, loss, kind):
    finding = found(network, Y, loss=loss)[kind]
    assert finding.confidence >= 0.85
    assert finding.severity == "note"


@pytest.mark.parametrize(("network", "Y", "loss"), [("2 → 16 relu → 1 sigmoid", TWO, BINARY),
                                                    ("2 → 16 relu → 3 softmax", THREE, CATEGORICAL)])  # fmt: skip
def test_a_clipped_loss_over_probabilities_is_fine(network, Y, loss):
    assert found(network, Y, loss=loss) == {}


def test_a_sum_in_the_place_of_a_mean_is_measured():
    finding = found("2 → 16 relu → 1 linear", NUMBERS, loss=SUMMED, optimizer=gn.SGD(0.01), batch_size=60)[
        "loss.reduction"
    ]
    assert finding.confidence > 0.6
    assert finding.measured[0].value == pytest.approx(120)  # 60 (a − y)² against ½ (a − y)²
    assert finding.measured[1].value == pytest.approx(1.2)
    assert finding.cures[0].settings == {"loss": "mean_squared_error"}
    assert finding.cures[1].settings["optimizer"].learning_rate == pytest.approx(0.01 / 120)
    with_adam = found("2 → 16 relu → 1 linear", NUMBERS, loss=SUMMED, optimizer="adam")["loss.reduction"]
    assert with_adam.confidence <= 0.1  # Adam's step does not depend on the size of the gradient


@pytest.mark.parametrize(("network", "Y", "loss"), [("2 → 16 relu → 1 linear", NUMBERS, DOUBLED),
                                                    ("2 → 16 relu → 1 linear", NUMBERS, CAUCHY)])  # fmt: skip
def test_harmless_losses_of_ones_own_give_no_finding(network, Y, loss):
    assert found(network, Y, loss=loss, optimizer=gn.SGD(0.01)) == {}


def test_a_third_of_a_known_loss_is_no_wrong_reduction():
    assert set(found("2 → 16 relu → 3 softmax", ONE_HOT, loss=THIRD, optimizer=gn.SGD(0.01))) == {"loss.log_of_zero"}
    assert multiple_of(THIRD) == ("categorical_cross_entropy", pytest.approx(1 / 3))
    assert multiple_of(DOUBLED) == ("mean_squared_error", pytest.approx(2))
    assert multiple_of(CAUCHY) is None


@pytest.mark.parametrize(("network", "Y", "loss"), [("2 → 16 relu → 3 softmax", ONE_HOT, TURNED),
                                                    ("2 → 16 relu → 1 linear", NUMBERS, AWAY),
                                                    ("2 → 16 relu → 1 sigmoid", TWO, AWAY)])  # fmt: skip
def test_a_loss_that_falls_away_from_the_target(network, Y, loss):
    findings = found(network, Y, loss=loss)
    assert findings["opt.sign"].confidence > 0.9
    assert "loss.reduction" not in findings


def test_an_unguarded_logarithm():
    finding = found("2 → 16 relu → 1 sigmoid", TWO, loss=BARE)["loss.log_of_zero"]
    assert finding.confidence == 0.2
    assert finding.measured[0].value == math.inf


def test_targets_out_of_the_outputs_reach():
    finding = found("2 → 16 relu → 1 sigmoid", NUMBERS, loss="mean_squared_error")["out.range_mismatch"]
    outside = ((NUMBERS < -0.02) | (NUMBERS > 1.02)).mean()
    assert finding.measured[0].value == pytest.approx(outside)
    assert finding.confidence > 0.9
    assert str(finding.cures[0].settings["network"]).endswith("1 linear")
    assert "out.range_mismatch" in found("2 → 16 relu → 1 relu", NUMBERS)
    assert "out.range_mismatch" in found("2 → 16 relu → 1 sigmoid", 2 * TWO - 1, loss="mean_squared_error")
    inside = (NUMBERS - NUMBERS.min()) / np.ptp(NUMBERS)
    assert "out.range_mismatch" not in found("2 → 16 relu → 1 sigmoid", inside, loss="mean_squared_error")
    assert "out.range_mismatch" not in found("2 → 16 relu → 1 softplus", inside)


def test_a_loss_for_another_task():
    assert found("2 → 16 relu → 1 sigmoid", TWO, loss="mean_squared_error")["loss.wrong_kind"].confidence == 0.3
    assert found("2 → 16 relu → 3 softmax", THREE, loss="mean_absolute_error")["loss.wrong_kind"].confidence == 0.4
    numbers = found("2 → 16 relu → 1 linear", NUMBERS, loss="hinge")["loss.wrong_kind"]
    assert numbers.confidence > 0.8
    assert found("2 → 16 relu → 1 sigmoid", TWO, loss=DOUBLED)["loss.wrong_kind"].confidence == 0.3


def test_classes_told_by_signs_get_an_output_without_bounds():
    faint = found("2 → 16 relu → 1 tanh", 2 * TWO - 1)
    assert set(faint) == {"loss.wrong_kind"}
    assert faint["loss.wrong_kind"].confidence == 0.15
    case = Case.asked(Network.parse("2 → 16 relu → 1 sigmoid"), X, 2 * TWO - 1, loss="hinge")
    reach = next(f for f in check_settings(case) if f.kind == "out.range_mismatch")
    better = case.changed(reach.cures[0])
    assert str(better.network).endswith("1 linear")
    assert better.data_refusal is None
    assert found("2 → 16 relu → 1 linear", 2 * TWO - 1, loss="hinge") == {}


def test_softmax_for_several_labels_and_sigmoids_for_one():
    several = (X > 0).astype(float)
    share = (several.sum(axis=1) != 1).mean()
    finding = found("2 → 16 relu → 2 softmax", several)["out.softmax_multilabel"]
    assert finding.certain
    assert finding.measured[0].value == pytest.approx(share)
    assert str(finding.cures[0].settings["network"]).endswith("2 sigmoid")
    assert not found("2 → 16 relu → 2 softmax", several, loss="mean_squared_error")["out.softmax_multilabel"].certain
    assert found("2 → 16 relu → 3 sigmoid", ONE_HOT)["out.sigmoid_multiclass"].confidence == 0.1


def test_a_softmax_of_a_softmax():
    findings = found("2 → 16 relu → 3 softmax → 3 softmax", THREE)
    assert findings["out.redundant_softmax"].measured[1].value == pytest.approx(math.log(1 + 2 / math.e))
    assert findings["arch.softmax_hidden"].confidence > findings["out.redundant_softmax"].confidence


ARCHITECTURES = [
    ("2 → 16 linear → 16 linear → 1 sigmoid", "arch.missing_nonlinearity", 0.7, "2 → 16 relu → 16 relu → 1 sigmoid"),
    ("2 → 16 softmax → 1 sigmoid", "arch.softmax_hidden", 0.6, "2 → 16 relu → 1 sigmoid"),
    ("2 " + "→ 16 sigmoid " * 8 + "→ 1 sigmoid", "arch.saturating_hidden", 0.9, "2 → 16 relu → 16 relu → 1 sigmoid"),
    ("2 → 16 exp → 16 exp → 16 exp → 1 sigmoid", "arch.exploding_hidden", 0.9, "2 → 16 relu → 16 relu → 1 sigmoid"),
    ("2 " + "→ 6 relu " * 12 + "→ 1 sigmoid", "arch.too_deep", 0.4, "2 → 6 relu → 6 relu → 1 sigmoid"),
    ("2 → 16 relu → 1 relu → 16 relu → 1 sigmoid", "arch.too_little_capacity", 0.7,
     "2 → 32 relu → 32 relu → 32 relu → 1 sigmoid"),
    ("2 → 1 relu → 1 sigmoid", "arch.too_little_capacity", 0.7, "2 → 32 relu → 1 sigmoid"),
    ("2 → 2 sigmoid → 1 sigmoid", "arch.too_little_capacity", 0.5, "2 → 32 sigmoid → 1 sigmoid"),
    ("2 → 16 relu → dropout 0.9 → 1 sigmoid", "reg.dropout_too_high", 0.8, "2 → 16 relu → 1 sigmoid"),
    ("2 → 16 relu → 1 sigmoid → dropout 0.2", "reg.dropout_too_high", 0.8, "2 → 16 relu → 1 sigmoid"),
]  # fmt: skip


@pytest.mark.parametrize(("network", "kind", "least", "cured"), ARCHITECTURES)
def test_a_fault_of_the_architecture(network, kind, least, cured):
    finding = found(network, TWO)[kind]
    assert finding.confidence >= least
    assert finding.severity == "note"
    assert str(finding.cures[0].settings["network"]) == cured


@pytest.mark.parametrize(
    "network",
    [
        "2 → 16 sigmoid → 1 sigmoid",
        "2 " + "→ 16 tanh " * 5 + "→ 1 sigmoid",
        "2 → 32 relu → dropout 0.2 → 32 relu → 1 sigmoid",
        "2 " + "→ 16 linear → batch norm → sigmoid " * 5 + "→ 1 sigmoid",
        "1×8×8 → conv 4x3 linear → pool 3 → flatten → 16 relu → 1 sigmoid",
    ],
)
def test_usual_architectures_give_no_finding(network):
    inputs = X if network.startswith("2") else RNG.standard_normal((60, 1, 8, 8))
    assert set(found(network, TWO, X=inputs, batch_size=16)) == set()


def test_a_penalty_is_weighed_against_the_cost_of_guessing():
    strong = found("2 → 16 relu → 1 sigmoid", TWO, l2=1.0)["reg.too_strong"]
    assert strong.confidence > 0.9
    assert strong.cures[0].settings == {"l2": 0.0}
    confidences = [found("2 → 16 relu → 1 sigmoid", TWO, l2=s)["reg.too_strong"].confidence for s in (0.01, 0.05, 0.1)]
    assert confidences == sorted(confidences)
    assert confidences[0] <= 0.3
    assert "reg.too_strong" not in found("2 → 16 relu → 1 sigmoid", TWO, l2=1e-3)
    # With a target a hundred times as large the cost is ten thousand times as large.
    assert "reg.too_strong" not in found("2 → 16 relu → 1 linear", 100 * NUMBERS, l2=1.0)
    W1, W2 = (Network.parse("2 → 16 relu → 1 sigmoid").initial_parameters(0)[n] for n in ("W1", "W2"))
    shown = {m.name: m.value for m in strong.measured}["penalty at the start"]
    assert shown == pytest.approx(0.5 * ((W1**2).sum() + (W2**2).sum()))
    assert found("2 → 16 relu → 1 sigmoid", TWO, l1=0.1)["reg.too_strong"].confidence > 0.8


def test_batch_normalisation_of_single_rows_and_of_few_updates():
    network = "2 → 16 linear → batch norm → relu → 1 sigmoid"
    assert found(network, TWO, batch_size=1)["arch.batch_norm"].confidence > 0.9
    assert found(network, TWO, batch_size=20, epochs=2)["arch.batch_norm"].measured[0].value == pytest.approx(0.6)
    assert "arch.batch_norm" not in found(network, TWO, batch_size=20, epochs=50)


def test_far_more_weights_than_rows_is_told_faintly():
    assert found("2 → 300 relu → 300 relu → 1 sigmoid", TWO)["arch.too_much_capacity"].confidence <= 0.15


def test_what_a_target_is():
    def kind(network, Y, **settings):
        of = target(Case.asked(Network.parse(network), X, Y, **settings))
        return of.kind, of.classes, fitting(of)

    assert kind("2 → 1 sigmoid", TWO) == ("classes", 2, ("sigmoid", 1, "binary_cross_entropy"))
    assert kind("2 → 3 softmax", THREE) == ("classes", 3, ("softmax", 3, "categorical_cross_entropy"))
    assert kind("2 → 1 linear", THREE) == ("numbers", 1, ("linear", 1, "mean_squared_error"))
    assert kind("2 → 1 linear", NUMBERS) == ("numbers", 1, ("linear", 1, "mean_squared_error"))
    missing = np.where(np.arange(60) == 3, np.nan, TWO)
    assert kind("2 → 1 sigmoid", missing)[0] == "classes"


def test_bounds_slopes_and_growth_of_activations():
    said = {name: bounds(ACTIVATIONS[name]) for name in ("sigmoid", "tanh", "relu", "linear", "softmax", "elu", "exp")}
    assert said["sigmoid"] == pytest.approx((0, 1))
    assert said["tanh"] == pytest.approx((-1, 1))
    assert said["relu"] == (0, math.inf)
    assert said["linear"] == (-math.inf, math.inf)
    assert said["elu"] == pytest.approx((-1, math.inf))
    assert said["exp"] == pytest.approx((0, math.inf))
    assert steepest(ACTIVATIONS["sigmoid"]) == pytest.approx(0.25, rel=1e-4)
    assert growth(ACTIVATIONS["exp"]) > 1e6
    assert growth(ACTIVATIONS["relu"]) == 1
