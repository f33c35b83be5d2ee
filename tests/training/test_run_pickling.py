"""Runs pickled (also by joblib) and copied: the same record, at every iteration, and it goes on exactly."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
from scipy.sparse import csr_array

import glassnet as gn
from glassnet.equations import functions
from glassnet.equations.functions import ACTIVATIONS, PRIMITIVES, Primitive, RowFunction
from glassnet.equations.losses import LOSSES
from glassnet.equations.optimizers import OPTIMIZERS
from glassnet.training.run import Run

draws = np.random.default_rng(0)
X = draws.normal(size=(24, 3))
y = (X[:, :1] + 0.3 * draws.normal(size=(24, 1)) > 0).astype(float)
SWISH = gn.activation("swish", lambda z: z * gn.sigmoid(z))
CAUCHY = gn.loss("cauchy", lambda y, a: gn.log(1 + (a - y) ** 2))
NET = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))
DEEP = gn.Network(3, gn.Dense(4), gn.BatchNorm(), gn.Activation(SWISH), gn.Dropout(0.2), gn.Dense(1))

TRAININGS = {
    "sgd": lambda: gn.train(NET, X, y, optimizer=gn.SGD(gn.StepDecay(0.1, 2), 0.9), batch_size=7, epochs=5),
    "adam": lambda: gn.train(NET, X, y, optimizer="adam", batch_size=10, epochs=5, l1=0.01, l2=0.1, dtype="float32"),
    "lbfgs": lambda: gn.train(NET, X, y, optimizer=gn.LBFGS(), epochs=5),
    "deep": lambda: gn.train(DEEP, X, y, loss=CAUCHY, batch_size=8, epochs=5, seed=3),
    "stopped": lambda: gn.train(
        NET, X, y, optimizer=gn.SGD(3.0), epochs=40, validation=0.25, callbacks=[gn.EarlyStopping(patience=3)]
    ),
    "weighted": lambda: gn.train(NET, X, y, sample_weight=np.arange(24.0), epochs=4, record="last"),
    "sparse": lambda: gn.train(NET, csr_array(np.where(X > 0, X, 0)), y, batch_size=9, epochs=4, record="last"),
    "classes": lambda: gn.train(gn.Network(3, gn.Dense(2, "softmax")), X, np.column_stack([y, 1 - y]), epochs=4),
    "newton": lambda: gn.train(gn.Network(3, gn.Dense(1, "sigmoid")), X, y, optimizer=gn.Newton(), epochs=25, l2=0.1),
    "least squares": lambda: gn.train(gn.Network(3, gn.Dense(1)), X, y, optimizer=gn.LeastSquares(), epochs=1),
}  # fmt: skip


def by_joblib(run, folder):
    joblib.dump(run, folder / "run.joblib")
    return joblib.load(folder / "run.joblib")


WAYS = {
    "pickle": lambda run, folder: pickle.loads(pickle.dumps(run)),
    "first protocol": lambda run, folder: pickle.loads(pickle.dumps(run, protocol=2)),
    "deepcopy": lambda run, folder: copy.deepcopy(run),
    "joblib": by_joblib,
}


def assert_same_run(mine, theirs):
    assert isinstance(mine, Run)
    assert mine.settings == theirs.settings
    assert mine.facts == theirs.facts
    assert mine.history.same_training(theirs.history)
    assert mine.snapshots.iterations == theirs.snapshots.iterations
    for iteration in range(theirs.iteration + 1):
        a, b = mine.at(iteration).state, theirs.at(iteration).state
        assert a.keys() == b.keys()
        for name in b:
            np.testing.assert_array_equal(a[name], b[name])
    np.testing.assert_array_equal(mine.predict(X), theirs.predict(X))
    assert str(mine.derivation) == str(theirs.derivation)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TRAININGS)
def test_the_same_run(name, way, tmp_path):
    run = TRAININGS[name]()
    assert_same_run(WAYS[way](run, tmp_path), run)  # its equations and engine were made by the training
    assert_same_run(WAYS[way](WAYS[way](run, tmp_path), tmp_path), run)


@pytest.mark.parametrize("name", ["sgd", "adam", "deep", "sparse"])
def test_it_goes_on_exactly(name):
    run = TRAININGS[name]()
    other = pickle.loads(pickle.dumps(run))
    longer = [gn.train(resume=one, epochs=9) for one in (run, other)]
    assert longer[0].history.same_training(longer[1].history)
    for parameter, value in longer[0].parameters.items():
        np.testing.assert_array_equal(longer[1].parameters[parameter], value)


def test_every_step_of_a_copy_can_be_seen():
    run = TRAININGS["deep"]()
    values, again = run.intermediates(7), copy.deepcopy(run).intermediates(7)
    assert values.keys() == again.keys()
    for name, value in values.items():
        np.testing.assert_array_equal(again[name], value)


def test_a_copy_is_a_record_of_its_own():
    run = TRAININGS["sgd"]()
    other = copy.deepcopy(run)
    other.facts["notes"].append("mine")
    other.history.append(dict.fromkeys(other.history.columns, 0.0))
    other.data.X[:] = 0
    assert run.notes == []
    assert len(run.history) == 5
    assert run.data.X.any()


def test_what_is_made_from_the_settings_is_not_pickled():
    run = TRAININGS["sgd"]()
    assert {"derivation", "engine"} <= vars(run).keys()
    state = run.__getstate__()
    assert {"settings", "snapshots", "history", "data", "facts"} <= state.keys()
    assert not {"derivation", "engine"} & state.keys()


def test_a_run_with_a_folder_keeps_it(tmp_path):
    run = gn.train(NET, X, y, epochs=3, out=tmp_path / "run")
    other = pickle.loads(pickle.dumps(gn.Run.load(tmp_path / "run")))
    assert_same_run(other, run)
    assert other.folder == tmp_path / "run"
    assert_same_run(gn.Run.load(other.save(tmp_path / "another")), run)


def test_a_run_that_was_trained_on_a_table():
    table = gn.data.read_table({"size": X[:, 0], "kind": ["a", "b"] * 12, "name": np.where(y[:, 0] > 0, "yes", "no")})
    preparation = gn.data.Preparation.fit(table, "name")
    inputs, targets = preparation.transform(table), preparation.transform_target(table)
    net = gn.Network(inputs.shape[1], gn.Dense(3, "tanh"), gn.Dense(targets.shape[1], "sigmoid"))
    run = gn.train(net, inputs, targets, epochs=3, preparation=preparation)
    other = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(other.predict(table), run.predict(table))
    np.testing.assert_array_equal(other.predict_labels(table), run.predict_labels(table))


def test_another_process_reads_it(tmp_path):
    run = TRAININGS["deep"]()
    (tmp_path / "run.pickle").write_bytes(pickle.dumps(run))
    code = (
        "import pickle, sys; run = pickle.loads(open(sys.argv[1], 'rb').read()); "
        "print(run.predict([[0.1, 0.2, 0.3]])[0, 0].hex(), run.at(4).parameters['W1'][0, 0].hex())"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "run.pickle")], capture_output=True, text=True, check=True
    )
    expected = (run.predict([[0.1, 0.2, 0.3]])[0, 0], run.at(4).parameters["W1"][0, 0])
    assert answer.stdout.split() == [value.hex() for value in expected]


DESCRIPTIONS = [
    *PRIMITIVES.values(), *ACTIVATIONS.values(), *LOSSES.values(), SWISH, CAUCHY, NET, DEEP,
    *(kind() for kind in OPTIMIZERS.values()),
]  # fmt: skip


@pytest.mark.parametrize("value", DESCRIPTIONS, ids=lambda v: getattr(v, "name", None) or str(v)[:40])
def test_descriptions(value):
    for other in (pickle.loads(pickle.dumps(value)), copy.deepcopy(value), copy.copy(value)):
        assert other == value
        assert type(other) is type(value)
        assert hash(other) == hash(value)
        if isinstance(value, Primitive | RowFunction):
            assert other is value


def test_every_function_with_rules_of_its_own_is_known_by_name():
    found = [value for value in vars(functions).values() if isinstance(value, Primitive | RowFunction)]
    assert {kind.name for kind in found} == {k.name for k in PRIMITIVES.values()}
    assert all(PRIMITIVES[kind.name] is kind for kind in found)


def test_a_derivation_prints_the_same_page():
    derivation = gn.derive(DEEP, CAUCHY, gn.Adam())
    assert str(pickle.loads(pickle.dumps(derivation))) == str(derivation)


def test_a_run_is_known_again_however_it_travels(tmp_path):
    """What tells runs and data apart is worked out when it is first needed; the answer never depends on when."""
    rng = np.random.default_rng(5)
    X, Y = rng.standard_normal((20, 3)), rng.standard_normal((20, 1))

    def trained(**more):
        return gn.train(gn.Network(3, gn.Dense(1)), X, Y, epochs=3, validation=0.2, progress=False, **more)

    once, again, written = trained(), trained(), trained(out=tmp_path / "written")
    kept = written.facts["id"]
    assert len(kept) == 32
    X[0] += 1.0  # the caller's array, not the run's
    copied = pickle.loads(pickle.dumps(again))
    resumed = gn.train(resume=again, epochs=5, progress=False)
    for run in (once, copied, resumed, written):
        run.identify()
    about = [run.facts["data"] for run in (once, copied, resumed, written)]
    assert {run.facts["id"] for run in (once, copied, resumed)} == {kept}
    for name in ("fingerprint", "validation_fingerprint"):
        assert len({a[name] for a in about}) == 1
        assert len(about[0][name]) == 64
    gn.train(resume=copied, epochs=6, progress=False).save(tmp_path / "copied")
    assert gn.Run.load(tmp_path / "copied").facts["id"] == kept
    with pytest.raises(gn.RunError, match="not the data this run was trained on"):
        copied.attach(X, Y)
    X[0] -= 1.0
    trained(seed=1).save(tmp_path / "other")
    assert gn.Run.load(tmp_path / "other").facts["id"] != kept
