"""Estimators saved without pickle and loaded again: the same numbers, and they go on exactly."""

from __future__ import annotations

import copy
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

import glassnet as gn
from glassnet.estimators.saving import _Reader, _Writer

IRIS = load_iris(as_frame=True)
FRAME, LABELS = IRIS.data, IRIS.target_names[IRIS.target]
NUMBERS, TARGET = make_regression(60, 4, random_state=0, noise=2)
MLP = {"hidden_layer_sizes": (5,), "max_iter": 6, "random_state": 0}


@pytest.fixture(autouse=True)
def short_trainings():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


MAKERS = {
    "mlp classifier": (lambda: gn.MLPClassifier(**MLP, warm_start=True), FRAME, LABELS),
    "mlp early stopping": (lambda: gn.MLPClassifier(**{**MLP, "max_iter": 40}, early_stopping=True), FRAME, LABELS),
    "mlp batch norm": (lambda: gn.MLPClassifier(**MLP, batch_normalization=True, dropout=0.1), FRAME, LABELS),
    "mlp multilabel": (lambda: gn.MLPClassifier(**MLP), *make_multilabel_classification(40, 5, random_state=0)),
    "mlp sparse": (lambda: gn.MLPClassifier(**MLP), csr_matrix(FRAME), LABELS),
    "mlp regressor": (lambda: gn.MLPRegressor(**MLP), NUMBERS, TARGET),
    "mlp lbfgs": (lambda: gn.MLPRegressor(**MLP, solver="lbfgs"), NUMBERS, TARGET),
    "mlp poisson": (lambda: gn.MLPRegressor(**MLP, loss="poisson"), NUMBERS, np.abs(TARGET).round()),
    "mlp objects": (lambda: gn.MLPRegressor(**MLP, solver=gn.RMSprop(gn.CosineDecay(0.01, 9))), NUMBERS, TARGET),
    "mlp random state": (
        lambda: gn.MLPRegressor(**{**MLP, "random_state": np.random.RandomState(3)}), NUMBERS, TARGET
    ),
    "network": (
        lambda: gn.NetworkClassifier([gn.Dense(4, "tanh"), gn.Dropout(0.1)], epochs=4, early_stopping=gn.EarlyStopping()),
        FRAME, LABELS,
    ),
    "whole network": (
        lambda: gn.NetworkRegressor(gn.Network(4, gn.Dense(3, "relu"), gn.Dense(1)), epochs=3), NUMBERS, TARGET
    ),
    "linear": (lambda: gn.LinearRegression(), FRAME.iloc[:, :3], FRAME.iloc[:, 3]),
    "linear by descent": (lambda: gn.LinearRegression("gradient_descent", l2=0.1), NUMBERS, TARGET),
    "logistic": (lambda: gn.LogisticRegression(), FRAME.iloc[50:], LABELS[50:]),
    "multinomial": (lambda: gn.LogisticRegression(l2=0.1), FRAME, LABELS),
    "perceptron": (lambda: gn.Perceptron(), FRAME.iloc[:100], LABELS[:100]),
}  # fmt: skip


def fitted(name):
    make, X, y = MAKERS[name]
    return make().fit(X, y), X


@pytest.mark.parametrize("name", MAKERS)
def test_saved_and_loaded(name, tmp_path):
    estimator, X = fitted(name)
    path = estimator.save(tmp_path / "model.glassnet")
    loaded = gn.load(path)
    assert type(loaded) is type(estimator)
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert vars(loaded).keys() == vars(estimator).keys() - {"_statistics"}
    for attribute in ("classes_", "feature_names_in_", "n_features_in_", "n_iter_", "loss_curve_"):
        if hasattr(estimator, attribute):
            mine, theirs = getattr(loaded, attribute), getattr(estimator, attribute)
            assert type(mine) is type(theirs)
            np.testing.assert_array_equal(mine, theirs)
            assert getattr(mine, "dtype", None) == getattr(theirs, "dtype", None)
    run, before = loaded.run_, estimator.run_
    assert run.settings == before.settings
    assert run.status == before.status
    for moment in {0, run.iteration // 2, run.iteration}:
        for parameter, value in before.at(moment).parameters.items():
            np.testing.assert_array_equal(run.at(moment).parameters[parameter], value)
    if not name.endswith("random state"):
        assert repr(loaded.get_params()) == repr(estimator.get_params())
    clone(loaded)


@pytest.mark.parametrize("name", MAKERS)
def test_pickle_and_deepcopy(name):
    estimator, X = fitted(name)
    for other in (pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)):
        np.testing.assert_array_equal(other.predict(X), estimator.predict(X))
        assert other.run_.at(1).parameters.keys() == estimator.run_.at(1).parameters.keys()


@pytest.mark.parametrize("name", ["mlp classifier", "mlp batch norm"])
def test_a_loaded_one_goes_on_exactly(name, tmp_path):
    estimator, X = fitted(name)
    loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
    for one in (estimator, loaded):
        one.set_params(warm_start=True).fit(X, LABELS).partial_fit(X, LABELS)
    for a, b in zip(estimator.coefs_, loaded.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert estimator.loss_curve_ == loaded.loss_curve_


def test_statistics_after_loading(tmp_path):
    estimator, _ = fitted("linear")
    loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
    assert str(loaded.summary()) == str(estimator.summary())
    chunks = gn.LinearRegression()
    for part in np.array_split(np.arange(60), 3):
        chunks.partial_fit(NUMBERS[part], TARGET[part])
    loaded = gn.load(chunks.save(tmp_path / "chunks.glassnet"))
    loaded.partial_fit(NUMBERS, TARGET)
    chunks.partial_fit(NUMBERS, TARGET)
    np.testing.assert_array_equal(loaded.coef_, chunks.coef_)


def test_separation_is_kept(tmp_path):
    with pytest.warns(gn.GlassnetWarning):
        estimator = gn.LogisticRegression().fit(FRAME.iloc[:100], LABELS[:100])
    loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
    assert loaded.separation_.sentence == estimator.separation_.sentence


def test_an_estimator_that_is_not_fitted(tmp_path):
    loaded = gn.load(gn.MLPClassifier((3, 4), alpha=0.5).save(tmp_path / "empty.glassnet"))
    assert loaded.hidden_layer_sizes == (3, 4)
    assert not hasattr(loaded, "coefs_")


def test_callbacks_are_left_out_with_a_warning(tmp_path):
    estimator = gn.MLPClassifier(**MLP, callbacks=[gn.EarlyStopping("cost"), print])
    with pytest.warns(gn.GlassnetWarning) as caught:
        path = estimator.save(tmp_path / "model.glassnet")
    assert str(caught[0].message) == (
        "The callbacks of this MLPClassifier are functions, which a file cannot hold; the loaded one has none. Set them "
        "again with set_params(callbacks=...)."
    )
    assert [c.monitor for c in gn.load(path).callbacks] == ["cost"]


def test_what_cannot_be_stored_is_named(tmp_path):
    estimator = gn.MLPClassifier(class_weight={0: object()})
    with pytest.raises(gn.GlassnetError) as caught:
        estimator.save(tmp_path / "model.glassnet")
    assert str(caught.value) == (
        "The parameter class_weight is a object, which a file cannot hold; change it before saving."
    )
    assert not (tmp_path / "model.glassnet").exists()


def test_paths_and_files(tmp_path):
    estimator, _ = fitted("mlp regressor")
    path = tmp_path / "model.glassnet"
    estimator.save(path)
    content = path.read_bytes()

    def refused(act):
        with pytest.raises(gn.GlassnetError) as caught:
            act()
        return str(caught.value)

    assert refused(lambda: estimator.save(path)) == (
        f"{path} is already there; choose another name, or pass overwrite=True."
    )
    assert estimator.save(str(path), overwrite=True) == path
    assert refused(lambda: estimator.save(tmp_path / "no" / "model")) == (
        f"There is no folder {tmp_path / 'no'} to write model in; make it first."
    )
    assert refused(lambda: estimator.save(tmp_path)).startswith(f"save got the folder {tmp_path}")
    assert refused(lambda: estimator.save(3)) == "save got 3; it needs the path of a file, such as 'model.glassnet'."
    assert refused(lambda: gn.load(tmp_path / "none")) == (
        f"There is no file {tmp_path / 'none'}; give the path that save was given."
    )
    path.write_bytes(content[:-100])
    assert "truncated" in refused(lambda: gn.load(path))
    path.write_bytes(content[:-9] + b"\x01" + content[-8:])
    assert "the checksum differs" in refused(lambda: gn.load(path))
    path.write_text("hello")
    assert "not a file of glassnet's" in refused(lambda: gn.load(path))
    folder = tmp_path / "run"
    estimator.run_.save(folder)
    assert (
        refused(lambda: gn.load(folder))
        == f"{folder} is the folder of a run; load it with gn.Run.load({str(folder)!r})."
    )
    snapshot = next((folder / "snapshots").iterdir())
    assert refused(lambda: gn.load(snapshot)) == (
        f"{snapshot} holds no estimator; give a file that an estimator's save wrote."
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(-5, 5) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_any_plain_value_comes_back_as_it_was(value):
    import json

    writer = _Writer()
    stored = json.loads(json.dumps(writer.write(value, "it")))
    assert repr(_Reader(writer.arrays).read(stored)) == repr(value)


def test_labels_of_all_kinds(tmp_path):
    for labels in (
        LABELS,
        np.asarray(LABELS, dtype=object),
        IRIS.target.to_numpy(),
        pd.Series(LABELS),
        LABELS == "setosa",
    ):
        estimator = gn.MLPClassifier(**MLP).fit(FRAME, labels)
        loaded = gn.load(estimator.save(tmp_path / "model.glassnet", overwrite=True))
        assert loaded.classes_.dtype == estimator.classes_.dtype
        np.testing.assert_array_equal(loaded.predict(FRAME), estimator.predict(FRAME))
