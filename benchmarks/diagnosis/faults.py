"""One fault for each kind of cause: what of a healthy training it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

import glassnet as gn
from benchmarks.diagnosis import faults_of_data as data
from benchmarks.diagnosis.recipes import NUMBERS, Recipe

Plant = Callable[[Recipe, int], Recipe]
SEVERAL = ("iris", "wine", "blobs", "spiral", "digits")
MANY = ("moons", "iris", "diabetes", "digits", "breast_cancer", "pictures")
LABELLED = ("moons", "circles", "breast_cancer", "iris", "digits", "wine")


@dataclass(frozen=True)
class Fault:
    """How a kind of fault is planted.

    Attributes
    ----------
    plant : (recipe, seed) -> the recipe with the fault, and nothing else changed
    on : data sets that can have it
    before : what of the base is settled first, in the healthy twin too
    also : other kinds that name the same cause
    """

    plant: Plant
    on: tuple[str, ...] = MANY
    before: Plant | None = None
    also: tuple[str, ...] = ()


def _sgd(rate: float = 0.05, momentum: float = 0.0) -> Plant:
    return lambda r, seed: r.set(optimizer=gn.SGD(rate, momentum))


def _relu(r: Recipe, seed: int) -> Recipe:
    return r.layers(lambda layer: replace(layer, activation="relu"))


def _activation(name: str) -> Plant:
    return lambda r, seed: r.layers(lambda layer: replace(layer, activation=name))


def _init(*texts: str, head: bool = True) -> Plant:
    return lambda r, seed: r.layers(lambda layer: replace(layer, init=texts[seed % len(texts)]), head)


def _hidden(*layers: Any) -> Plant:
    return lambda r, seed: replace(r, hidden=layers)


def _set(*choices: dict[str, Any]) -> Plant:
    return lambda r, seed: r.set(**choices[seed % len(choices)])


def _optimizer(*choices: Any) -> Plant:
    return _set(*({"optimizer": choice} for choice in choices))


def _head(activation: str) -> Plant:
    return lambda r, seed: replace(r, head=replace(r.head, activation=activation))


def _kept(a: Any) -> Any:
    return gn.minimum(gn.maximum(a, 1e-7), 1 - 1e-7)


def _unfit(activation: str) -> Plant:
    """An output that is no probability, under a cross-entropy: by name it is refused, with a loss of one's own it runs."""

    def plant(r: Recipe, seed: int) -> Recipe:
        head = replace(r.head, activation=activation)
        if r.classes == 2:
            name, made = "binary_cross_entropy", lambda y, a: -(y * gn.log(_kept(a)) + (1 - y) * gn.log(_kept(1 - a)))
        else:
            name, made = "categorical_cross_entropy", lambda y, a: -(y * gn.log(_kept(a)))
        changed = replace(r, head=head, written={"loss": name}).set(loss=gn.loss("clipped_cross_entropy", made))
        return changed if seed % 2 else replace(changed, written=None)

    return plant


def _refused_head(r: Recipe, seed: int) -> Recipe:
    name = "binary_cross_entropy" if seed % 2 else "categorical_cross_entropy"
    return replace(r, head=gn.Dense(1, "softmax"), written={}).set(loss=name)


def _softmax_twice(r: Recipe, seed: int) -> Recipe:
    return replace(r, hidden=(*r.hidden, gn.Dense(r.head.units, "softmax")))


def _sigmoids(r: Recipe, seed: int) -> Recipe:
    return replace(r, head=replace(r.head, activation="sigmoid")).set(loss="binary_cross_entropy")


def _several_questions(r: Recipe, seed: int) -> Recipe:
    """Each class's own question, and two about the features: more than one may be true."""
    rows = r.rows

    def asked(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        return np.column_stack([Y[:, 0], X[:, 0] > 0, X[:, 1] > -0.3]).astype(float)

    rows = replace(rows, Y=asked(rows.X, rows.Y), Y_test=asked(rows.X_test, rows.Y_test))
    return replace(r, rows=rows, classes=2, head=gn.Dense(3, "sigmoid"))


def _competing(r: Recipe, seed: int) -> Recipe:
    written = {"loss": "categorical_cross_entropy"} if seed % 2 else None
    return replace(r, head=replace(r.head, activation="softmax"), written=written).set(loss="mean_squared_error")


def _fewer_units(r: Recipe, seed: int) -> Recipe:
    return replace(r, head=replace(r.head, units=r.head.units + (-1, 2)[seed % 2]), written={})


def _negated(r: Recipe, seed: int) -> Recipe:
    if r.classes == 0:
        return r.set(loss=gn.loss("turned_error", lambda y, a: -((a - y) ** 2)))
    if r.classes == 2:
        turned = gn.loss("turned_cross_entropy", lambda y, a: y * gn.log(_kept(a)) + (1 - y) * gn.log(_kept(1 - a)))
        return r.set(loss=turned)
    return r.set(loss=gn.loss("turned_cross_entropy", lambda y, a: y * gn.log(_kept(a))))


def _summed(r: Recipe, seed: int) -> Recipe:
    rows = float(r.settings["batch_size"] * (1, 4, 20)[seed % 3])
    if r.classes == 0:
        return r.set(loss=gn.loss("summed_squared_error", lambda y, a: rows * (a - y) ** 2))
    if r.classes == 2:
        made = gn.loss("summed_cross_entropy", lambda y, a: -rows * (y * gn.log(a) + (1 - y) * gn.log(1 - a)))
        return r.set(loss=made)
    return r.set(loss=gn.loss("summed_cross_entropy", lambda y, a: -rows * y * gn.log(a)))


def _unguarded(r: Recipe, seed: int) -> Recipe:
    """A cross-entropy by hand on an output that reaches 0 and 1."""
    if r.classes == 2:
        made = gn.loss("own_cross_entropy", lambda y, a: -(y * gn.log(a) + (1 - y) * gn.log(1 - a)))
    else:
        made = gn.loss("own_cross_entropy", lambda y, a: -(y * gn.log(a)))
    return replace(r, head=replace(r.head, activation="relu" if seed % 2 else "linear")).set(loss=made)


def _other_loss(r: Recipe, seed: int) -> Recipe:
    return r.set(loss=("mean_absolute_error", "mean_squared_error", "poisson")[seed % 3])


def _unusual_dropout(r: Recipe, seed: int) -> Recipe:
    rate = (0.95, 0.9, 0.97)[seed % 3]
    weighted = (gn.Dense, gn.Conv2D)
    hidden = ((layer, gn.Dropout(rate)) if isinstance(layer, weighted) else (layer,) for layer in r.hidden)
    return replace(r, hidden=tuple(layer for pair in hidden for layer in pair))


def _badly_normalised(r: Recipe, seed: int) -> Recipe:
    """Running statistics that hardly move: evaluation uses those it began with."""
    hidden = tuple(x for layer in r.hidden for x in (layer, gn.BatchNorm(momentum=1e-5)))
    return replace(r, hidden=hidden)


def _wide_on_few(r: Recipe, seed: int) -> Recipe:
    """Few rows: the base is stopped in time, the fault trains a wide network to the end."""
    few = replace(r, rows=r.rows.only(np.arange(60)))
    return few.set(epochs=25, l2=0.01)


def _overfitted(r: Recipe, seed: int) -> Recipe:
    wide = tuple(replace(layer, units=128) if isinstance(layer, gn.Dense) else layer for layer in r.hidden)
    return replace(r, hidden=wide).set(epochs=200, l2=0.0)


def _dead(r: Recipe, seed: int) -> Recipe:
    return r.layers(lambda layer: replace(layer, bias_init=("constant(-10)", "constant(-30)")[seed % 2]))


def _far_bias(r: Recipe, seed: int) -> Recipe:
    return r.layers(lambda layer: replace(layer, bias_init=("constant(-20)", "constant(50)")[seed % 2]), head=True)


def _narrow(r: Recipe, seed: int) -> Recipe:
    if seed % 2:
        return replace(r, hidden=(gn.Dense(1, "relu"),))
    return replace(r, hidden=(*r.hidden, gn.Dense(1, "relu"), gn.Dense(16, "relu")))


DENSE = ("moons", "circles", "iris", "digits", "diabetes", "breast_cancer")
ROUND = ("moons", "circles", "flower", "spiral", "waves", "friedman")
FAULTS: dict[str, Fault] = {
    **{
        kind: Fault(plant, on, data.BEFORE.get(kind), data.ALSO.get(kind, ()))
        for kind, (plant, on) in data.FAULTS.items()
    },
    "out.relu_output": Fault(_unfit("relu"), LABELLED, also=("out.missing_softmax", "out.missing_sigmoid")),
    "out.softmax_single_unit": Fault(_refused_head, ("moons", "circles", "flower", "breast_cancer", "xor")),
    "out.missing_softmax": Fault(_unfit("linear"), SEVERAL, also=("loss.log_of_zero",)),
    "out.missing_sigmoid": Fault(
        _unfit("linear"), ("moons", "circles", "flower", "breast_cancer", "xor"), also=("out.missing_softmax",)
    ),
    "out.redundant_softmax": Fault(_softmax_twice, SEVERAL, _sgd(0.05, 0.9), ("arch.softmax_hidden",)),
    "out.sigmoid_multiclass": Fault(_sigmoids, SEVERAL),
    "out.softmax_multilabel": Fault(
        _competing, ("moons", "circles", "flower", "blobs", "breast_cancer"), _several_questions, ("loss.wrong_kind",)
    ),
    "out.range_mismatch": Fault(
        lambda r, seed: replace(r, head=gn.Dense(1, ("sigmoid", "relu", "sigmoid")[seed % 3])).set(
            loss="mean_squared_error"
        ),
        NUMBERS,
        also=("out.relu_output",),
    ),
    "out.wrong_units": Fault(_fewer_units, SEVERAL, also=("data.dtype_shape",)),
    "loss.wrong_kind": Fault(_other_loss, (*SEVERAL, "pictures")),
    "loss.reduction": Fault(_summed, MANY, _sgd(0.05), ("opt.lr_too_large",)),
    "loss.log_of_zero": Fault(
        _unguarded, LABELLED, also=("out.missing_softmax", "out.missing_sigmoid", "out.relu_output")
    ),
    "init.symmetric": Fault(_init("constant(0.1)", "zeros", "constant(0.5)"), (*MANY, "circles", "flower")),
    "init.too_large": Fault(_init("normal(20)", "normal(50)", "normal(10)")),
    "init.too_small": Fault(_init("normal(0.0001)", "normal(0.001)"), DENSE, _sgd(0.05)),
    "init.wrong_scale": Fault(_init("normal(1)", "normal(2)"), also=("init.too_large",)),
    "init.bias": Fault(_far_bias, DENSE, _relu, ("arch.dying_relu",)),
    "arch.missing_nonlinearity": Fault(_activation("linear"), ROUND),
    "arch.softmax_hidden": Fault(_activation("softmax"), DENSE, _sgd(0.05)),
    "arch.saturating_hidden": Fault(_hidden(*[gn.Dense(16, "sigmoid")] * 8), DENSE, _sgd(0.05), ("arch.too_deep",)),
    "arch.exploding_hidden": Fault(_hidden(*[gn.Dense(8, "exp")] * 5), DENSE),
    "arch.exploding_gradient": Fault(
        _hidden(*[gn.Dense(32, "relu", init="normal(0.9)")] * 10),
        DENSE,
        also=("init.too_large", "arch.exploding_hidden"),
    ),
    "arch.dying_relu": Fault(_dead, DENSE, _relu, ("init.bias",)),
    "arch.too_deep": Fault(
        _hidden(*[gn.Dense(5, "relu")] * 24), DENSE, also=("arch.dying_relu", "arch.saturating_hidden")
    ),
    "arch.too_little_capacity": Fault(_narrow, (*ROUND, "digits")),
    "arch.too_much_capacity": Fault(_overfitted, DENSE, _wide_on_few, ("reg.missing", "data.too_few_samples")),
    "arch.batch_norm": Fault(_badly_normalised, DENSE),
    "arch.frozen": Fault(_activation("step"), (*ROUND, "digits")),
    "opt.lr_too_large": Fault(_optimizer(gn.SGD(10.0), gn.Adam(1.0), gn.SGD(50.0), gn.Adam(3.0), gn.RMSprop(1.0))),
    "opt.lr_too_small": Fault(_optimizer(gn.Adam(1e-6), gn.SGD(1e-5), gn.Adam(1e-5), gn.SGD(1e-4), gn.RMSprop(1e-6))),
    "opt.sign": Fault(_negated),
    "opt.oscillation": Fault(
        _set(
            {"optimizer": gn.SGD(0.5, 0.9), "batch_size": 2, "epochs": 15},
            {"optimizer": gn.SGD(0.2, 0.95), "batch_size": 1, "epochs": 10},
        ),
        also=("opt.batch_size", "opt.lr_too_large", "opt.momentum"),
    ),
    "opt.momentum": Fault(_optimizer(gn.SGD(0.1, 0.999), gn.SGD(0.05, 0.998)), before=_sgd(0.05, 0.9)),
    "opt.adam_epsilon": Fault(
        _optimizer(gn.Adam(0.01, epsilon=10.0), gn.Adam(0.01, 0.0, 0.1), gn.Adam(0.01, 0.99, 0.999, 30.0)),
        before=_optimizer(gn.Adam(0.01)),
    ),
    "opt.wrong_optimizer": Fault(_optimizer(gn.Adagrad(0.0005), gn.SGD(0.001)), also=("opt.lr_too_small",)),
    "opt.batch_size": Fault(
        _set({"batch_size": 1, "optimizer": gn.SGD(0.5), "epochs": 8}, {"batch_size": 10_000, "epochs": 8}),
        also=("opt.lr_too_large", "opt.oscillation", "opt.too_few_epochs"),
    ),
    "opt.too_few_epochs": Fault(_set({"epochs": 1}, {"epochs": 2}), before=_sgd(0.05), also=("opt.lr_too_small",)),
    "reg.too_strong": Fault(_set({"l2": 2.0}, {"l1": 0.5}, {"l2": 1.0})),
    "reg.missing": Fault(_overfitted, DENSE, _wide_on_few, ("arch.too_much_capacity", "data.too_few_samples")),
    "reg.dropout_too_high": Fault(_unusual_dropout),
}
