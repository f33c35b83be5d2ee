"""A regression from a formula and a table: `regress("mpg ~ wt + hp", "cars.csv")` is R's `lm(mpg ~ wt + hp, cars)`.

gaussian       Y = X W + b                  mean squared error, by QR                     lm
binomial       P(second class) = σ(X W + b)     cross-entropy, by Newton's steps          glm(family = binomial)
poisson        E(Y) = exp(X W + b)          Poisson likelihood, by Newton's steps         glm(family = poisson)
multinomial    P = softmax(X W + b)         cross-entropy, by Newton's steps              nnet::multinom
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from glassnet.equations.optimizers import LeastSquares, Newton
from glassnet.errors import DataError, GlassnetError, unknown_name
from glassnet.network import Dense, Network
from glassnet.statistics.formulas import INTERCEPT, Design, design
from glassnet.training import train
from glassnet.training.run import Run

Array = np.ndarray[Any, Any]
FAMILIES = ("gaussian", "binomial", "multinomial", "poisson")
MOST_CLASSES = 100
SHOWN_CLASSES = 5
REMARKED = ("Residual standard error:", "Residual deviance:", "Residual Deviance:")
"""The lines of a summary after which R says how many rows were left out."""
CUTOFF = 60
"""Characters after which R breaks a line of a call."""


class Regression:
    """A fitted regression: its statistics, its run, and predictions for tables.

    Everything its statistics have (`coefficients`, `summary()`, `conf_int()`, ...) is found here too.

    Attributes
    ----------
    statistics_ : LinearStatistics, GLMStatistics or MultinomialStatistics
    design : the formula's design matrix
    family : "gaussian", "binomial", "multinomial" or "poisson"
    run : the training of the one-layer network
    """

    def __init__(self, statistics: Any, design: Design, family: str, run: Run) -> None:
        self.statistics_ = statistics
        self.design = design
        self.family = family
        self.run = run

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "statistics_":
            raise AttributeError(name)
        return getattr(self.statistics_, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self.statistics_)})

    def anova(self, **options: Any) -> Any:
        """R's `anova`: the formula's terms added one after another, each with all its columns."""
        return self.statistics_.anova(self.design.columns_of_terms, **options)

    def predict(self, table: Any = None, **options: Any) -> Any:
        """Predictions for the rows of a table.

        Parameters
        ----------
        table : whatever `glassnet.data.read_table` reads, with the columns of the formula's right-hand side; the rows
            of the fit when None
        options : those of the statistics' own `predict`, such as interval="confidence", level=0.9

        Returns
        -------
        array, or a table of fit and limits; NaN in rows where a value is missing

        Raises
        ------
        DataError : as for `Design.apply`
        """
        if table is None:
            return self.statistics_.predict(**options)
        X = self.design.apply(table)
        complete: Array = np.asarray(~np.isnan(X).any(axis=1))
        features = X[:, 1:] if self.design.intercept and X.shape[1] > 1 else X
        found = self.statistics_.predict(features[complete], **options)
        if complete.all():
            return found
        if hasattr(found, "reindex"):  # a pandas frame
            found.index = np.flatnonzero(complete)
            return found.reindex(range(len(complete)))
        if not isinstance(found, np.ndarray):
            raise DataError(
                f"{int((~complete).sum()):,} of the {len(complete):,} rows have a missing value, first row "
                f"{int(np.argmin(complete)) + 1}; leave them out for intervals."
            )
        filled = np.full((len(complete), *found.shape[1:]), None if found.dtype.kind in "OU" else np.nan, dtype=object)
        filled[complete] = found
        return filled if found.dtype.kind in "OU" else filled.astype(np.float64)

    def __str__(self) -> str:
        """The summary, with R's remark on rows left out where R puts it."""
        lines = str(self.statistics_.summary()).rstrip("\n").split("\n")
        if self.design.dropped:
            after = [k for k, line in enumerate(lines) if line.startswith(REMARKED)] or [len(lines) - 1]
            lines.insert(after[0] + 1, f"  {self.design.said_dropped}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Regression({self.design.formula!r}, family={self.family!r}, {len(self.design.y):,} rows)"


@dataclass(frozen=True)
class Model:
    """What is trained for a family: the network and its targets.

    Attributes
    ----------
    network : one layer
    X : (m, features); the ones themselves for a formula with nothing but an intercept
    Y : (m, outputs)
    loss : its name
    names : of the columns of X
    classes : of a categorical response
    """

    network: Network
    X: Array
    Y: Array
    loss: str
    names: tuple[str, ...]
    classes: tuple[str, ...] | None


def regress(
    formula: str,
    data: Any,
    family: str = "gaussian",
    *,
    weights: str | None = None,
    l2: float = 0.0,
    name: str | None = None,
) -> Regression:
    """Fit a regression.

    Parameters
    ----------
    formula : an R formula, see `glassnet.statistics.formulas.design`
    data : whatever `glassnet.data.read_table` reads
    family : "gaussian", "binomial", "multinomial" or "poisson"
    weights : a column of weights
    l2 : λ of a penalty ½ λ Σ W² (not of the intercept) on the mean loss
    name : what the data are called in the summary's Call; the file's name, or "data"

    Returns
    -------
    Regression

    Raises
    ------
    GlassnetError : the formula cannot be read, no such family
    DataError : as for `design`; a response that the family cannot explain

    Example
    -------
    >>> regress("y ~ x", {"x": [1, 2, 3], "y": [2, 4, 7]}).coefficients.round(2).tolist()
    [-0.67, 2.5]
    """
    check_family(family)
    made = design(formula, data, weights)
    return fit(made, family, call=call_text(made, family, name or data_name(data), weights), l2=l2)


def fit(made: Design, family: str, *, call: str | None = None, l2: float = 0.0) -> Regression:
    """Fit a family to a design; `regress` in two steps."""
    model = model_of(made, family)
    from glassnet.statistics import statistics_of

    run = trained(model, made.weights, l2=l2)
    statistics = statistics_of(run, names=model.names, response=made.response, call=call, classes=model.classes)
    return Regression(statistics, made, family, run)


def check_family(family: str) -> None:
    """Refuse a family nobody knows."""
    if family not in FAMILIES:
        raise GlassnetError(unknown_name("family", family, FAMILIES))


def model_of(made: Design, family: str) -> Model:
    """The one-layer network of a family, and its targets.

    Raises
    ------
    DataError : the family cannot explain this response
    """
    check_family(family)
    alone = made.X.shape[1] == 1 and made.intercept
    X = made.X if alone else made.features
    names = (INTERCEPT,) if alone else made.feature_names
    bias = made.intercept and not alone
    classes = made.classes
    if family == "gaussian":
        _refuse_classes(made, family)
        activation, loss, Y = "linear", "mean_squared_error", made.y
    elif family == "poisson":
        _refuse_classes(made, family)
        bad = np.flatnonzero(made.y < 0)
        if len(bad):
            raise DataError(
                f"{made.response} is {made.y[bad[0]]:g} in row {made.rows[bad[0]] + 1}; a Poisson regression needs counts, "
                "0 or more."
            )
        if not made.y.any():
            raise DataError(f"{made.response} is 0 in every row; a Poisson regression needs a count above 0.")
        activation, loss, Y = "exp", "poisson", made.y
    elif family == "binomial":
        activation, loss = "sigmoid", "binary_cross_entropy"
        Y = _two_classes(made)
    else:
        codes, classes = _several_classes(made)
        activation, loss = "softmax", "categorical_cross_entropy"
        Y = np.eye(len(classes))[codes]
    Y = Y.reshape(len(X), -1)
    network = Network(X.shape[1], Dense(Y.shape[1], activation, bias=bias, init="zeros"))
    return Model(network, X, Y, loss, names, classes)


def trained(model: Model, weights: Array | None, *, l2: float = 0.0) -> Run:
    """The training that finds the best parameters: by QR for least squares, otherwise by Newton's steps."""
    return train(
        model.network, model.X, model.Y,
        loss=model.loss,
        optimizer=LeastSquares() if model.loss == "mean_squared_error" else Newton(),
        sample_weight=weights, l2=l2, record="last", progress=False,
    )  # fmt: skip


def _refuse_classes(made: Design, family: str) -> None:
    if made.classes is None:
        return
    other = "binomial" if len(made.classes) <= 2 else "multinomial"
    raise DataError(
        f"{made.response} is no number but one of {listed_classes(made.classes)}, and a {family} regression needs numbers; "
        f"use family='{other}' (command line: --family {other})."
    )


def _two_classes(made: Design) -> Array:
    if made.classes is not None:
        if len(made.classes) == 1:
            raise DataError(_one_class(made, f"'{made.classes[0]}'"))
        if len(made.classes) > 2:
            raise DataError(
                f"{made.response} has {len(made.classes)} classes, {listed_classes(made.classes)}, and a binomial regression "
                f"has two; use family='multinomial' (command line: --family multinomial), or I({made.response} == \"...\") as "
                "the response."
            )
        return made.y
    bad = np.flatnonzero((made.y < 0) | (made.y > 1))
    if len(bad):
        raise DataError(
            f"{made.response} is {made.y[bad[0]]:g} in row {made.rows[bad[0]] + 1}; a binomial regression needs 0 or 1, a "
            f"share between them, or two classes, such as factor({made.response})."
        )
    if made.y.min() == made.y.max() and made.y[0] in (0, 1):
        raise DataError(_one_class(made, f"{made.y[0]:g}"))
    return made.y


def _several_classes(made: Design) -> tuple[Array, tuple[str, ...]]:
    codes, classes = made.labels()
    if len(classes) == 1:
        raise DataError(_one_class(made, f"'{classes[0]}'"))
    if len(classes) > MOST_CLASSES:
        raise DataError(
            f"{made.response} has {len(classes):,} different values, and a multinomial regression takes up to "
            f"{MOST_CLASSES} classes; use family='gaussian' (command line: --family gaussian) for a quantity."
        )
    return codes, classes


def _one_class(made: Design, value: str) -> str:
    return f"{made.response} is {value} in all {len(made.y):,} rows that are used; there is nothing to tell apart."


def listed_classes(classes: tuple[str, ...]) -> str:
    """The first few classes, in quotes."""
    more = f" and {len(classes) - SHOWN_CLASSES} more" if len(classes) > SHOWN_CLASSES else ""
    return ", ".join(f"'{c}'" for c in classes[:SHOWN_CLASSES]) + more


# the call, as R writes it


def data_name(data: Any) -> str:
    """What data are called: the file's name without its ending, as an R name; "data" for what is no file."""
    if not isinstance(data, str | os.PathLike):
        return "data"
    stem = Path(str(data).partition("::")[0]).name.split(".")[0]
    return stem if stem.isidentifier() else f"`{stem}`" if stem else "data"


def call_text(made: Design, family: str, name: str, weights: str | None = None) -> str:
    """`lm(formula = mpg ~ wt, data = cars)`, broken into lines where R breaks it."""
    function = {"gaussian": "lm", "multinomial": "multinom"}.get(family, "glm")
    arguments = [f"formula = {made.formula}"]
    if function == "glm":
        arguments.append(f"family = {family}")
    arguments.append(f"data = {name}")
    if weights is not None:
        arguments.append(f"weights = {weights}")
    lines, line = [], f"{function}("
    for k, argument in enumerate(arguments):
        if k and len(line) > CUTOFF:
            lines.append(line)
            line = "    "
        parts = argument.split(" + ")
        for j, part in enumerate(parts):
            if j and len(line) > CUTOFF + 1:
                lines.append(line)
                line = "    "
            line += part + (" + " if j + 1 < len(parts) else "")
        line += ", " if k + 1 < len(arguments) else ")"
    return "\n".join([*lines, line])
