"""Published and derived cases, read from their JSON files and said as calls of `gn.train`.

The sources speak Keras: an optimiser without numbers has Keras' defaults, a layer without an initialiser starts as Glorot
said, losses are means over the outputs. What glassnet says differently is noted in `Trial.nearest`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import glassnet as gn
from benchmarks.diagnosis.published_data import NotAtHand, changed, rows_of
from benchmarks.diagnosis.trials import NARROW, Trial

ACTIVATIONS = {"exponential": "exp", None: "linear"}
SMALLEST = 1e-7
"""Keras keeps probabilities this far from 0 and 1 before it takes their logarithm."""


class CannotSay(Exception):
    """Glassnet has no words for a case; the message says for what."""


def files_in(folder: Path) -> list[Path]:
    """The files of cases in a folder."""
    return sorted(folder.glob("*.json"))


def read(path: Path) -> list[dict[str, Any]]:
    """The cases of one file, as they stand there."""
    cases: list[dict[str, Any]] = json.loads(path.read_text())
    return cases


def trials(folder: Path, files: Sequence[Path] = ()) -> list[Trial]:
    """Every case of the files, or of all files in the folder."""
    return [trial_of(case, path.parent) for path in files or files_in(folder) for case in read(path)]


def trial_of(case: Mapping[str, Any], folder: Path) -> Trial:
    """One case as a trial; `folder` holds the tables that it names."""
    known = truth(case)
    try:
        return _said(case, folder, known)
    except (CannotSay, NotAtHand, gn.GlassnetError) as problem:
        return Trial(case["id"], "published", cannot=str(problem), **known)


def truth(case: Mapping[str, Any]) -> dict[str, Any]:
    """What was measured for a case: whether it fails, its score, what it needed."""
    found = case["reproduced"]
    mean, needed = found.get("mean"), found.get("threshold")
    near = mean is not None and needed is not None and abs(mean - needed) < NARROW
    return {
        "kinds": tuple(case.get("fault_kinds") or ()), "fails": case.get("measured", case.get("label")) == "fails",
        "needed": needed, "score": mean, "borderline": bool(near or found.get("borderline")),
    }  # fmt: skip


def _said(case: Mapping[str, Any], folder: Path, known: Mapping[str, Any]) -> Trial:
    asked = case.get("run_config") or case
    nearest: list[str] = []
    rows = changed(rows_of(case["dataset"], folder), case.get("data_change") or ())
    Y = rows.Y
    if case.get("misalign"):
        Y = Y[np.random.default_rng(0).permutation(len(Y))]
        nearest.append("targets in one other order, not in a new one each epoch")
    layers = list((asked.get("network") or case["network"])["layers"])
    outputs = Y.shape[1]
    loss, head, factor, refused = loss_of(asked, layers, outputs, int(asked.get("batch_size") or 32), nearest)
    shape = rows.X.shape[1:] if rows.X.ndim == 4 else int(rows.X.shape[1])
    network, start = network_of(layers, shape, head, nearest)
    rule = dict(asked["optimizer"])
    settings: dict[str, Any] = {
        "loss": loss, "optimizer": optimizer_of(rule, factor), "epochs": int(asked["epochs"]),
        "batch_size": int(asked.get("batch_size") or 32), "shuffle": bool(asked.get("shuffle", True)), "seed": 0,
        **penalty_of(layers, factor if rule["type"] == "sgd" else 1.0, nearest),
    }  # fmt: skip
    if start:
        settings["initial_parameters"] = start
    held = (rows.X_test, rows.Y_test) if len(rows.X_test) else None
    written = None if refused is None else {"loss": refused, "network": network}
    if refused == loss and written is not None:
        written = {}
    return Trial(
        case["id"], "published", network, rows.X, Y, held, settings, written=written, nearest=tuple(nearest), **known
    )


def loss_of(
    asked: Mapping[str, Any], layers: Sequence[Mapping[str, Any]], outputs: int, batch: int, nearest: list[str]
) -> tuple[Any, str, float, str | None]:
    """Loss, output activation, by what the rate of plain descent is multiplied, and the refused name.

    Keras takes the mean over the outputs of losses of numbers and of yes-or-no questions, glassnet the sum: a rate for the
    mean is k times too long for the sum.

    Raises
    ------
    CannotSay : a loss that glassnet has no equation for
    """
    name, head = asked["loss"], ACTIVATIONS.get(layers[-1].get("activation"), layers[-1].get("activation") or "linear")
    rule = asked["optimizer"]
    plain = rule["type"] == "sgd"
    sign = -1.0 if rule.get("flip_sign") else 1.0
    mean = 1 / outputs if plain else 1.0
    if name.endswith("_on_logits"):
        kind = "softmax" if "softmax" in name else "sigmoid"
        if head != "linear":
            raise CannotSay(f"{kind} of {head} outputs: an activation after an activation")
        head = kind
        name = "categorical_crossentropy" if kind == "softmax" else "binary_crossentropy"
    if name == "ce_softmax_over_batch":
        raise CannotSay("softmax over the rows of a batch: glassnet's is over the classes")
    if name in ("mse", "mean_squared_error"):
        if plain:
            share = sign / outputs
            return gn.loss("squared_error", lambda y, a: share * (a - y) ** 2), head, 1.0, None
        return "mean_squared_error", head, 1.0, _one(head, outputs, "mean_squared_error")
    if name == "sum_squared_error":
        return gn.loss("summed_squared_error", lambda y, a: sign * batch * (a - y) ** 2), head, 1.0, None
    if name in ("mae", "mean_absolute_error"):
        return "mean_absolute_error", head, mean, _one(head, outputs, "mean_absolute_error")
    if name in ("sum_ce", "sum_of_mean_ce"):
        times = batch if name == "sum_ce" else batch / outputs
        return gn.loss("summed_cross_entropy", lambda y, a: -times * sign * y * gn.log(a)), head, 1.0, None
    if name == "binary_crossentropy":
        return _binary(head, outputs, mean, sign, nearest)
    if name in ("categorical_crossentropy", "categorical_crossentropy_no_norm", "sparse_categorical_crossentropy"):
        return _categorical(head, outputs, sign, nearest)
    raise CannotSay(f"the loss {name!r}")


def _one(head: str, outputs: int, name: str) -> str | None:
    """A softmax over one output is refused under every loss."""
    return name if head == "softmax" and outputs == 1 else None


def _binary(
    head: str, outputs: int, mean: float, sign: float, nearest: list[str]
) -> tuple[Any, str, float, str | None]:
    if head == "sigmoid" and sign > 0:
        return "binary_cross_entropy", head, mean, None
    if head == "softmax" and outputs == 1:
        return "binary_cross_entropy", head, mean, "binary_cross_entropy"
    made = gn.loss(
        "clipped_cross_entropy",
        lambda y, a: -sign * (y * gn.log(_kept(a)) + (1 - y) * gn.log(_kept(1 - a))),
    )
    if head != "sigmoid":
        nearest.append("a loss of its own, clipped as Keras clips")
    return made, head, mean, None if head == "sigmoid" else "binary_cross_entropy"


def _categorical(head: str, outputs: int, sign: float, nearest: list[str]) -> tuple[Any, str, float, str | None]:
    if head == "softmax":
        if sign > 0:
            refused = "categorical_cross_entropy" if outputs == 1 else None
            return "categorical_cross_entropy", head, 1.0, refused
        return gn.loss("turned_cross_entropy", lambda y, a: y * gn.log(a)), head, 1.0, None
    if head == "sigmoid":
        nearest.append("binary cross-entropy for sigmoids that Keras divides by their sum")
        return "binary_cross_entropy", head, 1.0, None
    nearest.append("a loss of its own, clipped as Keras clips, of outputs that are not divided by their sum")
    made = gn.loss("clipped_cross_entropy", lambda y, a: -sign * y * gn.log(_kept(a)))
    return made, head, 1.0, "categorical_cross_entropy"


def _kept(a: Any) -> Any:
    return gn.minimum(gn.maximum(a, SMALLEST), 1 - SMALLEST)


def optimizer_of(rule: Mapping[str, Any], factor: float = 1.0) -> Any:
    """The optimiser with Keras' defaults; `factor` is what the rate of plain descent is multiplied with.

    Raises
    ------
    CannotSay : an optimiser that glassnet has no rule for
    """
    kind, rate = rule["type"], rule.get("lr")
    if kind == "sgd":
        nesterov = bool(rule.get("nesterov", False))
        return gn.SGD(factor * (0.01 if rate is None else rate), float(rule.get("momentum", 0.0)), nesterov)
    rate = rate if rate is not None else 0.01 if kind == "adagrad" else 0.001
    if kind in ("adam", "adamw"):
        betas = float(rule.get("beta_1", 0.9)), float(rule.get("beta_2", 0.999))
        made = gn.Adam if kind == "adam" else gn.AdamW
        return made(rate, *betas, epsilon=float(rule.get("epsilon", SMALLEST)))
    if kind == "rmsprop":
        return gn.RMSprop(rate, float(rule.get("rho", 0.9)), float(rule.get("epsilon", SMALLEST)))
    if kind == "adagrad":
        return gn.Adagrad(rate, float(rule.get("epsilon", SMALLEST)))
    raise CannotSay(f"the optimiser {kind!r}")


def penalty_of(layers: Sequence[Mapping[str, Any]], factor: float, nearest: list[str]) -> dict[str, float]:
    """λ ΣW² of Keras is ½ λ₂ ΣW² with λ₂ = 2λ. Glassnet has one for all layers: the largest that a layer has."""
    weighted = [layer.get("kernel_regularizer") or {} for layer in layers if layer["type"] in ("dense", "conv2d")]
    found: dict[str, float] = {}
    for name, times in (("l1", 1.0), ("l2", 2.0)):
        each = [times * float(w.get(name) or 0.0) / factor for w in weighted]
        if max(each) > 0:
            found[name] = max(each)
            if min(each) < max(each):
                nearest.append(f"{name} on all layers")
    return found


def network_of(
    layers: Sequence[Mapping[str, Any]], shape: Any, head: str, nearest: list[str]
) -> tuple[gn.Network, dict[str, np.ndarray]]:
    """The network, and the starting values of what no initialiser of glassnet draws."""
    made: list[Any] = []
    for position, layer in enumerate(layers):
        last = position == len(layers) - 1
        made.append(_layer(layer, head if last else ACTIVATIONS.get(layer.get("activation"), layer.get("activation"))))
    if isinstance(shape, tuple) and isinstance(made[0], gn.Dense):
        made.insert(0, gn.Flatten())
    network = gn.Network(shape, *made)
    drawn = network.initial_parameters(0)
    sources = [layer for layer in layers if layer["type"] in ("dense", "conv2d")]
    for number, layer in enumerate(sources, start=1):
        place = [i for i, m in enumerate(made) if isinstance(m, gn.Dense | gn.Conv2D)][number - 1]
        words = {"init": layer.get("kernel_init"), "bias_init": layer.get("bias_init")}
        for name, text in words.items():
            parameter = drawn.get(("W" if name == "init" else "b") + str(number))
            if parameter is None:
                continue
            said = "zeros" if name == "bias_init" and text is None else start_of(text, parameter.shape)
            made[place] = _with(made[place], **{name: said})
    network = gn.Network(shape, *made)
    start: dict[str, np.ndarray] = {}
    for number, layer in enumerate(sources, start=1):
        kernel = layer.get("kernel_init") or {}
        if kernel.get("type") == "truncated_normal":
            draws = np.random.default_rng(number)
            start[f"W{number}"] = _truncated(drawn[f"W{number}"].shape, draws) * float(kernel.get("std", 0.05))
    return network, start


def _truncated(shape: tuple[int, ...], draws: np.random.Generator) -> np.ndarray:
    """Normal numbers; those beyond 2 are drawn again."""
    values = draws.standard_normal(shape)
    while (beyond := np.abs(values) > 2).any():
        values[beyond] = draws.standard_normal(int(beyond.sum()))
    return values


def _with(layer: Any, **words: Any) -> Any:
    return replace(layer, **words)


def _layer(layer: Mapping[str, Any], activation: str | None) -> Any:
    kind = layer["type"]
    activation = activation or "linear"
    match kind:
        case "dense":
            return gn.Dense(int(layer["units"]), activation, bias=bool(layer.get("use_bias", True)))
        case "conv2d":
            size, stride = tuple(layer["kernel_size"]), tuple(layer.get("strides") or (1, 1))
            return gn.Conv2D(
                int(layer["filters"]), size, activation, stride=stride, padding=layer.get("padding", "valid"),
                bias=bool(layer.get("use_bias", True)),
            )  # fmt: skip
        case "max_pool2d" | "average_pool2d":
            size = tuple(layer["pool_size"])
            made = gn.MaxPool2D if kind == "max_pool2d" else gn.AveragePool2D
            return made(size, tuple(layer.get("strides") or size), "drop")
        case "flatten":
            return gn.Flatten()
        case "dropout":
            return gn.Dropout(float(layer["rate"]))
        case "batch_norm" | "batch_normalization":
            return gn.BatchNorm()
        case "activation":
            return gn.Activation(activation)
    raise CannotSay(f"the layer {kind!r}")


def start_of(described: Mapping[str, Any] | None, shape: tuple[int, ...]) -> str:
    """An initialiser in glassnet's notation, for a parameter of this shape. None is Keras' default, Glorot's.

    Raises
    ------
    CannotSay : an initialiser that glassnet cannot draw
    """
    from glassnet.equations.initializers import fans

    if described is None:
        return "xavier"
    match described["type"]:
        case "zeros" | "ones" as name:
            return str(name)
        case "constant":
            return f"constant({float(described.get('value', 0.0))!r})"
        case "normal" | "random_normal" | "truncated_normal":
            return f"normal({float(described.get('std', 0.05))!r})"
        case "uniform" | "random_uniform":
            return f"uniform({float(described.get('low', -0.05))!r}, {float(described.get('high', 0.05))!r})"
        case "orthogonal":
            return "orthogonal"
        case "glorot_uniform":
            return "xavier"
        case "he_normal":
            return "he"
        case "variance_scaling":
            n_in, n_out = fans(shape)
            fan = {"fan_in": n_in, "fan_out": n_out, "fan_avg": (n_in + n_out) / 2}[described["mode"]]
            variance = float(described["scale"]) / fan
            if "normal" in described["distribution"]:
                return f"normal({math.sqrt(variance)!r})"
            most = math.sqrt(3 * variance)
            return f"uniform({-most!r}, {most!r})"
    raise CannotSay(f"the initialiser {described['type']!r}")
