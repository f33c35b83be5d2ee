"""glassnet: neural networks you can see through.

    import glassnet as gn

    net = gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid"))
    print(gn.derive(net, optimizer=gn.SGD(0.9)))       # the training step as a textbook page
    run = gn.train(net, X, Y, optimizer=gn.SGD(0.9), epochs=1000)
    run.history["cost"]; run.at(100).parameters; run.predict(X)

The equations that are printed are the ones that run.
"""

from typing import TYPE_CHECKING, Any

from glassnet.equations.derive import Derivation, derive
from glassnet.equations.expression import Expression
from glassnet.equations.functions import (
    abs_ as abs,
)
from glassnet.equations.functions import (
    activation,
    cos,
    erf,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    normal_cdf,
    relu,
    sigmoid,
    sign,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)
from glassnet.equations.gradcheck import GradientCheck, gradcheck
from glassnet.equations.losses import Loss, loss
from glassnet.equations.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, RMSprop
from glassnet.equations.schedules import (
    Adaptive,
    CosineDecay,
    ExponentialDecay,
    InverseScaling,
    OneCycle,
    StepDecay,
    WarmUp,
)
from glassnet.errors import DataError, GlassnetError, GlassnetWarning, RunError
from glassnet.network import Activation, BatchNorm, Dense, Dropout, Network
from glassnet.training import EarlyStopping, History, Run, train

if TYPE_CHECKING:
    from glassnet import data, views

__version__ = "0.1.0"

__all__ = [
    "LBFGS", "SGD", "Activation", "Adagrad", "Adam", "AdamW", "Adaptive", "BatchNorm", "CosineDecay", "DataError",
    "Dense", "Derivation", "Dropout", "EarlyStopping", "ExponentialDecay", "Expression", "GlassnetError",
    "GlassnetWarning", "GradientCheck", "History", "InverseScaling", "Loss", "Network", "OneCycle", "RMSprop", "Run",
    "RunError", "StepDecay", "WarmUp", "abs", "activation", "cos", "data", "derive", "erf", "exp", "expm1", "gradcheck", "log",
    "log1p", "loss", "maximum", "minimum", "normal_cdf", "relu", "sigmoid", "sign", "sin", "softplus", "sqrt", "tanh",
    "train", "views", "where",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """`gn.data` and `gn.views` load when first used."""
    if name in ("data", "views"):
        import importlib

        return importlib.import_module(f"glassnet.{name}")
    raise AttributeError(f"module 'glassnet' has no attribute '{name}'")
