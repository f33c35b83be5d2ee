"""glassnet as a user calls it: the whole of `gn.train`, or of `gn.MLPClassifier` where a fit is measured."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks.peers import Trainer
from benchmarks.workloads import Parameters, Problem, Workload


class Train:
    """`gn.train` with every setting of the workload."""

    def __init__(self, problem: Problem, variant: str) -> None:
        import glassnet as gn

        w, self.gn = problem.workload, gn
        hidden = [gn.Dense(units, w.activation) for units in w.widths[1:-1]]
        self.net = gn.Network(w.image or w.widths[0], *stages(w), *hidden, gn.Dense(w.widths[-1], w.output))
        self.X, self.Y = problem.X, problem.targets
        self.layers = len(problem.start)
        start = {f"{kind}{n}": a for n, pair in enumerate(problem.start, 1) for kind, a in zip("Wb", pair, strict=True)}
        self.settings: dict[str, Any] = {
            "loss": "binary_cross_entropy" if w.output == "sigmoid" else "categorical_cross_entropy",
            "optimizer": gn.SGD(w.rate) if w.rule == "sgd" else gn.Adam(w.rate),
            "epochs": w.epochs,
            "batch_size": w.batch,
            "shuffle": False if problem.order is None else order_of_estimator(problem),
            "initial_parameters": start,
            "progress": False,
            "dtype": w.dtype,
            # "auto" would not load the compiled loop for half a second's work; here it is loaded, as the peers are imported.
            "engine": "reference" if variant == "reference" else "compiled",
            "record": "last" if variant == "last" else "auto",
        }
        self.trained: Any = None

    def run(self) -> None:
        self.trained = None  # the record of the training before is not kept beside the new one
        self.trained = self.gn.train(self.net, self.X, self.Y, **self.settings)

    def parameters(self) -> Parameters:
        values = self.trained.parameters
        return [(values[f"W{n}"], values[f"b{n}"]) for n in range(1, self.layers + 1)]

    def facts(self) -> dict[str, Any]:
        return facts_of(self.trained)


def stages(w: Workload) -> list[Any]:
    """The convolutions and pools of a workload, and what makes rows of them."""
    import glassnet as gn

    found: list[Any] = []
    for stage, (_, height, width) in zip(w.stages, w.inputs, strict=False):
        # "same" is what the workload calls a padding that leaves height and width as they are.
        padding = "same" if stage.map_size((1, height, width)) == (height, width) else "valid"
        found += [gn.Conv2D(stage.filters, stage.kernel, w.activation, padding=padding), gn.MaxPool2D(stage.pool)]
    return [*found, gn.Flatten()] if found else []


class Estimator:
    """`gn.MLPClassifier`, built and fitted."""

    def __init__(self, problem: Problem) -> None:
        import glassnet as gn

        self.make, self.settings = gn.MLPClassifier, estimator_settings(problem)
        self.X, self.y = problem.X, problem.labels
        self.model: Any = None

    def run(self) -> None:
        self.model = None
        self.model = self.make(**self.settings, engine="compiled").fit(self.X, self.y)

    def parameters(self) -> Parameters:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))

    def facts(self) -> dict[str, Any]:
        return facts_of(self.model.run_)


def estimator_settings(problem: Problem) -> dict[str, Any]:
    """Of either library's MLPClassifier, where a whole fit is measured."""
    w = problem.workload
    return {
        "hidden_layer_sizes": w.widths[1:-1], "activation": "logistic", "solver": "sgd", "batch_size": w.batch,
        "learning_rate_init": w.rate, "max_iter": w.epochs, "alpha": 0, "momentum": 0, "n_iter_no_change": 1000,
        "random_state": 0,
    }  # fmt: skip


def order_of_estimator(problem: Problem) -> Any:
    """The generator as it stands after the estimator's first weights: its shuffles are the problem's order."""
    from glassnet.training import ShuffleStream

    draws = np.random.RandomState(0)  # scikit-learn's generator
    for W, b in problem.start:
        draws.uniform(size=W.size + b.size)
    return ShuffleStream.of(draws)


def facts_of(run: Any) -> dict[str, Any]:
    """Which engine computed, and what the record holds."""
    kept = run.snapshots
    arrays = {id(a): int(a.nbytes) for i in kept.iterations for a in kept[i].state.values()}
    return {
        "engine": run.engine.name,
        "status": run.status,
        "snapshots": len(kept),
        "snapshot_bytes": sum(arrays.values()),
    }


def prepare(problem: Problem, variant: str) -> Trainer:
    warnings.simplefilter("ignore")
    if problem.workload.unit == "fit" and variant == "":
        return Estimator(problem)
    return Train(problem, variant)
