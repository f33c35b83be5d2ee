"""Array files and their preparation."""

import gzip
import json
import struct
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from glassnet.data import ArrayPreparation, is_array_source, preparation_from_dict, read_array, read_hdf5, read_idx
from glassnet.errors import DataError


def idx(array, code):
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def test_idx_by_hand(tmp_path):
    # 00 00 | 08: unsigned bytes | 02: two axes | 2 × 3 | 1 2 3 4 5 6
    content = bytes.fromhex("00000802 00000002 00000003 010203040506")
    (tmp_path / "a-idx2-ubyte").write_bytes(content)
    (tmp_path / "a.idx.gz").write_bytes(gzip.compress(content))
    for name in ("a-idx2-ubyte", "a.idx.gz"):
        array = read_array(tmp_path / name)
        assert array.tolist() == [[1, 2, 3], [4, 5, 6]]
        assert array.dtype == np.uint8


@settings(derandomize=True, deadline=None, max_examples=40)
@given(hnp.arrays(st.sampled_from([">i2", ">i4", ">f4", ">f8", "u1", "i1"]), hnp.array_shapes(max_dims=4, max_side=4)))
def test_idx_round_trip(tmp_path_factory, array):
    code = {"u1": 8, "i1": 9, "i2": 11, "i4": 12, "f4": 13, "f8": 14}[array.dtype.str[1:]]
    path = tmp_path_factory.getbasetemp() / "r.idx"
    path.write_bytes(idx(array, code))
    found = read_idx(path)
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, array)


def test_bad_idx(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    content = bytes.fromhex("00000802 00000002 00000003 010203040506")
    for data, sentence in [
        (b"hello", "'a.idx' is not an IDX file (it begins with 68 65 6c 6c, not with 00 00, a type and a number of axes); pass one like train-images-idx3-ubyte."),  # noqa: E501
        (content[:-1], "'a.idx' is cut short: its header says 2 × 3, which takes 18 bytes, and it has 17; copy or download it again."),  # noqa: E501
        (content[:6], "'a.idx' is cut short: its header says 2 axes, which takes 13 bytes, and it has 6; copy or download it again."),  # noqa: E501
        (content + b"x", "'a.idx' has 1 bytes more than its header says (18); it is damaged or not an IDX file: copy or download it again."),  # noqa: E501
    ]:  # fmt: skip
        (tmp_path / "a.idx").write_bytes(data)
        with pytest.raises(DataError) as caught:
            read_idx("a.idx")
        assert str(caught.value) == sentence


def test_names_of_array_files():
    yes = ["t10k-images-idx3-ubyte.gz", "a.idx", "f.h5::x/y", "f.hdf5", "a.npy", "b.npz::x", "labels-ubyte"]
    assert all(is_array_source(name) for name in yes)
    assert not any(is_array_source(name) for name in ["a.csv", "a.csv.gz", "idx.csv", "h5", "iris"])
    with pytest.raises(DataError) as caught:
        read_array("a.csv")
    assert str(caught.value) == (
        "'a.csv' is not the name of an array file; IDX files end in -ubyte or .idx (.gz), HDF5 in .h5 or .hdf5, "
        "NumPy's in .npy or .npz."
    )


def test_hdf5(tmp_path, monkeypatch):
    h5py = pytest.importorskip("h5py")
    monkeypatch.chdir(tmp_path)
    with h5py.File("f.h5", "w") as file:
        file["x"] = np.arange(6).reshape(2, 3)
        file["group/names"] = np.array([b"cat", b"dog"])
        file["text"] = ["ä", "b"]
    with h5py.File("one.h5", "w") as file:
        file["x"] = np.arange(3)
    assert read_hdf5("f.h5::x").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert read_array("f.h5::/group/names").tolist() == ["cat", "dog"]
    assert read_array("f.h5::text").tolist() == ["ä", "b"]
    assert read_array("one.h5").tolist() == [0, 1, 2]
    (tmp_path / "bad.h5").write_bytes(b"nothing of the kind")
    for source, sentence in [
        ("f.h5", "'f.h5' holds 3 data sets; name one, as in f.h5::group/names. Known: group/names, text, x."),
        ("f.h5::tex", "'f.h5' holds no data set 'tex'; did you mean 'text'? Known: group/names, text, x."),
        ("bad.h5::x", "'bad.h5' is not a whole HDF5 file (Unable to synchronously open file (file signature not found)); copy or write it again."),  # noqa: E501
    ]:  # fmt: skip
        with pytest.raises(DataError) as caught:
            read_hdf5(source)
        assert str(caught.value) == sentence


def test_hdf5_without_h5py(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "f.h5").write_bytes(b"\x89HDF")
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(DataError) as caught:
        read_hdf5("f.h5::x")
    assert str(caught.value) == "Reading 'f.h5' needs h5py; install it with: pip install glassnet[hdf5]"


def test_numpy_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("a.npy", np.eye(2))
    np.savez("b.npz", x=np.arange(3), y=np.arange(2))
    np.save("o.npy", np.array([{}], dtype=object), allow_pickle=True)
    assert read_array("a.npy").tolist() == [[1, 0], [0, 1]]
    assert read_array("b.npz::y").tolist() == [0, 1]
    with pytest.raises(DataError) as caught:
        read_array("b.npz")
    assert str(caught.value) == "'b.npz' holds 2 data sets; name one, as in b.npz::x. Known: x, y."
    with pytest.raises(DataError) as caught:
        read_array("o.npy")
    assert str(caught.value) == (
        "'o.npy' is not a NumPy file of numbers (it holds Python objects, which are never unpickled); write it with "
        "numpy.save."
    )


def test_images_by_hand():
    X = np.array([[[0, 255]], [[51, 102]], [[255, 0]]], np.uint8)
    prep = ArrayPreparation.fit(X, np.array(["cat", "dog", "cat"]), dtype="float32")
    assert prep.task == "binary_classification"
    assert prep.classes == ["cat", "dog"]
    assert (prep.n_inputs, prep.n_outputs, prep.input_names, prep.sample_shape) == (2, 1, ["x1", "x2"], (1, 2))
    found = prep.transform(X)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    np.testing.assert_allclose(found, [[0, 1], [0.2, 0.4], [1, 0]], rtol=1e-7)
    assert prep.transform(X.reshape(3, 2)).tolist() == found.tolist()
    assert prep.transform_target(np.array(["dog", "cat"])).tolist() == [[1], [0]]
    assert prep.decode(np.array([[0.5], [0.4]])).tolist() == ["dog", "cat"]
    assert prep.notes[1:] == [
        "The output is the probability that 'label' is 'dog' (coded 1; 'cat' is 0).",
        "Each sample of 1 × 2 values is one row of 2.",
        "Bytes are divided by 255, so that inputs lie between 0 and 1.",
    ]
    assert prep.describe() == "1 × 2 values a sample, each (value − 0) / 255"


def test_other_numbers_are_standardised_with_the_training_rows():
    X = np.array([[0.0, 4.0], [4.0, 8.0], [1e6, 1e6]])
    prep = ArrayPreparation.fit(X, np.array([0.5, 1.5, 7.0]), rows=[0, 1])
    # mean (0 + 4 + 4 + 8) / 4 = 4, variance (16 + 0 + 0 + 16) / 4 = 8; y: mean 1, std ½
    assert prep.transform(X[:2]) == pytest.approx(np.array([[-4, 0], [0, 4]]) / np.sqrt(8))
    assert prep.transform_target(np.array([1.5])).tolist() == [[1.0]]
    assert prep.inverse_target(np.array([[2.0]])).tolist() == [[2.0]]
    assert preparation_from_dict(json.loads(json.dumps(prep.to_dict()))) == prep


def test_bad_arrays():
    X, y = np.zeros((3, 2, 2), np.uint8), np.array([0, 1, 0])
    prep = ArrayPreparation.fit(X, y)
    bad = np.zeros((2, 2, 2))
    bad[1, 0, 0] = np.nan
    for call, sentence in [
        (lambda: ArrayPreparation.fit(X, y[:2]), "There are 3 samples and 2 labels; each sample needs one label."),
        (lambda: ArrayPreparation.fit(X, np.eye(3)), "Labels of shape (3, 3) cannot be used; pass one label a sample."),
        (lambda: ArrayPreparation.fit(X, y * 0), "Target 'label' has one class only, '0', in 3 training rows; a classifier needs two or more."),  # noqa: E501
        (lambda: ArrayPreparation.fit(np.full((3, 2), 7), y), "Every value of X is 7; there is nothing to predict 'label' from."),  # noqa: E501
        (lambda: ArrayPreparation.fit(y, y), "An array of shape (3,) and type int64 cannot be X; it needs numbers (samples, ...)."),  # noqa: E501
        (lambda: prep.transform(np.zeros((3, 5))), "The array has shape (3, 5); the network was trained on (samples, 2, 2)."),
        (lambda: prep.transform(bad), "Sample 2 of X holds NaN or infinity; a network needs finite numbers: correct it."),
        (lambda: preparation_from_dict({"kind": "x"}), "A preparation of kind 'x' is not known; it needs to be 'table' or 'array'."),  # noqa: E501
    ]:  # fmt: skip
        with pytest.raises(DataError) as caught:
            call()
        assert str(caught.value) == sentence
