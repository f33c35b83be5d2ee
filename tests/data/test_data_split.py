"""Training and test rows; fingerprints."""

import hashlib

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassnet.data import file_fingerprint, fingerprint, split_rows
from glassnet.errors import DataError, GlassnetWarning


def test_each_class_keeps_its_share():
    y = np.repeat(["a", "b"], [80, 20])
    train, test = split_rows(y, test=0.25, seed=1)
    assert (np.sum(y[test] == "a"), np.sum(y[test] == "b")) == (20, 5)
    again = split_rows(pa.chunked_array([y.tolist()]), test=25, seed=1)
    assert all(np.array_equal(one, other) for one, other in zip((train, test), again, strict=True))
    assert not np.array_equal(test, split_rows(y, test=0.25, seed=2)[1])
    onehot = np.eye(2)[(y == "b").astype(int)]
    np.testing.assert_array_equal(split_rows(onehot, test=0.25, seed=1)[1], test)


@settings(derandomize=True, deadline=None, max_examples=40)
@given(sizes=st.lists(st.integers(4, 20), min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1))
def test_every_row_is_in_exactly_one_part(sizes, seed):
    y = np.repeat(np.arange(len(sizes)), sizes)
    for labels, stratify in ((y, True), (y, False), (None, True), (y + 0.5, True)):
        train, test = split_rows(labels, test=0.3, seed=seed, stratify=stratify, n=len(y))
        assert len(test) == int(np.ceil(0.3 * len(y)))
        np.testing.assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(y)))
        assert np.all(np.diff(train) > 0)
        assert np.all(np.diff(test) > 0)


def test_no_test_rows():
    train, test = split_rows(np.zeros(3), test=0)
    assert train.tolist() == [0, 1, 2]
    assert len(test) == 0


def test_warnings():
    with pytest.warns(GlassnetWarning) as caught:
        train, _ = split_rows(["a"] * 10 + ["b"] * 10 + ["c"], test=0.2)
    assert str(caught[0].message) == (
        "A class has one row only ('c'): kept for training, so that the test says nothing about it; collect more rows."
    )
    assert 20 in train
    with pytest.warns(GlassnetWarning) as caught:
        _, test = split_rows([0, 0, 1, 1, 2, 2], test=2)
    assert len(test) == 2
    assert str(caught[0].message) == (
        "4 training and 2 test rows cannot each hold all 3 classes: the split is not stratified; change the number of "
        "test rows."
    )


def test_bad_settings():
    y = np.arange(10) % 2
    for settings_, sentence in [
        ({"test": 1.5}, "test=1.5 cannot be used; pass a fraction such as 0.25, or a whole number of rows."),
        ({"test": True}, "test=True cannot be used; pass a fraction such as 0.25, or a whole number of rows."),
        ({"test": -3}, "test=-3 cannot be used; pass a fraction such as 0.25, or a whole number of rows."),
        ({"test": 10}, "test=10 of 10 rows leaves none to train on; pass fewer, or a fraction such as 0.25."),
        ({"test": 0.99}, "test=0.99 of 10 rows leaves none to train on; pass a smaller fraction."),
        ({"seed": -1}, "seed=-1 cannot be used; pass a whole number from 0 to 4294967295."),
    ]:
        with pytest.raises(DataError) as caught:
            split_rows(y, **settings_)
        assert str(caught.value) == sentence
    with pytest.raises(DataError) as caught:
        split_rows(None)
    assert str(caught.value) == "Rows cannot be divided without labels or their number; pass y, or n=number of rows."


def test_fingerprint_by_hand():
    array = np.array([[1, 2], [3, 4]], dtype="<i8")
    expected = hashlib.sha256(b"<i8(2, 2);" + array.tobytes()).hexdigest()
    assert fingerprint(array) == expected
    assert fingerprint(np.asfortranarray(array)) == expected
    assert fingerprint(np.repeat(array, 2, axis=0)[::2]) == expected


def test_fingerprint_sees_every_difference():
    array = np.arange(6.0)
    others = [array + 1e-9, array.reshape(2, 3), array.astype("float32"), array[:5], np.array(["a"]), np.array(True)]
    assert len({fingerprint(one) for one in [array, *others]}) == 7
    assert fingerprint(array, array) != fingerprint(array)
    assert len(fingerprint(np.zeros((0, 3)))) == 64
    with pytest.raises(DataError) as caught:
        fingerprint(np.array([None]))
    assert str(caught.value) == (
        "An array of Python objects has no fingerprint; convert it to numbers or text (astype(str))."
    )


def test_file_fingerprint(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # SHA-256 of "abc", FIPS 180-2
    assert file_fingerprint(path) == {"path": str(path), "size": 3, "sha256": known}
