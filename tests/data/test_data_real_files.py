"""The readers on real files, where they are at hand."""

import os
from pathlib import Path

import numpy as np
import pytest

from glassnet.data import ArrayPreparation, Preparation, read_array, read_table


@pytest.fixture(scope="module")
def folder():
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "data"
    place = Path(os.environ.get("GLASSNET_DATA", beside))
    if not place.is_dir():
        pytest.skip("needs real data: set GLASSNET_DATA to its folder")
    return place


def test_flower(folder):
    table = read_table(folder / "planar_flower.csv")
    assert table.column_names == ["column1", "X1", "X2", "Y"]
    prep = Preparation.fit(table, "Y")
    assert prep.input_names == ["X1", "X2"]
    assert "'column1' is left out: it numbers the rows." in prep.notes
    raw = np.genfromtxt(folder / "planar_flower.csv", delimiter=",", skip_header=1)[:, 1:3]
    np.testing.assert_allclose(prep.transform(table), (raw - raw.mean(0)) / raw.std(0), atol=1e-14)


def test_handwritten_digits(folder):
    images = read_array(folder / "t10k-images-idx3-ubyte.gz")
    labels = read_array(folder / "t10k-labels-idx1-ubyte.gz")
    assert (images.shape, labels.shape) == ((10_000, 28, 28), (10_000,))
    assert labels[:5].tolist() == [7, 2, 1, 0, 4]  # known from the data set's own page
    prep = ArrayPreparation.fit(images, labels, dtype="float32")
    X = prep.transform(images[:100])
    assert (X.min(), X.max(), X.shape) == (0, 1, (100, 784))
    np.testing.assert_array_equal(prep.decode(prep.transform_target(labels)), labels)


def test_photographs(folder):
    pytest.importorskip("h5py")
    X = read_array(f"{folder / 'train_catvnoncat.h5'}::train_set_x")
    y = read_array(f"{folder / 'train_catvnoncat.h5'}::train_set_y")
    assert X.shape == (209, 64, 64, 3)
    prep = ArrayPreparation.fit(X, y)
    assert (prep.task, prep.n_inputs, prep.sample_shape) == ("binary_classification", 12_288, (64, 64, 3))
    assert read_array(f"{folder / 'train_catvnoncat.h5'}::list_classes").tolist() == ["non-cat", "cat"]
