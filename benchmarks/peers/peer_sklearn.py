"""scikit-learn's MLPClassifier, the whole of `fit`, from the given first weights."""

from __future__ import annotations

import warnings
from typing import Any

from benchmarks.peers import Trainer
from benchmarks.peers.peer_glassnet import estimator_settings
from benchmarks.workloads import Parameters, Problem


class Fit:
    """One estimator a run."""

    def __init__(self, problem: Problem) -> None:
        from sklearn.neural_network import MLPClassifier

        w, start = problem.workload, problem.start
        self.X, self.y = problem.X, problem.labels
        self.model: Any = None
        if w.unit == "fit":
            self.make, self.settings = MLPClassifier, estimator_settings(problem)
            return

        class Started(MLPClassifier):
            """From the weights all peers start from, where the widths are its own."""

            def _initialize(self, y: Any, layer_units: Any, dtype: Any) -> None:
                super()._initialize(y, layer_units, dtype)
                if self.coefs_[-1].shape == start[-1][0].shape:
                    self.coefs_ = [W.copy() for W, _ in start]
                    self.intercepts_ = [b.copy() for _, b in start]
                else:  # two classes are one logistic unit here: the difference of the two scores
                    self.coefs_ = [W.copy() for W, _ in start[:-1]] + [start[-1][0][:, 1:] - start[-1][0][:, :1]]
                    self.intercepts_ = [b.copy() for _, b in start[:-1]] + [start[-1][1][1:] - start[-1][1][:1]]

        self.make = Started
        self.settings = {
            "hidden_layer_sizes": w.widths[1:-1],
            "activation": {"sigmoid": "logistic"}.get(w.activation, w.activation),
            "solver": w.rule, "batch_size": w.batch or w.rows, "learning_rate_init": w.rate, "max_iter": w.epochs,
            "alpha": 0, "momentum": 0, "shuffle": False, "tol": 0, "n_iter_no_change": 10**9, "random_state": 0,
        }  # fmt: skip

    def run(self) -> None:
        self.model = self.make(**self.settings).fit(self.X, self.y)

    def parameters(self) -> Parameters:
        return list(zip(self.model.coefs_, self.model.intercepts_, strict=True))

    def facts(self) -> dict[str, Any]:
        return {"epochs": self.model.n_iter_}


def prepare(problem: Problem, variant: str) -> Trainer:
    warnings.simplefilter("ignore")
    return Fit(problem)
