"""One peer on one workload, in a process of its own: prints one line of JSON.

Data are made from a seed, libraries imported and a small fit made first, all outside the clock.

    python -m benchmarks.regression_peer ols glassnet --rows 1000000 --repeats 5
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

WORKLOADS = {"ols": 50, "logistic": 20, "logistic, columns as they come": 20}
"""Name -> columns."""


def data(workload: str, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """X and y; "as they come" are correlated columns of different sizes, as in a table nobody has standardised."""
    draws = np.random.default_rng(0)
    columns = WORKLOADS[workload]
    X = draws.standard_normal((rows, columns))
    if workload == "ols":
        return X, X @ draws.standard_normal(columns) + draws.standard_normal(rows)
    y = (X @ draws.standard_normal(columns) * 0.5 + draws.logistic(size=rows) > 0).astype(np.int64)
    if workload != "logistic":
        X = X @ (np.eye(columns) + 0.2) * np.geomspace(0.3, 3, columns)
    return X, y


def fitter(workload: str, peer: str, tolerance: float) -> Callable[[], Any]:
    """Makes an estimator of the peer."""
    if peer == "glassnet":
        import glassnet as gn

        return gn.LinearRegression if workload == "ols" else gn.LogisticRegression
    from sklearn.linear_model import LinearRegression, LogisticRegression

    if workload == "ols":
        return LinearRegression
    return lambda: LogisticRegression(C=np.inf, solver="lbfgs", tol=tolerance, max_iter=10_000)


def log_likelihood(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    """Of a logistic regression, from its coefficients."""
    score = X @ model.coef_[0] + model.intercept_[0]
    return -float(np.logaddexp(0, np.where(y == 1, -score, score)).sum())


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=WORKLOADS)
    parser.add_argument("peer", choices=["glassnet", "scikit-learn"])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    X, y = data(asked.workload, asked.rows)
    make = fitter(asked.workload, asked.peer, asked.tolerance)
    small = np.flatnonzero(y == y[0])[:200], np.flatnonzero(y != y[0])[:200]
    rows = np.concatenate(small)
    make().fit(X[rows], y[rows])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    seconds = []
    for _ in range(asked.repeats):
        model = make()
        start = time.perf_counter()
        model.fit(X, y)
        seconds.append(time.perf_counter() - start)
    found = {
        "seconds": statistics.median(seconds),
        "all": seconds,
        "extra_mb": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024,
        "log_likelihood": None if asked.workload == "ols" else log_likelihood(model, X, y),
        "iterations": int(np.ravel(getattr(model, "n_iter_", 1))[0]),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
