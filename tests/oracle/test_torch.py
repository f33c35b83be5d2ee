"""Gradients, trained parameters and schedules against torch's own: autograd, torch.optim, torch.nn.functional."""

import warnings

import array_api_compat
import numpy as np
import pytest

import glassnet as gn
from glassnet.engines.base import Batch
from glassnet.engines.reference import ReferenceEngine
from glassnet.equations.functions import ACTIVATIONS
from glassnet.equations.losses import LOSSES, pairing

pytestmark = pytest.mark.extras
torch = pytest.importorskip("torch", reason="the torch oracle needs torch: pip install glassnet[extras-test]")
F = torch.nn.functional if torch else None

TORCH_ACTIVATIONS = {
    "linear": lambda z: z * 1.0,
    "sigmoid": lambda z: torch.sigmoid(z),
    "tanh": lambda z: torch.tanh(z),
    "relu": lambda z: F.relu(z),
    "leaky_relu": lambda z: F.leaky_relu(z, 0.01),
    "elu": lambda z: F.elu(z),
    "gelu": lambda z: F.gelu(z),
    "softplus": lambda z: F.softplus(z, threshold=1e9),
    "softmax": lambda z: torch.softmax(z, dim=1),
    "exp": lambda z: torch.exp(z),
    "step": lambda z: (z > 0).to(z.dtype),
}
"""torch's own functions; F.softplus turns linear at its threshold, which is put out of reach."""

TORCH_LOSSES = {
    "mean_squared_error": lambda a, z, y: 0.5 * F.mse_loss(a, y, reduction="none"),
    "mean_absolute_error": lambda a, z, y: F.l1_loss(a, y, reduction="none"),
    "huber": lambda a, z, y: F.huber_loss(a, y, reduction="none", delta=1.0),
    "poisson": lambda a, z, y: F.poisson_nll_loss(a, y, log_input=False, eps=0.0, reduction="none"),
    "binary_cross_entropy": lambda a, z, y: F.binary_cross_entropy_with_logits(z, y, reduction="none"),
    "categorical_cross_entropy": lambda a, z, y: F.cross_entropy(z, y, reduction="none")[:, None],
    "hinge": lambda a, z, y: F.relu(1 - y * a),
    "perceptron": lambda a, z, y: F.relu(z) - y * z,
}
"""One entry's cost; those that stand over logits (z) are torch's own functions of logits."""


def permitted():
    """Every loss × output activation × number of outputs that may be paired."""
    found = []
    for loss_name, loss in LOSSES.items():
        for head_name, head in ACTIVATIONS.items():
            for units in (1, 3):
                try:
                    pairing(loss, head, units)
                except gn.GlassnetError:
                    continue
                found.append((loss_name, head_name, units))
    return found


PAIRS = permitted()
HIDDEN = [name for name in ACTIVATIONS if name != "step"]


def test_every_loss_and_activation_is_covered():
    assert {loss for loss, _, _ in PAIRS} == set(LOSSES) == set(TORCH_LOSSES)
    assert {head for _, head, _ in PAIRS} == set(ACTIVATIONS) == set(TORCH_ACTIVATIONS)
    assert len(PAIRS) >= 60


def targets_for(loss, m, units, rng):
    kind = LOSSES[loss].targets if loss in LOSSES else "any"
    if kind == "zero_or_one":
        Y = rng.integers(0, 2, (m, units)).astype(float)
        Y[0] = 1.0  # not one-hot in every row
        return Y
    return {
        "any": lambda: rng.normal(size=(m, units)),
        "zero_to_one": lambda: rng.random((m, units)),
        "rows_sum_to_one": lambda: rng.dirichlet(np.ones(units), m),
        "plus_minus_one": lambda: rng.choice([-1.0, 1.0], (m, units)),
        "not_negative": lambda: rng.poisson(2.0, (m, units)).astype(float),
    }[kind]()


def train(network, X, Y, **settings):
    """`gn.train` without its warnings about pairings that compute but are unusual."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gn.GlassnetWarning)
        return gn.train(network, X, Y, progress=False, **settings)


def tensor(array):
    return torch.tensor(np.asarray(array), dtype=torch.float64)


def start_of(network, rng):
    """Initial parameters with nothing at zero."""
    return {name: value + 0.1 * rng.normal(size=value.shape) for name, value in network.initial_parameters(1).items()}


def torch_cost(network, parameters, X, Y, loss, *, w=None, l1=0.0, l2=0.0, masks=None):
    """The same cost by torch's functions; returns it and every station by glassnet's names."""
    stations, value, number = {}, X, 0

    def keep(name, computed):
        if computed.requires_grad:  # a step's output has no slope
            computed.retain_grad()
        stations[name] = computed
        return computed

    def activated(kind, z):
        name = kind if isinstance(kind, str) else kind.name
        return keep(f"A{number}", (TORCH_ACTIVATIONS | CUSTOM_ACTIVATIONS)[name](z))

    layers = network.layers
    for position, layer in enumerate(layers):
        if isinstance(layer, gn.Dense):
            number += 1
            value = keep(f"Z{number}", F.linear(value, parameters[f"W{number}"].T, parameters.get(f"b{number}")))
            later = layers[position + 1 : position + 3]
            scores = value
            if not any(isinstance(x, gn.Activation) for x in later) or isinstance(later[0], gn.Dense):
                value = activated(layer.activation, value)
        elif isinstance(layer, gn.Activation):
            value = activated(layer.activation, value)
        elif isinstance(layer, gn.BatchNorm):
            value = F.batch_norm(
                value, None, None, parameters[f"gamma{number}"], parameters[f"beta{number}"], training=True,
                momentum=layer.momentum, eps=layer.epsilon,
            )  # fmt: skip
            value = scores = keep(f"B{number}", value)
        elif isinstance(layer, gn.Dropout):
            value = keep(f"D{number}", value * masks[f"M{number}"] / (1 - layer.rate))
    each = (TORCH_LOSSES | CUSTOM_LOSSES)[loss](value, scores, Y).sum(dim=1)
    cost = each.mean() if w is None else (w * each).sum() / w.sum()
    for name, parameter in parameters.items():
        if name[0] == "W":
            cost = cost + l1 * parameter.abs().sum() + 0.5 * l2 * (parameter**2).sum()
    return cost, stations


CUSTOM_ACTIVATIONS = {
    "swish": lambda z: F.silu(z),
    "mish": lambda z: F.mish(z),
}
CUSTOM_LOSSES = {"log_cosh": lambda a, z, y: torch.log(torch.cosh(a - y))}


def compare_gradients(network, loss, *, m=9, weighted=False, l1=0.0, l2=0.0, custom_loss=None, still=()):
    """Every derived gradient of one step equals autograd's, parameters and stations alike.

    `still` are the parameters whose gradient is zero by symmetry: biases that batch normalisation takes away again.
    """
    rng = np.random.default_rng(5)
    X = rng.normal(size=(m, network.input_shape[0]))
    Y = targets_for(loss, m, network.output_units, rng)
    w = rng.uniform(0.2, 3.0, m) if weighted else None
    start = start_of(network, rng)
    run = train(
        network, X, Y, loss=custom_loss or loss, optimizer=gn.SGD(0.01), epochs=1, l1=l1, l2=l2, sample_weight=w,
        initial_parameters=start,
    )  # fmt: skip
    mine = run.intermediates(0)
    leaves = {name: tensor(value).requires_grad_() for name, value in start.items()}
    masks = {name: tensor(value) for name, value in mine.items() if name[0] == "M" and name[1:].isdigit()}
    cost, stations = torch_cost(
        network, leaves, tensor(X), tensor(Y), loss, w=None if w is None else tensor(w), l1=l1, l2=l2, masks=masks
    )
    cost.backward()
    np.testing.assert_allclose(float(mine["J"]), float(cost.detach()), rtol=1e-12)
    compared = 0
    for name, theirs in (stations | leaves).items():
        if f"d{name}" in mine:
            np.testing.assert_allclose(
                mine[f"d{name}"], theirs.grad.numpy(), rtol=1e-10, atol=1e-15, err_msg=f"d{name}"
            )
            largest = np.abs(mine[f"d{name}"]).max()
            assert largest < 1e-15 if name in still else largest > 1e-6
            compared += 1
        np.testing.assert_allclose(mine[name], theirs.detach().numpy(), rtol=1e-12, atol=1e-14, err_msg=name)
    assert all(f"d{name}" in mine for name in leaves)
    assert compared > len(leaves)  # stations too
    return run


# --- (a) gradients --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("loss", "head", "units"), PAIRS)
def test_gradients_of_every_pairing(loss, head, units):
    network = gn.Network(4, gn.Dense(5, "tanh"), gn.Dense(units, head))
    compare_gradients(network, loss)


@pytest.mark.parametrize(("loss", "head", "units"), PAIRS)
def test_gradients_of_every_pairing_with_weights_and_penalties(loss, head, units):
    network = gn.Network(4, gn.Dense(5, "tanh"), gn.Dense(units, head))
    compare_gradients(network, loss, weighted=True, l1=0.03, l2=0.2)


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize(("loss", "head", "units"), [("binary_cross_entropy", "sigmoid", 1), ("huber", "linear", 3)])
def test_gradients_of_every_hidden_activation(hidden, loss, head, units):
    network = gn.Network(4, gn.Dense(6, hidden), gn.Dense(5, hidden, bias=False), gn.Dense(units, head))
    compare_gradients(network, loss, weighted=True, l2=0.1)


@pytest.mark.parametrize("penalty", [{"l1": 0.1}, {"l2": 0.3}])
def test_gradients_of_each_penalty_alone(penalty):
    compare_gradients(gn.Network(4, gn.Dense(3, "softmax")), "categorical_cross_entropy", **penalty)


@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_through_batch_norm(weighted):
    network = gn.Network(
        4, gn.Dense(6), gn.BatchNorm(), gn.Activation("relu"), gn.Dense(5), gn.BatchNorm(), gn.Activation("tanh"),
        gn.Dense(3, "softmax"),
    )  # fmt: skip
    compare_gradients(network, "categorical_cross_entropy", weighted=weighted, l2=0.1, still=("b1", "b2"))


def test_gradients_through_batch_norm_after_the_activation():
    network = gn.Network(4, gn.Dense(6, "tanh"), gn.BatchNorm(epsilon=1e-3), gn.Dense(2, "sigmoid"))
    compare_gradients(network, "binary_cross_entropy")


def test_gradients_through_dropout_with_the_masks_of_the_step():
    network = gn.Network(4, gn.Dense(8, "tanh"), gn.Dropout(0.4), gn.Dense(7, "relu"), gn.Dropout(0.2), gn.Dense(2))
    run = compare_gradients(network, "mean_squared_error", m=20, weighted=True, l1=0.01)
    step = run.intermediates(0)
    for name, rate in (("M1", 0.4), ("M2", 0.2)):
        assert set(np.unique(step[name])) == {0.0, 1.0}
        assert abs(step[name].mean() - (1 - rate)) < 0.12  # 140 or more draws: three standard errors


def test_gradients_through_batch_norm_and_dropout():
    network = gn.Network(4, gn.Dense(8), gn.BatchNorm(), gn.Activation("elu"), gn.Dropout(0.3), gn.Dense(1, "softplus"))
    compare_gradients(network, "poisson", m=16, weighted=True, l2=0.1, still=("b1",))


@pytest.mark.parametrize("name", ["swish", "mish"])
def test_gradients_of_a_custom_activation(name):
    formulas = {"swish": lambda z: z * gn.sigmoid(z), "mish": lambda z: z * gn.tanh(gn.softplus(z))}
    own = gn.activation(name, formulas[name])
    compare_gradients(gn.Network(4, gn.Dense(6, own), gn.Dense(2, own)), "mean_squared_error", l2=0.1)


def test_gradients_of_a_custom_loss():
    def cosh(u):
        return 0.5 * (gn.exp(u) + gn.exp(-u))

    own = gn.loss("log_cosh", lambda y, a: gn.log(cosh(a - y)))
    compare_gradients(gn.Network(4, gn.Dense(6, "gelu"), gn.Dense(3)), "log_cosh", custom_loss=own, weighted=True)


def test_ten_layers():
    network = gn.Network(4, *(gn.Dense(6, "tanh") for _ in range(9)), gn.Dense(3, "softmax"))
    compare_gradients(network, "categorical_cross_entropy")


def test_batch_norm_predicts_and_keeps_running_statistics_as_torch_does():
    # torch's running variance is the unbiased one, m / (m − 1) times the batch's; glassnet's is the one it divides by.
    rng = np.random.default_rng(8)
    X, Y = rng.normal(2.0, 3.0, (12, 4)), rng.normal(size=(12, 2))
    network = gn.Network(4, gn.Dense(3), gn.BatchNorm(momentum=0.3), gn.Activation("tanh"), gn.Dense(2))
    start = start_of(network, rng)
    run = train(network, X, Y, optimizer=gn.SGD(0.05), epochs=1, initial_parameters=start)
    Z = tensor(X) @ tensor(start["W1"]) + tensor(start["b1"])
    mean, var = torch.zeros(3, dtype=torch.float64), torch.ones(3, dtype=torch.float64)
    F.batch_norm(Z, mean, var, training=True, momentum=0.3)
    after = run.parameters
    np.testing.assert_allclose(after["running_mean1"], mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(after["running_var1"] - 0.7, (var.numpy() - 0.7) * 11 / 12, rtol=1e-12)
    now = {name: tensor(value) for name, value in after.items()}
    fresh = tensor(rng.normal(size=(5, 4)))
    hidden = F.batch_norm(
        fresh @ now["W1"] + now["b1"], now["running_mean1"], now["running_var1"], now["gamma1"], now["beta1"]
    )
    expected = torch.tanh(hidden) @ now["W2"] + now["b2"]
    np.testing.assert_allclose(run.predict(fresh.numpy()), expected.numpy(), rtol=1e-12)


# --- (b) optimisers -------------------------------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": (gn.SGD(0.3), lambda p: torch.optim.SGD(p, lr=0.3)),
    "momentum": (gn.SGD(0.1, momentum=0.9), lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)),
    "nesterov": (
        gn.SGD(0.1, momentum=0.8, nesterov=True),
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, nesterov=True),
    ),
    "adagrad": (gn.Adagrad(0.1), lambda p: torch.optim.Adagrad(p, lr=0.1, eps=1e-10)),
    # A larger rate makes RMSprop swing about the minimum within 50 updates, and rounding then doubles in each.
    "rmsprop": (gn.RMSprop(0.003), lambda p: torch.optim.RMSprop(p, lr=0.003, alpha=0.9, eps=1e-8)),
    "rmsprop slow": (
        gn.RMSprop(0.01, rho=0.99, epsilon=1e-4),
        lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.99, eps=1e-4),
    ),
    "adam": (gn.Adam(0.02), lambda p: torch.optim.Adam(p, lr=0.02)),
    "adam own betas": (
        gn.Adam(0.02, beta1=0.8, beta2=0.95, epsilon=1e-3),
        lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.95), eps=1e-3),
    ),
    "adamw": (gn.AdamW(0.02, weight_decay=0.1), lambda p: torch.optim.AdamW(p, lr=0.02)),
}


def grouped(parameters, name):
    """torch's parameter groups; weight decay is for the weights only, as glassnet has it."""
    if name != "adamw":
        return list(parameters.values())
    weights = [p for n, p in parameters.items() if n[0] == "W"]
    biases = [p for n, p in parameters.items() if n[0] != "W"]
    return [{"params": weights, "weight_decay": 0.1}, {"params": biases, "weight_decay": 0.0}]


def compare_training(name, network, loss, *, batch_size, epochs, weighted=False, l1=0.0, l2=0.0, m=23):
    """Parameters after every update equal torch.optim's, on the batches in glassnet's own order."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(m, network.input_shape[0]))
    Y = targets_for(loss, m, network.output_units, rng)
    w = rng.uniform(0.2, 3.0, m) if weighted else None
    start = start_of(network, rng)
    own, torchs = OPTIMIZERS[name]
    run = train(
        network, X, Y, loss=loss, optimizer=own, epochs=epochs, batch_size=batch_size, l1=l1, l2=l2, sample_weight=w,
        seed=3, initial_parameters=start, record="all",
    )  # fmt: skip
    assert (run.status, run.iteration) == ("finished", epochs * run.batches)
    leaves = {n: tensor(v).requires_grad_() for n, v in start.items()}
    optimizer = torchs(grouped(leaves, name))
    sizes = []
    for iteration in range(run.iteration):
        step = run.intermediates(iteration)
        sizes.append(len(step["X"]))
        masks = {n: tensor(v) for n, v in step.items() if n[0] == "M" and n[1:].isdigit()}
        optimizer.zero_grad()
        cost, _ = torch_cost(
            network, leaves, tensor(step["X"]), tensor(step["Y"]), loss, w=tensor(step["w"][:, 0]) if weighted else None,
            l1=l1, l2=l2, masks=masks,
        )  # fmt: skip
        cost.backward()
        optimizer.step()
    for n, theirs in leaves.items():
        np.testing.assert_allclose(run.parameters[n], theirs.detach().numpy(), rtol=1e-10, atol=1e-12, err_msg=n)
        assert np.abs(run.parameters[n] - start[n]).max() > 1e-3  # they moved
    return run, sizes


NETWORK = gn.Network(4, gn.Dense(6, "tanh"), gn.Dense(3, "softmax"))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_full_batch_updates(name):
    run, sizes = compare_training(name, NETWORK, "categorical_cross_entropy", batch_size=None, epochs=50)
    assert sizes == [23] * 50
    assert run.history["cost"][-1] < run.history["cost"][0]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_one_mini_batch_updates_in_our_order(name):
    run, sizes = compare_training(
        name, NETWORK, "categorical_cross_entropy", batch_size=8, epochs=17, weighted=True, l1=0.002, l2=0.05
    )
    assert sizes == [8, 8, 7] * 17
    first, fourth = run.intermediates(0)["X"], run.intermediates(3)["X"]
    assert not np.array_equal(first, fourth)  # another order in every epoch


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_fifty_updates_with_batch_norm_and_dropout(name):
    # Without a bias before the batch norm: its gradient is zero but for rounding, and Adam makes whole steps of that.
    network = gn.Network(
        4, gn.Dense(8, bias=False), gn.BatchNorm(), gn.Activation("tanh"), gn.Dropout(0.25), gn.Dense(1, "sigmoid")
    )
    compare_training(name, network, "binary_cross_entropy", batch_size=None, epochs=50, l2=0.01)


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_one_sample_at_a_time(name):
    _, sizes = compare_training(name, NETWORK, "categorical_cross_entropy", batch_size=1, epochs=5, m=10)
    assert sizes == [1] * 50


# --- (c) the derivation on torch tensors ----------------------------------------------------------------------------


def compare_engines(network, loss, optimizer, *, l1=0.0, l2=0.0, steps=3):
    """Three steps of the same lines on NumPy arrays and on torch tensors: every value of every line."""
    xp = array_api_compat.array_namespace(torch.zeros(1))
    rng = np.random.default_rng(17)
    m = 9
    derivation = gn.derive(network, loss, optimizer, l1=l1, l2=l2, sample_weight=True)
    X, Y = rng.normal(size=(m, network.input_shape[0])), targets_for(loss, m, network.output_units, rng)
    w = rng.uniform(0.2, 3.0, (m, 1))
    masks = {
        name: (rng.random((m, int(symbol.shape[1]))) >= rate).astype(float)
        for name, (symbol, rate) in derivation.masks.items()
    }
    start = start_of(network, rng)
    mine, theirs = ReferenceEngine(derivation), ReferenceEngine(derivation, xp=xp)
    state = mine.initial_state(start)
    tensors = theirs.initial_state({name: tensor(value) for name, value in start.items()})
    batch = Batch(X, Y, w, masks)
    other = Batch(tensor(X), tensor(Y), tensor(w), {name: tensor(mask) for name, mask in masks.items()})
    for number in range(1, steps + 1):
        values, found = mine.step(state, batch, 0.05, number), theirs.step(tensors, other, 0.05, number)
        for equation in derivation.equations:
            got = found[equation.name]
            assert isinstance(got, torch.Tensor), equation.name
            assert got.dtype == torch.float64
            np.testing.assert_allclose(
                got.numpy(), values[equation.name], rtol=1e-12, atol=1e-14, err_msg=equation.name
            )
    np.testing.assert_allclose(theirs.predict(tensors, tensor(X)).numpy(), mine.predict(state, X), rtol=1e-12)
    here, there = mine.cost(state, X, Y, w), theirs.cost(tensors, tensor(X), tensor(Y), tensor(w))
    np.testing.assert_allclose(there[:2], here[:2], rtol=1e-12)
    np.testing.assert_allclose(theirs.penalty(tensors, 7.0), mine.penalty(state, 7.0), rtol=1e-12)


@pytest.mark.parametrize(("loss", "head", "units"), PAIRS)
def test_every_pairing_on_torch_tensors(loss, head, units):
    network = gn.Network(4, gn.Dense(5, "tanh"), gn.Dense(units, head))
    compare_engines(network, loss, gn.SGD(0.05), l1=0.02, l2=0.1)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_hidden_activation_on_torch_tensors(hidden):
    compare_engines(gn.Network(4, gn.Dense(5, hidden), gn.Dense(2)), "mean_squared_error", gn.Adam())


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimiser_on_torch_tensors(name):
    network = gn.Network(
        4, gn.Dense(5, bias=False), gn.BatchNorm(), gn.Activation("tanh"), gn.Dropout(0.3), gn.Dense(3, "softmax")
    )
    compare_engines(network, "categorical_cross_entropy", OPTIMIZERS[name][0], l2=0.1)


@pytest.mark.parametrize(("loss", "head", "units"), [
    ("mean_squared_error", "linear", 2), ("binary_cross_entropy", "sigmoid", 1), ("poisson", "exp", 1),
    ("categorical_cross_entropy", "softmax", 3),
])  # fmt: skip
def test_newtons_step_on_torch_tensors(loss, head, units):
    compare_engines(gn.Network(4, gn.Dense(units, head)), loss, gn.Newton(), l2=0.1)


def test_the_normal_equations_on_torch_tensors():
    compare_engines(gn.Network(4, gn.Dense(2)), "mean_squared_error", gn.LeastSquares(), l2=0.1)


def test_a_number_that_is_not_finite_is_named_on_torch_tensors_too():
    from glassnet.engines.base import NonFiniteValue

    network = gn.Network(2, gn.Dense(2, "exp"), gn.Dense(1))
    engine = ReferenceEngine(gn.derive(network), xp=array_api_compat.array_namespace(torch.zeros(1)))
    state = engine.initial_state({n: tensor(v) for n, v in network.initial_parameters(0).items()})
    before = {name: value.clone() for name, value in state.items()}
    with pytest.raises(NonFiniteValue) as caught:
        engine.step(state, Batch(tensor([[1e4, -1e4], [-1e4, 1e4]]), tensor([[0.0], [1.0]]), None, {}), 0.1, 1)
    assert caught.value.equation == "A1"
    assert all(torch.equal(state[name], before[name]) for name in before)


# --- (d) schedules --------------------------------------------------------------------------------------------------


def rates(schedule, epochs):
    """The learning rates a training used, one update an epoch."""
    X, Y = np.array([[0.0], [1.0]]), np.array([0.0, 1.0])
    run = train(gn.Network(1, gn.Dense(1, "sigmoid")), X, Y, optimizer=gn.SGD(schedule), epochs=epochs)
    return run.history["learning_rate"]


def torch_rates(make, rate, epochs):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    scheduler = make(optimizer)
    found = []
    for _ in range(epochs):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def lr(name, *arguments, **settings):
    return lambda optimizer: getattr(torch.optim.lr_scheduler, name)(optimizer, *arguments, **settings)


SCHEDULES = {
    "step": (gn.StepDecay(0.4, every=7, factor=0.3), lr("StepLR", 7, gamma=0.3), 40),
    "exponential": (gn.ExponentialDecay(0.4, decay=0.9), lr("ExponentialLR", 0.9), 40),
    "cosine": (gn.CosineDecay(0.4, epochs=30), lr("CosineAnnealingLR", 30), 31),
    "cosine to an end": (gn.CosineDecay(0.4, epochs=30, end=0.05), lr("CosineAnnealingLR", 30, eta_min=0.05), 31),
    "warm-up": (gn.WarmUp(0.4, iterations=10), lr("LinearLR", 0.1, 1.0, 9), 25),
    # torch's start and end are 1/25 and 1/(25 · 400) = 1/10⁴ of the top; it counts both ends as steps.
    "one-cycle": (
        gn.OneCycle(0.4, epochs=40, rise=0.3),
        lr("OneCycleLR", 0.4, 41, pct_start=13 / 41, div_factor=25, final_div_factor=400, cycle_momentum=False),
        40,
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name):
    schedule, make, epochs = SCHEDULES[name]
    mine = rates(schedule, epochs)
    np.testing.assert_allclose(mine, torch_rates(make, 0.4, epochs), rtol=1e-11, atol=1e-16)
    assert len(np.unique(np.round(mine, 12))) > 3  # the rate changed


@pytest.mark.parametrize("patience", [1, 3])
def test_the_adaptive_schedule_is_torchs_plateau(patience):
    # torch reduces when more than `patience` epochs were bad; it keeps its best under a threshold, so the two coincide
    # when any improvement counts. The rate starts too high, so that the cost goes up and down.
    rng = np.random.default_rng(2)
    X = rng.normal(size=(30, 3))
    Y = (X[:, 0] * X[:, 1] > 0).astype(float)
    schedule = gn.Adaptive(12.0, factor=0.5, patience=patience, tolerance=0.0, minimum=0.5)
    network = gn.Network(3, gn.Dense(8, "tanh"), gn.Dense(1, "sigmoid"))
    run = train(network, X, Y, optimizer=gn.SGD(schedule), epochs=80)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=12.0)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=patience - 1, threshold=0.0, threshold_mode="abs", min_lr=0.5, eps=0.0
    )
    expected = []
    for cost in run.history["cost"]:
        expected.append(optimizer.param_groups[0]["lr"])
        plateau.step(cost)
    np.testing.assert_array_equal(run.history["learning_rate"], expected)
    assert len(set(expected)) > 2
