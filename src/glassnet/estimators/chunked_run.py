"""The run of a least-squares fit whose rows came in chunks and are gone: its settings, its answer, and no data."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from glassnet.data import fingerprint
from glassnet.engines.triangle import LeastSquaresSolution, Triangle
from glassnet.equations.losses import mean_squared_error
from glassnet.equations.optimizers import LeastSquares
from glassnet.network import Dense, Network
from glassnet.training.history import History
from glassnet.training.run import Run, versions
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot, Snapshots


def run_of_triangle(
    triangle: Triangle, intercept: bool, l2: float = 0.0, seed: int = 0
) -> tuple[Run, LeastSquaresSolution]:
    """The run that ends with the least-squares answer of all rows in the triangle, and that answer.

    It is like the run of `gn.train(..., optimizer=gn.LeastSquares())`: one iteration from zero to the answer. But it has
    no data, so what needs the rows (a trace, a residual plot) is not to be had of it, and its fingerprint is that of
    the answer.

    Parameters
    ----------
    triangle : of all rows so far
    intercept : whether its first column is the column of ones
    l2 : λ₂ of a penalty ½ λ₂ Σ W²
    """
    solution = _penalised(triangle, intercept, l2).solve() if l2 else triangle.solve()
    outputs = solution.coefficients.shape[1]
    features = len(solution.coefficients) - int(intercept)
    settings = Settings(
        network=Network(features, Dense(outputs, bias=intercept)), loss=mean_squared_error, optimizer=LeastSquares(),
        epochs=1, batch_size=None, l1=0.0, l2=l2, penalty_on="mean", seed=seed, shuffle=False, engine="auto",
        dtype="float64", record="auto", weighted=True,
    )  # fmt: skip
    values = np.nan_to_num(solution.coefficients, nan=0.0)
    answer = {"W1": np.ascontiguousarray(values[int(intercept) :])} | ({"b1": values[0].copy()} if intercept else {})
    zero = {name: np.zeros_like(value) for name, value in answer.items()}
    before, after = _rows(solution, triangle, answer, intercept, l2)
    mark = fingerprint(*answer.values(), np.array([triangle.rows, triangle.weight, *solution.residual_squares]))
    facts: dict[str, Any] = {
        "id": mark[:32],
        "status": "converged",
        "message": f"Least squares by QR of {triangle.rows} rows that came in chunks and were not kept.",
        "batches": 1,
        "data": {
            "rows": triangle.rows, "fingerprint": mark, "validation_rows": 0, "validation_fraction": None,
            "stratified": False, "validation_fingerprint": None, "keep": False,
        },
        "source": None,
        "versions": versions(),
        "notes": [],
        "initial": before,
        "iteration": 1,
        "restored": None,
        "direct": {
            "method": "qr", "iterations": 1, "polished": 0, "converged": True, "rank": int(solution.rank),
            "aliased": [int(i) for i in np.flatnonzero(solution.aliased)], "baseline": False,
        },
    }  # fmt: skip
    snapshots = Snapshots("auto")
    snapshots.offer(Snapshot(0, zero, {}))
    snapshots.offer(Snapshot(1, answer, {}))
    history = History()
    history.append({"epoch": 1, "iteration": 1, **after, "learning_rate": 1.0, "gradient_norm": 0.0, "seconds": 0.0})
    return Run(settings, snapshots, history, None, None, facts), solution


def _penalised(triangle: Triangle, intercept: bool, l2: float) -> Triangle:
    """The triangle with √(Σw λ₂) eⱼ put below it for every weight, target 0: ½ λ₂ Σ W² as rows of data.

    Source: Lawson and Hanson, Solving least squares problems, 1974, section 25.4.
    """
    R = triangle.factor
    columns = R.shape[1] - triangle.outputs
    below = np.sqrt(triangle.weight * l2) * np.eye(columns)[int(intercept) :]
    larger = Triangle(columns, triangle.outputs)
    larger.add(R[:, :columns], R[:, columns:])
    larger.add(below, np.zeros((len(below), triangle.outputs)))
    return larger


def _rows(
    solution: LeastSquaresSolution, triangle: Triangle, answer: dict[str, np.ndarray], intercept: bool, l2: float
) -> tuple[dict[str, float], dict[str, float]]:
    """Cost, penalty and R² at zero and at the answer, as the history of any run has them."""
    R = triangle.factor
    columns = R.shape[1] - triangle.outputs
    coefficients = np.vstack([answer["b1"], answer["W1"]]) if intercept else answer["W1"]
    squares = ((R[:, columns:] - R[:, :columns] @ coefficients) ** 2).sum(axis=0)
    total = (R[:, columns:] ** 2).sum(axis=0)
    penalty = 0.5 * l2 * float((answer["W1"] ** 2).sum())
    r2, at_zero = math.nan, math.nan
    if intercept:  # the first row of R holds √Σw (1, means): below it stands what deviates from the means
        spread = (R[1:, columns:] ** 2).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = float(np.where(spread > 0, 1 - squares / spread, np.nan).mean())
            at_zero = float(np.where(spread > 0, 1 - total / spread, np.nan).mean())
    cost = 0.5 / triangle.weight
    return (
        {"cost": cost * float(total.sum()), "penalty": 0.0, "r2": at_zero},
        {"cost": cost * float(squares.sum()), "penalty": penalty, "r2": r2},
    )
