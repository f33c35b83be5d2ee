"""Changes of the data do what the Python they print does, and what a hand computation gives."""

from __future__ import annotations

import numpy as np
import pytest

from glassnet.diagnosis.data_changes import ChannelsFirst, FillIn, Flattened, OneHotTarget, RescaleHeldOut, SignTarget

DRAWS = np.random.default_rng(0)
TABLE, HELD = DRAWS.standard_normal((9, 3)), DRAWS.standard_normal((4, 3))
GAPS, HELD_GAPS = TABLE.copy(), HELD.copy()
GAPS[2, 1], GAPS[3, 1], HELD_GAPS[0, 2] = np.nan, np.inf, np.nan
PICTURES = DRAWS.random((5, 4, 6, 3))
LABELS = np.array([1.0, 2.0, 3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("change", "X", "held", "Y"),
    [
        (FillIn(), GAPS, HELD_GAPS, LABELS),
        (RescaleHeldOut(), TABLE, HELD, LABELS),
        (RescaleHeldOut(), PICTURES, PICTURES[:3] * 7, LABELS),
        (SignTarget(1.5), TABLE, HELD, LABELS),
        (OneHotTarget((1.0, 2.0, 3.0)), TABLE, HELD, LABELS[:, None]),
        (Flattened(), PICTURES, PICTURES[:2], LABELS),
        (ChannelsFirst(), PICTURES, PICTURES[:2], LABELS),
    ],
)
def test_the_printed_python_does_the_same(change, X, held, Y):
    fitted = change.fitted(X, Y)
    names = {"np": np, "X": X.copy(), "Y": Y.copy(), "X_test": held.copy(), "Y_test": Y[:2].copy()}
    exec("\n".join(change.python()), names)
    mine = (*fitted.training(X, Y), *fitted.others(held, Y[:2]))
    for name, array in zip(("X", "Y", "X_test", "Y_test"), mine, strict=True):
        np.testing.assert_allclose(array, names[name], err_msg=name)
    assert change.said


def test_gaps_are_filled_with_the_training_median():
    fitted = FillIn().fitted(GAPS, LABELS)
    median = np.median(np.delete(TABLE[:, 1], [2, 3]))
    assert fitted.training(GAPS, LABELS)[0][[2, 3], 1] == pytest.approx([median, median])
    assert fitted.others(HELD_GAPS, LABELS)[0][0, 2] == np.median(TABLE[:, 2])
    nothing = np.full((3, 1), np.nan)
    np.testing.assert_array_equal(FillIn().fitted(nothing, LABELS).training(nothing, LABELS)[0], 0)


def test_labels_by_hand():
    one_hot = OneHotTarget(("no", "yes")).fitted(TABLE, LABELS).training(TABLE, np.array(["yes", "no", "yes"]))[1]
    np.testing.assert_array_equal(one_hot, [[0, 1], [1, 0], [0, 1]])
    np.testing.assert_array_equal(SignTarget(0.5).fitted(TABLE, LABELS).training(TABLE, np.array([0, 1]))[1], [-1, 1])
