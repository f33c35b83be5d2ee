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
from glassnet.equations.optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, LeastSquares, Newton, RMSprop
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
from glassnet.network import (
    Activation,
    AveragePool2D,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAveragePool2D,
    MaxPool2D,
    Network,
)
from glassnet.training import Augmentation, EarlyStopping, History, Run, train

if TYPE_CHECKING:
    from glassnet import data, diagnosis, estimators, filters, statistics, views
    from glassnet.diagnosis.curvature import largest_curvature
    from glassnet.diagnosis.judging import diagnose
    from glassnet.diagnosis.watch import Watch
    from glassnet.estimators import (
        LinearRegression,
        LogisticRegression,
        MLPClassifier,
        MLPRegressor,
        NetworkClassifier,
        NetworkRegressor,
        Perceptron,
        load,
    )
    from glassnet.filters import convolve

__version__ = "0.1.0"

__all__ = [
    "LBFGS",
    "SGD",
    "Activation",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adaptive",
    "Augmentation",
    "AveragePool2D",
    "BatchNorm",
    "Conv2D",
    "CosineDecay",
    "DataError",
    "Dense",
    "Derivation",
    "Dropout",
    "EarlyStopping",
    "ExponentialDecay",
    "Expression",
    "Flatten",
    "GlassnetError",
    "GlassnetWarning",
    "GlobalAveragePool2D",
    "GradientCheck",
    "History",
    "InverseScaling",
    "LeastSquares",
    "LinearRegression",
    "LogisticRegression",
    "Loss",
    "MLPClassifier",
    "MLPRegressor",
    "MaxPool2D",
    "Network",
    "NetworkClassifier",
    "NetworkRegressor",
    "Newton",
    "OneCycle",
    "Perceptron",
    "RMSprop",
    "Run",
    "RunError",
    "StepDecay",
    "WarmUp",
    "Watch",
    "abs",
    "activation",
    "convolve",
    "cos",
    "data",
    "derive",
    "diagnose",
    "diagnosis",
    "erf",
    "estimators",
    "exp",
    "expm1",
    "filters",
    "gradcheck",
    "largest_curvature",
    "load",
    "log",
    "log1p",
    "loss",
    "maximum",
    "minimum",
    "normal_cdf",
    "relu",
    "sigmoid",
    "sign",
    "sin",
    "softplus",
    "sqrt",
    "statistics",
    "tanh",
    "train",
    "views",
    "where",
]  # fmt: skip

_ROOMS = ("data", "diagnosis", "estimators", "filters", "statistics", "views")
_ESTIMATORS = (
    "LinearRegression", "LogisticRegression", "MLPClassifier", "MLPRegressor", "NetworkClassifier", "NetworkRegressor",
    "Perceptron", "load",
)  # fmt: skip

_HOMES = {
    "convolve": "glassnet.filters", "diagnose": "glassnet.diagnosis.judging", "Watch": "glassnet.diagnosis.watch",
    "largest_curvature": "glassnet.diagnosis.curvature",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    """What needs heavy libraries or is not always wanted loads when it is first used."""
    import importlib

    if name in _ROOMS:
        return importlib.import_module(f"glassnet.{name}")
    if name in _ESTIMATORS:
        return getattr(importlib.import_module("glassnet.estimators"), name)
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'glassnet' has no attribute '{name}'")
