"""Hessian-vector products: against differences of the gradient, by hand, and by the identities they must keep."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import glassnet as gn
from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.curvature import curvature_equations, directional, hessian_vector
from glassnet.equations.derive import Derivation
from glassnet.equations.expression import Sum, Symbol
from glassnet.errors import GlassnetError

SMOOTH = ("linear", "sigmoid", "tanh", "gelu", "softplus", "exp")
BENT = ("relu", "leaky_relu", "elu")


class Step:
    """One batch under one derivation: its values, its gradient elsewhere, and its Hessian-vector products."""

    def __init__(self, derivation: Derivation, X: Any, Y: Any, w: Any = None, seed: int = 3) -> None:
        self.derivation = derivation
        self.engine = ReferenceEngine(derivation)
        rng = np.random.default_rng(seed)
        drawn = derivation.network.initial_parameters(seed)
        moved = {n: v + 0.1 * rng.normal(size=v.shape) for n, v in drawn.items()}
        self.state = self.engine.initial_state(moved)
        masks = {
            name: (rng.random((len(X), *(int(d) for d in mask.shape[1:]))) > rate).astype(float)
            for name, (mask, rate) in derivation.masks.items()
        }
        self.batch = Batch(X, Y, w, masks)
        self.values = self.engine.values(self.state, self.batch)
        self.shapes = {p.name: self.state[p.name].shape for p in derivation.parameters}

    def direction(self, seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        return {name: rng.normal(size=shape) for name, shape in self.shapes.items()}

    def product(self, direction: dict[str, np.ndarray]) -> np.ndarray:
        found = hessian_vector(self.derivation, self.values, direction)
        assert {name: v.shape for name, v in found.items()} == self.shapes
        return flat(found)

    def difference(self, direction: dict[str, np.ndarray], h: float = 1e-5) -> np.ndarray:
        sides = []
        for sign in (h, -h):
            state = {**self.state, **{n: self.state[n] + sign * direction[n] for n in self.shapes}}
            values = self.engine.values(state, self.batch)
            sides.append(flat({n: values[f"d{n}"] for n in self.shapes}))
        return (sides[0] - sides[1]) / (2 * h)


def flat(parts: dict[str, np.ndarray]) -> np.ndarray:
    return np.concatenate([parts[name].ravel() for name in parts])


def agrees(step: Step, tolerance: float = 2e-8) -> None:
    u, v = step.direction(1), step.direction(2)
    mine, theirs = step.product(v), step.difference(v)
    error = np.linalg.norm(mine - theirs) / (np.linalg.norm(mine) + np.linalg.norm(theirs) + 1e-12)
    assert error < tolerance, f"error {error:.2e}; mine {mine[:4]}, differences {theirs[:4]}"
    # H is symmetric.
    assert flat(u) @ mine == pytest.approx(flat(v) @ step.product(u), rel=1e-10, abs=1e-12)


def rows(features: int = 3, m: int = 7, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(m, features))


def targets(kind: str, outputs: int = 2, m: int = 7) -> np.ndarray:
    rng = np.random.default_rng(9)
    if kind == "classes":
        return np.eye(outputs)[rng.integers(0, outputs, m)]
    if kind == "signed":
        return rng.choice([-1.0, 1.0], (m, outputs))
    if kind == "zero_one":
        return rng.choice([0.0, 1.0], (m, outputs))
    return rng.random((m, outputs)) * 3


# By hand.


def test_a_linear_layer_by_hand() -> None:
    # J = ½ Σ (x w − y)² / 2 over x = 1, 3: dJ/dw² = (1 + 9) / 2 = 5, so H V = 5 V for any targets.
    derivation = gn.derive(gn.Network(1, gn.Dense(1, bias=False)), "mean_squared_error")
    step = Step(derivation, np.array([[1.0], [3.0]]), np.array([[2.0], [7.0]]))
    assert step.product({"W1": np.array([[2.0]])}) == pytest.approx([10.0])


def test_logistic_regression_by_hand() -> None:
    # H = Xᵀ diag(a (1 − a)) X / m; at w = 0, a = ½: (1² + 2²) / 4 / 2 = 0.625.
    derivation = gn.derive(gn.Network(1, gn.Dense(1, "sigmoid", bias=False)))
    engine = ReferenceEngine(derivation)
    batch = Batch(np.array([[1.0], [2.0]]), np.array([[0.0], [1.0]]), None, {})
    values = engine.values(engine.initial_state({"W1": np.zeros((1, 1))}), batch)
    found = hessian_vector(derivation, values, {"W1": np.ones((1, 1))})
    assert found["W1"] == pytest.approx(np.array([[0.625]]))


def test_what_is_the_same_along_an_axis_is_summed_over_it() -> None:
    # Σ(X + b) over 4 rows: along Rb it changes by 4 Σ Rb.
    X, b, change = Symbol("X", ("m", 2)), Symbol("b", (2,)), Symbol("Rb", (2,))
    moved = directional(Sum(X + b), {"b": change})
    value = moved.evaluate({"X": rows(2, 4), "b": np.zeros(2), "Rb": np.array([1.0, 10.0])}, np)
    assert float(value) == pytest.approx(44.0)


def test_the_lines_can_be_read() -> None:
    derivation = gn.derive(gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1, "sigmoid")), l2=0.1)
    lines = curvature_equations(derivation)
    assert [str(line) for line in lines] == [
        "RZ1 = X RW1 + Rb1",
        "RA1 = RZ1 ⊙ (1 − A1²)",
        "RZ2 = RA1 W2 + A1 RW2 + Rb2",
        "RA2 = RZ2 ⊙ A2 ⊙ (1 − A2)",
        "RdZ2 = RA2 / m",
        "RdW2 = RA1ᵀ dZ2 + A1ᵀ RdZ2 + λ RW2",
        "Rdb2 = Σᵢ(RdZ2)",
        "RdA1 = RdZ2 W2ᵀ + dZ2 RW2ᵀ",
        "RdZ1 = RdA1 ⊙ (1 − A1²) − 2 RA1 ⊙ dA1 ⊙ A1",
        "RdW1 = Xᵀ RdZ1 + λ RW1",
        "Rdb1 = Σᵢ(RdZ1)",
    ]
    assert "the part of H V that belongs to W2" in str(lines)
    assert lines["RdW2"].layer == 2
    assert lines["RdW2"].shape == (3, 1)
    with pytest.raises(KeyError, match="There is no line 'RdW9'; there are RZ1"):
        lines["RdW9"]


def test_equal_lines_are_differentiated_once() -> None:
    network = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1))
    first = curvature_equations(gn.derive(network, optimizer=gn.SGD(0.1)))
    assert curvature_equations(gn.derive(network, optimizer=gn.Adam())) is first


# Against differences of the gradient.


@pytest.mark.parametrize("hidden", SMOOTH + BENT)
@pytest.mark.parametrize(
    ("head", "loss", "kind"), [("softmax", None, "classes"), ("linear", None, "any"), ("sigmoid", None, "zero_one")]
)
def test_activations(hidden: str, head: str, loss: str | None, kind: str) -> None:
    network = gn.Network(3, gn.Dense(4, hidden), gn.Dense(3, hidden), gn.Dense(2, head))
    agrees(Step(gn.derive(network, loss), rows(), targets(kind)))


@pytest.mark.parametrize(
    ("loss", "head", "kind"),
    [
        ("mean_squared_error", "softmax", "classes"),
        ("mean_squared_error", "sigmoid", "zero_one"),
        ("mean_squared_error", "exp", "any"),
        ("mean_absolute_error", "tanh", "any"),
        ("mean_absolute_error", "linear", "any"),
        ("huber", "linear", "any"),
        ("poisson", "exp", "any"),
        ("poisson", "softplus", "any"),
        ("binary_cross_entropy", "sigmoid", "zero_one"),
        ("categorical_cross_entropy", "softmax", "classes"),
        ("hinge", "linear", "signed"),
        ("hinge", "tanh", "signed"),
    ],
)
def test_losses(loss: str, head: str, kind: str) -> None:
    network = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2, head))
    agrees(Step(gn.derive(network, loss), rows(), targets(kind)))


def test_a_users_own_functions() -> None:
    swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
    cauchy = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
    agrees(Step(gn.derive(gn.Network(3, gn.Dense(4, swish), gn.Dense(2)), cauchy), rows(), targets("any")))


def test_softmax_inside() -> None:
    agrees(Step(gn.derive(gn.Network(3, gn.Dense(4, "softmax"), gn.Dense(2))), rows(), targets("any")))


@pytest.mark.parametrize("penalty_on", ["mean", "sum"])
def test_penalties_and_weights(penalty_on: str) -> None:
    network = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2, "softmax"))
    derivation = gn.derive(network, l1=0.02, l2=0.3, penalty_on=penalty_on, sample_weight=True)
    agrees(Step(derivation, rows(), targets("classes"), w=np.arange(1.0, 8.0)[:, None]))


def test_batch_normalisation_of_rows() -> None:
    network = gn.Network(3, gn.BatchNorm(), gn.Dense(4, "tanh"), gn.BatchNorm(), gn.Dense(2, "softmax"))
    agrees(Step(gn.derive(network), rows(), targets("classes")))


def test_dropout_masks_are_constants() -> None:
    network = gn.Network(3, gn.Dense(6, "tanh"), gn.Dropout(0.3), gn.Dense(2, "softmax"))
    agrees(Step(gn.derive(network), rows(), targets("classes")))


IMAGES = {
    "a convolution": (gn.Conv2D(2, 3, "tanh"), gn.Flatten()),
    "strides, padding and gaps": (
        gn.Conv2D(2, 3, "tanh", stride=2, padding="same"),
        gn.Conv2D(2, 2, "gelu", dilation=2),
        gn.Flatten(),
    ),
    "largest entries": (gn.Conv2D(2, 3, "tanh"), gn.MaxPool2D(2), gn.Conv2D(3, 2, "sigmoid"), gn.Flatten()),
    "means": (gn.Conv2D(2, 3, "tanh"), gn.AveragePool2D(2), gn.Flatten()),
    "means of maps": (gn.Conv2D(3, 3, "tanh"), gn.GlobalAveragePool2D()),
    "normalised maps": (gn.Conv2D(2, 3), gn.BatchNorm(), gn.Activation("tanh"), gn.MaxPool2D(2), gn.Flatten()),
    "dropped maps": (gn.Conv2D(3, 3, "tanh"), gn.Dropout(0.4, channels=True), gn.Conv2D(2, 2, "tanh"), gn.Flatten()),
}


@pytest.mark.parametrize("layers", IMAGES.values(), ids=list(IMAGES))
def test_images(layers: tuple[Any, ...]) -> None:
    network = gn.Network((2, 6, 6), *layers, gn.Dense(2, "softmax"))
    X = np.random.default_rng(4).normal(size=(5, 2, 6, 6))
    agrees(Step(gn.derive(network), X, targets("classes", m=5)))


def test_a_cost_without_curvature() -> None:
    # The absolute error of a linear layer is made of planes.
    step = Step(gn.derive(gn.Network(3, gn.Dense(2)), "mean_absolute_error"), rows(), targets("any"))
    assert not step.product(step.direction(1)).any()


def test_a_deep_network() -> None:
    layers = [gn.Dense(3, "tanh") for _ in range(60)]
    agrees(Step(gn.derive(gn.Network(3, *layers, gn.Dense(2))), rows(), targets("any")), 1e-6)


def test_the_check_fails_on_a_wrong_line() -> None:
    step = Step(gn.derive(gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(2))), rows(), targets("any"))
    step.values["A1"] = step.values["A1"] * 1.001
    with pytest.raises(AssertionError, match="error"):
        agrees(step)


def test_a_direction_that_does_not_fit() -> None:
    step = Step(gn.derive(gn.Network(3, gn.Dense(2))), rows(), targets("any"))
    with pytest.raises(GlassnetError) as refused:
        hessian_vector(step.derivation, step.values, {"W1": np.zeros((2, 2)), "b1": np.zeros(2)})
    assert str(refused.value) == (
        "hessian_vector got shape (2, 2) as the direction of W1; it needs an array of shape (3, 2)."
    )
    with pytest.raises(GlassnetError, match="got nothing as the direction of b1"):
        hessian_vector(step.derivation, step.values, {"W1": np.zeros((3, 2))})


# Against another library's derivatives.


@pytest.mark.extras
def test_torch_finds_the_same_products_of_a_dense_network() -> None:
    torch = pytest.importorskip("torch", reason="the torch oracle needs torch: pip install glassnet[extras-test]")
    step = Step(
        gn.derive(gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(3, "softmax")), l2=0.2), rows(), targets("classes", 3)
    )

    def cost(W1: Any, b1: Any, W2: Any, b2: Any) -> Any:
        scores = torch.tanh(torch.tensor(rows()) @ W1 + b1) @ W2 + b2
        entropy = -(torch.tensor(targets("classes", 3)) * torch.log_softmax(scores, 1)).sum() / 7
        return entropy + 0.1 * ((W1**2).sum() + (W2**2).sum())

    compare(torch, step, cost)


@pytest.mark.extras
def test_torch_finds_the_same_products_of_a_network_of_images() -> None:
    torch = pytest.importorskip("torch", reason="the torch oracle needs torch: pip install glassnet[extras-test]")
    network = gn.Network(
        (2, 6, 6), gn.Conv2D(3, 3), gn.BatchNorm(), gn.Activation("tanh"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(2)
    )
    X, Y = np.random.default_rng(4).normal(size=(5, 2, 6, 6)), targets("any", m=5)
    step = Step(gn.derive(network), X, Y)

    def cost(W1: Any, b1: Any, gamma1: Any, beta1: Any, W2: Any, b2: Any) -> Any:
        maps = torch.nn.functional.conv2d(torch.tensor(X), W1, b1)
        normed = torch.nn.functional.batch_norm(maps, None, None, gamma1, beta1, training=True, eps=1e-5)
        pooled = torch.nn.functional.max_pool2d(torch.tanh(normed), 2)
        return 0.5 * ((pooled.flatten(1) @ W2 + b2 - torch.tensor(Y)) ** 2).sum() / 5

    compare(torch, step, cost)


def compare(torch: Any, step: Step, cost: Any) -> None:
    v = step.direction(2)
    names = list(step.shapes)
    at = tuple(torch.tensor(step.state[name]) for name in names)
    _, theirs = torch.autograd.functional.vhp(
        lambda *p: cost(**dict(zip(names, p, strict=True))), at, tuple(torch.tensor(v[n]) for n in names)
    )
    expected = np.concatenate([part.numpy().ravel() for part in theirs])
    assert step.product(v) == pytest.approx(expected, rel=1e-9, abs=1e-12)
