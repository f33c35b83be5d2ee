"""Whether an estimator takes sparse rows depends on its engine; scikit-learn's own checks see that the tag is true."""

import pytest
from sklearn.utils.estimator_checks import estimator_checks_generator

import glassnet as gn

ESTIMATORS = {
    "mlp": lambda engine: gn.MLPClassifier((4,), max_iter=10, engine=engine),
    "network": lambda engine: gn.NetworkRegressor([gn.Dense(4, "tanh")], epochs=10, engine=engine),
}


@pytest.mark.filterwarnings("ignore")  # ten epochs of random rows do not converge, which is said each time
@pytest.mark.parametrize("engine", ["reference", "compiled"])
@pytest.mark.parametrize("kind", ESTIMATORS)
def test_the_tag_is_true(kind, engine):
    estimator = ESTIMATORS[kind](engine)
    assert estimator.__sklearn_tags__().input_tags.sparse is (engine == "reference")
    everything = [check for _, check in estimator_checks_generator(estimator, legacy=True)]
    checks = [c for c in everything if c.func.__name__.startswith("check_estimator_sparse")]
    assert len(checks) == 3
    for check in checks:
        check(ESTIMATORS[kind](engine))
