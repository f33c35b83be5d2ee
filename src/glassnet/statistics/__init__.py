"""What statisticians expect of a regression: tests, intervals, information criteria, residuals, formulas.

    run = gn.train(gn.Network(2, gn.Dense(1)), X, y, optimizer=gn.LeastSquares())
    print(gn.statistics.statistics_of(run, names=["wt", "hp"]).summary())

    print(gn.statistics.regress("mpg ~ wt + hp", "cars.csv").summary())

`gn.statistics` loads when first used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from glassnet.errors import GlassnetError
from glassnet.statistics.formulas import Design, design
from glassnet.statistics.glm import GLMStatistics
from glassnet.statistics.linear import LinearStatistics
from glassnet.statistics.multinomial import MultinomialStatistics
from glassnet.statistics.regress import regress
from glassnet.statistics.separation import Separation, separation
from glassnet.statistics.several import SeveralStatistics
from glassnet.statistics.tables import Table

if TYPE_CHECKING:
    from glassnet.training.run import Run

__all__ = [
    "Design", "GLMStatistics", "LinearStatistics", "MultinomialStatistics", "Separation", "SeveralStatistics", "Table",
    "design", "regress", "separation", "statistics_of",
]  # fmt: skip


def statistics_of(
    run: Run,
    *,
    names: Sequence[str] | None = None,
    response: str | None = None,
    call: str | None = None,
    classes: Sequence[Any] | None = None,
) -> LinearStatistics | SeveralStatistics | GLMStatistics | MultinomialStatistics:
    """The statistics of a run whose network has one Dense layer, by what it was trained for.

    Parameters
    ----------
    run : under mean_squared_error and linear (`LinearStatistics`, or `SeveralStatistics` of several outputs),
        binary_cross_entropy and sigmoid or poisson and exp (`GLMStatistics`), categorical_cross_entropy and softmax
        (`MultinomialStatistics`)
    names : of the features, without the intercept; x0, x1, ... unless given
    response : what the target is called; call : what stands under "Call:"
    classes : names of the classes

    Raises
    ------
    GlassnetError : another network or loss; RunError : the run is without its data
    """
    if len(run.network.layers) != 1:
        raise GlassnetError(
            f"Statistics got the network {run.network}; they are those of a regression, a network of one Dense layer. Of a "
            "deeper network, coefficients have no standard errors."
        )
    kind = (run.settings.loss.name, run.derivation.output_activation.name)
    if kind == ("mean_squared_error", "linear"):
        outputs = run.network.output_units
        if outputs == 1:
            return LinearStatistics.from_run(run, names=names, response=response, call=call)
        stem = response or "y"
        return SeveralStatistics(
            [
                LinearStatistics.from_run(run, names=names, response=f"{stem}{i + 1}", call=call, output=i)
                for i in range(outputs)
            ]
        )
    if kind == ("categorical_cross_entropy", "softmax"):
        return MultinomialStatistics.from_run(run, names=names, response=response, call=call, classes=classes)
    return GLMStatistics.from_run(run, names=names, response=response, call=call, classes=classes)
