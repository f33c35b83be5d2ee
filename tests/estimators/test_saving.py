"""Estimators saved without pickle and loaded again: the same numbers, and they go on exactly."""

from __future__ import annotations

import copy
import json
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning

import glassnet as gn
import glassnet.estimators.stored_values as stored_values
from glassnet.estimators.saving import FORMAT
from glassnet.estimators.stored_values import ValueReader, ValueWriter
from glassnet.training.files import load_arrays, save_arrays

IRIS = load_iris(as_frame=True)
FRAME, LABELS = IRIS.data, IRIS.target_names[IRIS.target]
NUMBERS, TARGET = make_regression(60, 4, random_state=0, noise=2)
SWISH = gn.activation("swish", lambda z: z * gn.sigmoid(z))
CAUCHY = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
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
    "mlp own activation": (lambda: gn.MLPClassifier(**MLP, activation=SWISH, loss=gn.loss("hinge")), FRAME, LABELS),
    "mlp own loss": (lambda: gn.MLPRegressor(**MLP, loss=CAUCHY), NUMBERS, TARGET),
    "mlp float32": (lambda: gn.MLPClassifier(**MLP), np.asfortranarray(FRAME, dtype=np.float32), LABELS),
    "mlp class weight": (
        lambda: gn.MLPClassifier(**MLP, class_weight={"setosa": 2, "versicolor": 1.5, "virginica": np.float32(0.5)}),
        FRAME, LABELS,
    ),
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
    assert run.facts == before.facts
    assert run.history.same_training(before.history)
    assert run.snapshots.iterations == before.snapshots.iterations
    assert run.snapshots.memory() == before.snapshots.memory()
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


GOING_ON = [name for name, (make, *_) in MAKERS.items() if hasattr(make(), "warm_start") and name != "mlp lbfgs"]


@pytest.mark.parametrize("way", ["file", "pickle"])
@pytest.mark.parametrize("name", GOING_ON)
def test_a_loaded_one_goes_on_exactly(name, way, tmp_path):
    (estimator, X), y = fitted(name), MAKERS[name][2]
    if way == "file":
        loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
    else:
        loaded = pickle.loads(pickle.dumps(estimator))
    for one in (estimator, loaded):
        one.set_params(warm_start=True).fit(X, y)
        if not getattr(one, "early_stopping", False):
            one.partial_fit(X, y)
    np.testing.assert_array_equal(loaded.predict(X), estimator.predict(X))
    assert loaded.run_.iteration == estimator.run_.iteration
    for parameter, value in estimator.run_.parameters.items():
        np.testing.assert_array_equal(loaded.run_.parameters[parameter], value)
    assert getattr(loaded, "loss_curve_", None) == getattr(estimator, "loss_curve_", None)


@pytest.mark.parametrize("way", ["file", "pickle"])
def test_a_generator_goes_on_exactly(way, tmp_path):
    estimator, _ = fitted("mlp random state")
    path = estimator.save(tmp_path / "model.glassnet")
    loaded = gn.load(path) if way == "file" else pickle.loads(pickle.dumps(estimator))
    for one in (estimator, loaded):
        one.fit(NUMBERS[::2], TARGET[::2])  # other data: new weights and new batches, drawn from where it stands
    for a, b in zip(estimator.coefs_, loaded.coefs_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert estimator.random_state.randint(2**31) == loaded.random_state.randint(2**31)


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
        "The callbacks of this MLPClassifier are functions, which a file cannot hold; the loaded one has only its early "
        "stopping. Set them again with set_params(callbacks=...)."
    )
    assert caught[0].filename == __file__
    assert [c.monitor for c in gn.load(path).callbacks] == ["cost"]


class OwnStopping(gn.EarlyStopping):
    """A user's, of which a file would know the name only."""


WITHOUT_A_PLACE = {
    "object": object(),
    "frozenset": frozenset({1}),
    "datetime64": np.datetime64("2020-01-01"),
    "bytes_": np.bytes_(b"a"),
    "complex128": np.complex128(1j),
    "longdouble": np.longdouble(1),
    "array of complex128": np.array([1j]),
    "array of |S1": np.array([b"a"]),
    "DataFrame": FRAME,
    "Generator": np.random.default_rng(0),
    "RandomState": np.random.RandomState(np.random.PCG64(0)),
    "OwnStopping": OwnStopping(),
    "MaskedArray": np.ma.array([1.0], mask=[True]),
    "function": lambda run: None,
}


@pytest.mark.parametrize("kind", WITHOUT_A_PLACE)
def test_what_cannot_be_stored_is_named(kind, tmp_path):
    estimator = gn.MLPClassifier(class_weight={0: WITHOUT_A_PLACE[kind]})
    with pytest.raises(gn.GlassnetError) as caught:
        estimator.save(tmp_path / "model.glassnet")
    assert str(caught.value) == (
        f"The parameter class_weight holds a value of type {kind}, which a file cannot hold; change it before saving."
    )
    estimator = gn.MLPClassifier()
    estimator.note_ = [WITHOUT_A_PLACE[kind]]
    with pytest.raises(gn.GlassnetError, match=r"^The attribute note_ holds a value of type "):
        estimator.save(tmp_path / "model.glassnet")
    assert not (tmp_path / "model.glassnet").exists()


def test_a_class_that_load_would_not_know(tmp_path):
    class MLPClassifier(gn.MLPClassifier):
        """Of glassnet's name, and another's class."""

    with pytest.raises(gn.GlassnetError) as caught:
        MLPClassifier().save(tmp_path / "model.glassnet")
    assert str(caught.value) == (
        "save got a MLPClassifier, which is no estimator of glassnet's, so that gn.load would not know it; save one of "
        "glassnet's own, or pickle this one."
    )


def test_callbacks_of_ones_own_kind_are_left_out(tmp_path):
    with pytest.warns(gn.GlassnetWarning, match="the loaded one has none"):
        path = gn.MLPClassifier(callbacks=(OwnStopping(),)).save(tmp_path / "model.glassnet")
    assert gn.load(path).callbacks == ()


def test_requested_metadata_are_kept(tmp_path):
    with config_context(enable_metadata_routing=True):
        estimator = gn.LogisticRegression().set_fit_request(sample_weight="w").set_score_request(sample_weight=False)
        loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
        asked = loaded.get_metadata_routing()
        assert asked.fit.requests["sample_weight"] == "w"
        assert asked.score.requests["sample_weight"] is False


def test_without_its_data_a_run_takes_them_again(tmp_path, monkeypatch):
    estimator, _ = fitted("mlp regressor")
    monkeypatch.setattr(stored_values, "KEPT_DATA", 0)
    loaded = gn.load(estimator.save(tmp_path / "model.glassnet"))
    assert loaded.run_.data is None
    with pytest.raises(gn.RunError, match="was saved without its data"):
        loaded.run_.intermediates(2)
    loaded.run_.attach(NUMBERS, TARGET)
    for name, value in estimator.run_.intermediates(2).items():
        np.testing.assert_array_equal(loaded.run_.intermediates(2)[name], value)
    np.testing.assert_array_equal(
        loaded.partial_fit(NUMBERS, TARGET).coefs_[0], estimator.partial_fit(NUMBERS, TARGET).coefs_[0]
    )


def test_files_that_do_not_fit_together(tmp_path):
    path = gn.LinearRegression().fit(NUMBERS, TARGET).save(tmp_path / "model.glassnet")
    arrays, facts = load_arrays(path)

    def answer(**changed):
        described = {name: value for name, value in {**facts, **changed}.items() if value is not ...}
        save_arrays(path, arrays, described)
        with pytest.raises(gn.GlassnetError) as caught:
            gn.load(path)
        assert str(caught.value).startswith(str(path))
        return str(caught.value).removeprefix(str(path))

    newer = answer(format=FORMAT + 1, versions={"glassnet": "9.9"})
    assert newer == " has the format 2, and this glassnet reads 1; use the version that wrote it (9.9)."
    assert answer(format=..., versions=...).endswith("use the version that wrote it (unknown).")
    assert answer(kind=...) == " holds no estimator; give a file that an estimator's save wrote."
    for name in ("os.system", "load", "__all__", ["x"], None):
        assert answer(**{"class": name}) == f" holds a {name}, which this glassnet does not know."
    for name in ("parameters", "fitted", "forms", "requests"):
        assert answer(**{name: ...}) == f" does not fit together ('{name}'); save the estimator again."
    assert "unexpected keyword argument 'colour'" in answer(parameters={"colour": 1})
    for broken in (
        {"array": "none"}, {"unknown": 1}, {"run": {}}, {"list": [], "tuple": []}, {"dict": [[{"list": []}, 1]]},
        {"described": {"is": "os.system"}}, {"result": ["open", {}]}, {"early_stopping": ["open"]},
    ):  # fmt: skip
        assert "does not fit together" in answer(fitted={"coef_": broken})
    for name in ("fit", "__class__", "predict"):
        assert f"({name} is no fitted attribute)" in answer(fitted={name: 3})


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
    long = str(tmp_path / ("x" * 300))
    assert "the name is too long" in refused(lambda: estimator.save(long))
    assert "the name is too long" in refused(lambda: gn.load(long))
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


def there_and_back(value):
    writer = ValueWriter()
    stored, forms = json.loads(json.dumps([writer.write(value, "it"), writer.forms]))
    return ValueReader(writer.arrays, forms).read(stored)


NUMBERS_OF_NUMPY = st.sampled_from(["?", "i1", "u1", "<i2", ">i4", "<u8", "<f2", "<f4", "<f8", ">f8"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.text(max_size=8).map(np.str_)
    | st.sampled_from([np.float32(0.1), np.int8(-3), np.bool_(True), np.float64("nan"), np.uint64(2**64 - 1)]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.integers(-5, 5) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(VALUES)
def test_any_plain_value_comes_back_as_it_was(value):
    assert repr(there_and_back(value)) == repr(value)


@settings(max_examples=100, deadline=None)
@given(hnp.arrays(NUMBERS_OF_NUMPY, hnp.array_shapes(min_dims=0, min_side=0, max_side=3)), st.sampled_from("CF"))
def test_any_array_comes_back_as_it_was(array, order):
    array = np.asarray(array, order=order)
    back = there_and_back(array)
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    assert back.tobytes("A") == array.tobytes("A")
    assert back.flags.f_contiguous == array.flags.f_contiguous
    assert back.flags.writeable


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(), min_size=30, max_size=40))
def test_long_lists_of_numbers_come_back_as_they_were(values):
    assert repr(there_and_back(values)) == repr(values)


def test_arrays_of_text_and_of_anything_plain():
    pairs = np.empty(2, dtype=object)
    pairs[:] = [(1, 2), None]
    for array in (np.array(["a", "bé"]), np.array([], dtype="<U3"), np.array([["a"], ["b"]], dtype=object), pairs):
        back = there_and_back(array)
        assert back.dtype == array.dtype
        assert repr(back) == repr(array)


def test_labels_of_all_kinds(tmp_path):
    for labels in (
        LABELS,
        np.asarray(LABELS, dtype=object),
        IRIS.target.to_numpy(),
        pd.Series(LABELS),
        LABELS == "setosa",
        IRIS.target.to_numpy().astype(">i4"),
    ):
        estimator = gn.MLPClassifier(**MLP).fit(FRAME, labels)
        loaded = gn.load(estimator.save(tmp_path / "model.glassnet", overwrite=True))
        assert loaded.classes_.dtype == estimator.classes_.dtype
        np.testing.assert_array_equal(loaded.predict(FRAME), estimator.predict(FRAME))
