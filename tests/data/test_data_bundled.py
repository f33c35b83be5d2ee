"""Data sets by name."""

import numpy as np
import pytest

from glassnet.data import Preparation, dataset, dataset_names
from glassnet.errors import DataError

GENERATED = ["flower", "moons", "circles", "blobs", "spiral", "xor"]


def test_names():
    assert dataset_names() == [*GENERATED, "iris", "digits", "wine", "breast_cancer", "diabetes"]


@pytest.mark.parametrize("name", dataset_names())
def test_every_one_is_a_table_with_its_target_last(name):
    data = dataset(name)
    assert data.table.column_names[-1] == data.target
    assert data.description.endswith(".")
    prep = Preparation.fit(data.table, data.target)
    assert prep.task == data.task
    X, y = data.arrays()
    assert X.dtype == np.float64
    assert X.shape == (data.table.num_rows, data.table.num_columns - 1)
    if data.task == "regression":
        np.testing.assert_array_equal(y, data.table.column(data.target).to_numpy())
    else:
        assert [prep.classes[code] for code in y] == data.table.column(data.target).to_pylist()


@pytest.mark.parametrize("name", GENERATED)
def test_generated_ones_depend_on_the_seed_alone(name):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, again, other = dataset(name, seed=3), dataset(name, seed=3), dataset(name, seed=4)
    assert first.table.equals(again.table)
    assert not first.table.equals(other.table)
    assert dataset(name, n=31).table.num_rows == 31
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_shapes_without_noise():
    X, y = dataset("moons", noise=0.0, n=6).arrays()
    # t = 0, π/2, π: (1, 0), (0, 1), (−1, 0); then (1 − cos t, ½ − sin t): (0, ½), (1, −½), (2, ½)
    np.testing.assert_allclose(X, [[1, 0], [0, 1], [-1, 0], [0, 0.5], [1, -0.5], [2, 0.5]], atol=1e-15)
    assert y.tolist() == [0, 0, 0, 1, 1, 1]
    X, y = dataset("circles", noise=0.0).arrays()
    np.testing.assert_allclose(np.hypot(X[:, 0], X[:, 1]), np.where(y == 0, 1.0, 0.5))
    X, y = dataset("xor", noise=0.0).arrays()
    np.testing.assert_array_equal(y, X[:, 0] * X[:, 1] < 0)
    X, y = dataset("flower", noise=0.0).arrays()
    t = np.concatenate([np.linspace(0, 3.12, 200), np.linspace(3.12, 6.24, 200)])
    np.testing.assert_allclose(X, np.column_stack([4 * np.sin(4 * t) * np.sin(t), 4 * np.sin(4 * t) * np.cos(t)]))
    X, y = dataset("spiral", noise=0.0).arrays()
    np.testing.assert_allclose(np.hypot(X[:, 0], X[:, 1]), np.tile(np.linspace(0, 1, 100), 3))
    X, y = dataset("blobs", noise=0.0).arrays()
    np.testing.assert_allclose(np.hypot(X[:, 0], X[:, 1]), 3)
    assert np.bincount(y).tolist() == [100, 100, 100]


def test_real_ones_against_scikit_learn():
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris

    iris = load_iris()
    X, y = dataset("iris").arrays()
    np.testing.assert_array_equal(X, iris.data)
    np.testing.assert_array_equal(y, iris.target)  # setosa, versicolor, virginica: the same order
    cancer = load_breast_cancer()
    labels = dataset("breast_cancer").table.column("diagnosis").to_pylist()
    assert labels == [cancer.target_names[code] for code in cancer.target]
    # scikit-learn's scaled diabetes has columns of sum of squares 1; standardised, both are the same numbers.
    data = dataset("diabetes")
    X = Preparation.fit(data.table, data.target).transform(data.table)
    np.testing.assert_allclose(X, load_diabetes().data * np.sqrt(442), atol=1e-6)


def test_sentences():
    for call, sentence in [
        (lambda: dataset("flowr"), "There is no data set 'flowr'; did you mean 'flower'? Known: " + ", ".join(dataset_names()) + "."),  # noqa: E501
        (lambda: dataset("iris", n=500), "'iris' has 150 rows, not 500; pass a smaller n, or leave it out."),
        (lambda: dataset("iris", noise=0.1), "'iris' is measured data and has no noise to set; leave noise out."),
        (lambda: dataset("moons", n=2), "n=2 rows cannot be used; pass a whole number from 6."),
        (lambda: dataset("moons", noise=-1), "noise=-1 cannot be used; pass a number from 0."),
        (lambda: dataset("moons", seed=-1), "seed=-1 cannot be used; pass a whole number from 0."),
    ]:  # fmt: skip
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value) == sentence
