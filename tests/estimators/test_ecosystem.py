"""The estimators among scikit-learn's tools: frames, pipelines, searches, inspection, calibration, joblib."""

from __future__ import annotations

import warnings

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.datasets import load_iris, make_regression
from sklearn.ensemble import BaggingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.multioutput import MultiOutputRegressor
from sklearn.neural_network import MLPClassifier as TheirClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import glassnet as gn

IRIS = load_iris(as_frame=True)
FRAME, LABELS = IRIS.data, IRIS.target_names[IRIS.target]
NUMBERS, TARGET = make_regression(80, 3, random_state=0, noise=1)
SMALL = {"hidden_layer_sizes": (5,), "max_iter": 15, "learning_rate_init": 0.05, "random_state": 0}


@pytest.fixture(autouse=True)
def short_trainings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


CLASSIFIERS = [
    lambda: gn.MLPClassifier(**SMALL),
    lambda: gn.NetworkClassifier([gn.Dense(5)], epochs=15, random_state=0),
    lambda: gn.LogisticRegression(l2=0.01),
    lambda: gn.Perceptron(random_state=0),
]
REGRESSORS = [
    lambda: gn.MLPRegressor(**SMALL),
    lambda: gn.NetworkRegressor([gn.Dense(5)], epochs=15, random_state=0),
    lambda: gn.LinearRegression(),
]


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_pandas_and_polars_frames(make):
    names = list(FRAME.columns)
    by_array = make().fit(FRAME.to_numpy(), LABELS)
    for frame in (FRAME, pl.DataFrame({n: FRAME[n].to_numpy() for n in names})):
        estimator = make().fit(frame, LABELS)
        assert list(estimator.feature_names_in_) == names
        np.testing.assert_array_equal(estimator.predict(frame), by_array.predict(FRAME.to_numpy()))
        with pytest.raises(ValueError, match="feature names should match"):
            estimator.predict(frame[names[::-1]])
    assert make().fit(FRAME, pd.Series(LABELS, dtype="category")).predict(FRAME).shape == (150,)


@pytest.mark.parametrize("make", CLASSIFIERS)
def test_pipelines_and_searches(make):
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), make())
    pipeline.fit(FRAME, LABELS)
    assert list(pipeline[-1].feature_names_in_) == list(FRAME.columns)
    assert pipeline.score(FRAME, LABELS) > 0.5
    name = pipeline.steps[-1][0]
    strength = {"mlpclassifier": "alpha", "perceptron": "eta0"}.get(name, "l2")
    search = GridSearchCV(pipeline, {f"{name}__{strength}": [1e-3, 1e-2]}, cv=2, error_score="raise").fit(FRAME, LABELS)
    assert search.best_estimator_[-1].run_.network.input_shape == (4,)
    assert len(cross_val_predict(pipeline, FRAME, LABELS, cv=2)) == 150


@pytest.mark.parametrize("make", CLASSIFIERS[:3])
def test_calibration_inspection_and_bagging(make):
    estimator = make().fit(FRAME, LABELS)
    importance = permutation_importance(estimator, FRAME, LABELS, n_repeats=2, random_state=0)
    assert importance.importances.shape == (4, 2)
    curves = partial_dependence(estimator, FRAME, [0], grid_resolution=4)["average"]
    assert curves.shape == (3, 4)
    np.testing.assert_allclose(curves.sum(axis=0), 1, rtol=1e-10)
    for method in ("sigmoid", "isotonic"):
        proba = CalibratedClassifierCV(make(), method=method, cv=2).fit(FRAME, LABELS).predict_proba(FRAME)
        np.testing.assert_allclose(proba.sum(axis=1), 1)
    assert BaggingClassifier(make(), n_estimators=2, random_state=0).fit(FRAME, LABELS).score(FRAME, LABELS) > 0.3


@pytest.mark.parametrize("make", REGRESSORS)
def test_regressors(make):
    scaled = TransformedTargetRegressor(make_pipeline(StandardScaler(), make()), transformer=StandardScaler())
    assert len(cross_val_score(scaled, NUMBERS, TARGET, cv=3, error_score="raise")) == 3
    both = MultiOutputRegressor(make()).fit(NUMBERS, np.c_[TARGET, -TARGET])
    assert both.predict(NUMBERS).shape == (80, 2)
    estimator = make().fit(NUMBERS, TARGET)
    assert permutation_importance(estimator, NUMBERS, TARGET, n_repeats=2, random_state=0).importances.shape == (3, 2)
    assert partial_dependence(estimator, NUMBERS, [1], grid_resolution=4)["average"].shape == (1, 4)


def test_a_search_chooses_what_scikit_learns_would():
    grid = {"hidden_layer_sizes": [(3,), (8,)], "alpha": [1e-4, 5.0], "learning_rate_init": [0.01, 0.1]}
    scores = []
    for kind in (TheirClassifier, gn.MLPClassifier):
        search = GridSearchCV(kind(max_iter=20, random_state=0), grid, cv=3).fit(FRAME, LABELS)
        scores.append(search.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(scores[0], scores[1])


def test_several_processes():
    search = GridSearchCV(gn.MLPClassifier(**SMALL), {"alpha": [1e-4, 1e-2]}, cv=2, n_jobs=2)
    with joblib.parallel_backend("loky", n_jobs=2):
        search.fit(FRAME, LABELS)
    alone = GridSearchCV(gn.MLPClassifier(**SMALL), {"alpha": [1e-4, 1e-2]}, cv=2).fit(FRAME, LABELS)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


@pytest.mark.parametrize("make", CLASSIFIERS + REGRESSORS)
def test_the_diagram_is_scikit_learns(make):
    html = make()._repr_html_()
    assert "sk-top-container" in html
    assert type(make()).__name__ in html


@pytest.mark.extras
@pytest.mark.filterwarnings("ignore")  # of dask and its network, not of glassnet
def test_a_search_under_dask():
    client = pytest.importorskip("distributed", reason="needs dask[distributed]").Client(
        processes=False, n_workers=1, threads_per_worker=2, dashboard_address=None
    )
    try:
        with joblib.parallel_backend("dask"):
            search = GridSearchCV(gn.MLPClassifier(**SMALL), {"alpha": [1e-4, 1e-2]}, cv=2, n_jobs=2).fit(FRAME, LABELS)
    finally:
        client.close()
    alone = GridSearchCV(gn.MLPClassifier(**SMALL), {"alpha": [1e-4, 1e-2]}, cv=2).fit(FRAME, LABELS)
    np.testing.assert_array_equal(search.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])
