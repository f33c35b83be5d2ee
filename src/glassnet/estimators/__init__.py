"""Estimators that scikit-learn's tools can use, each on glassnet's derived equations, each with its run in `run_`.

`gn.estimators` loads when first used, and scikit-learn with it.
"""

from glassnet.estimators.linear_regression import LinearRegression
from glassnet.estimators.logistic_regression import LogisticRegression
from glassnet.estimators.mlp_classifier import MLPClassifier
from glassnet.estimators.mlp_regressor import MLPRegressor
from glassnet.estimators.network_estimators import NetworkClassifier, NetworkRegressor
from glassnet.estimators.perceptron import Perceptron
from glassnet.estimators.saving import load

__all__ = [
    "LinearRegression", "LogisticRegression", "MLPClassifier", "MLPRegressor", "NetworkClassifier", "NetworkRegressor",
    "Perceptron", "load",
]  # fmt: skip
