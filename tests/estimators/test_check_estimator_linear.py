"""scikit-learn's own checks of an estimator, all of them, for the estimators with one layer."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from glassnet.estimators import LinearRegression, LogisticRegression, Perceptron

WEIGHTS = [f"check_sample_weight_equivalence_on_{kind}_data" for kind in ("dense", "sparse")]
REASONS = {
    "Perceptron": "the order of the rows is part of the rule; scikit-learn's own is excused for the same",
    "LogisticRegression": "15 rows of 30 features are separated, so no maximum exists; scikit-learn's own is excused too",
}


def excused(estimator):
    if getattr(estimator, "method", "newton") != "newton":
        return {}
    return {check: REASONS[type(estimator).__name__] for check in WEIGHTS}


@pytest.mark.filterwarnings("ignore")  # the checks' data are random, tiny and separable, which is said each time
@parametrize_with_checks(
    [
        LinearRegression(),
        LinearRegression("gradient_descent"),
        LogisticRegression(),
        LogisticRegression("lbfgs"),
        LogisticRegression("gradient_descent", max_iter=100),
        Perceptron(),
    ],
    expected_failed_checks=excused,
)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("name", REASONS)
def test_nothing_is_excused_that_scikit_learn_does_not_excuse(name):
    from sklearn import linear_model
    from sklearn.utils._test_common.instance_generator import PER_ESTIMATOR_XFAIL_CHECKS

    assert set(WEIGHTS) <= set(PER_ESTIMATOR_XFAIL_CHECKS[getattr(linear_model, name)])
