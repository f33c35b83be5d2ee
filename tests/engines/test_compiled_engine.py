"""How compiled code is kept, chosen and fed with random numbers; that it computes the same is tested in tests/conformance."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import numpy as np
import pytest
from numba.core import event
from scipy.sparse import csr_array

import glassnet as gn
from glassnet.engines.compiled import draws
from glassnet.engines.compiled.kept import cache_folder, compiling_said, source_mark
from glassnet.equations.draws import keep_mask, permutation
from glassnet.errors import GlassnetError
from glassnet.training.choice import MOST_THREADS, chosen_engine, cores, reference_seconds

X = np.random.default_rng(0).normal(size=(60, 3))
Y = (X[:, :1] > 0).astype(float)
NET = gn.Network(3, gn.Dense(4, "tanh"), gn.Dense(1, "sigmoid"))


def in_a_new_process(code: str, **environment: str) -> str:
    import os

    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_second_process_and_a_new_architecture_compile_nothing():
    gn.train(NET, X, Y, epochs=1, engine="compiled", progress=False)  # kept from here on
    said = in_a_new_process("""
        from numba.core import event
        import numpy as np, glassnet as gn
        X = np.random.default_rng(0).normal(size=(60, 5)); Y = (X[:, :1] > 0) * 1.0
        swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
        with event.install_listener("numba:compile", event.RecordingListener()) as compiled:
            for net in (gn.Network(5, gn.Dense(7, "tanh"), gn.Dense(1, "sigmoid")),
                        gn.Network(5, gn.Dense(3, swish), gn.BatchNorm(), gn.Dense(2, "gelu"), gn.Dense(1, "sigmoid"))):
                gn.train(net, X, Y, epochs=2, batch_size=8, engine="compiled", progress=False)
        print(len(compiled.buffer))
    """)
    assert said.strip() == "0"


def test_without_a_folder_to_write_to_it_runs_and_says_so(tmp_path):
    (tmp_path / "file").write_text("")
    said = in_a_new_process(
        """
        from glassnet.engines.compiled.kept import compiling_said, kept, unkept
        said = []
        def add(a, b):
            return a + b
        with compiling_said(said.append):
            print(kept(add)(2, 3))
        print(len(unkept), said[0])
        """,
        GLASSNET_CACHE=str(tmp_path / "file" / "below"),
    )
    assert said.splitlines() == [
        "5",
        f"1 Compiling the training loop (about half a minute). The compiled code cannot be kept in {tmp_path}/file/below, so "
        "every new process compiles it again; set GLASSNET_CACHE to a folder that can be written.",
    ]


def test_a_compilation_is_announced_once():
    said: list[str] = []
    with compiling_said(said.append), event.trigger_event("numba:compile"), event.trigger_event("numba:compile"):
        pass
    assert said == ["Compiling the training loop (about half a minute). It is kept for the next time."]


def test_where_compiled_code_is_kept(monkeypatch, tmp_path):
    monkeypatch.setenv("GLASSNET_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("GLASSNET_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == tmp_path / "x" / "glassnet"
    assert len(source_mark()) == 24


def test_importing_glassnet_does_not_import_numba():
    assert in_a_new_process("import sys, glassnet; print('numba' in sys.modules)").strip() == "False"


@pytest.mark.parametrize("count", [1, 2, 3, 5, 150, 5000])
def test_orders_and_masks_are_those_of_the_reference_bit_for_bit(count):
    numbers, order, other = np.empty(count, np.uint64), np.empty(count, np.uint32), np.empty(count, np.uint32)
    for seed, epoch in ((0, 0), (2**64 - 1, 7)):
        draws.order(np.uint64(seed), epoch, count, numbers, order, other)
        assert (order == permutation(seed, "shuffle", epoch, count)).all()
    whole = keep_mask(7, 12, 2, (count, 3), 0.3).ravel()
    for first in {0, 1, count // 2, count - 1}:  # from anywhere within the mask
        out = np.empty(3 * count - first)
        draws.mask(np.uint64(7), 12, 2, np.uint64(int(0.3 * 2.0**64)), out, first, len(out))
        assert (out == whole[first:]).all()


def settings(optimizer=None, epochs=100, batch_size=None, engine="auto", net=NET, **others):
    run = gn.train(net, X, Y, optimizer=optimizer, epochs=0, batch_size=batch_size, progress=False, **others)
    from dataclasses import replace

    return replace(run.settings, engine=engine, epochs=epochs), run


def test_the_engine_is_chosen_by_the_work():
    small, run = settings(epochs=100)
    large, _ = settings(epochs=100_000)
    assert chosen_engine(small, run.derivation, run.data) == "reference"
    assert chosen_engine(large, run.derivation, run.data) == "compiled"
    assert chosen_engine(small, run.derivation, run.data, epochs=100_000) == "compiled"
    one = reference_seconds(run.derivation, 60, None, 1)
    assert reference_seconds(run.derivation, 60, None, 10) == pytest.approx(10 * one)
    assert reference_seconds(run.derivation, 60, 1, 1) > 20 * one  # sixty small updates
    assert 1 <= cores() <= MOST_THREADS
    assert gn.train(NET, X, Y, epochs=1, progress=False).settings.engine == "reference"


def test_what_the_compiled_engine_does_not_do_is_the_references():
    rule, run = settings(epochs=10**6, net=gn.Network(3, gn.Dense(1, "step")), loss="perceptron", optimizer=gn.SGD(1.0))
    assert chosen_engine(rule, run.derivation, run.data) == "reference"
    assert gn.train(NET, csr_array(X), Y, epochs=1, progress=False).settings.engine == "reference"
    with pytest.raises(GlassnetError) as caught:
        gn.train(NET, csr_array(X), Y, engine="compiled", progress=False)
    assert str(caught.value) == (
        "engine='compiled' got sparse X; it needs every entry: pass X.toarray(), or engine='reference'."
    )
    with pytest.raises(GlassnetError) as caught:
        gn.train(gn.Network(3, gn.Dense(1)), X, Y, optimizer=gn.Newton(), engine="compiled", progress=False)
    assert str(caught.value) == "engine='compiled' got Newton, which is no loop of updates; leave engine at 'auto'."


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"threads": 0}, "train got threads=0 (a whole number, 1 or more); each needs what stands in parentheses."),
        (
            {"measure": "some"},
            "train got measure='some' ('auto', 'all' or a whole number of samples, 1 or more); each needs what stands in "
            "parentheses.",
        ),
    ],
)
def test_settings_that_cannot_be(setting, said):
    with pytest.raises(GlassnetError) as caught:
        gn.train(NET, X, Y, progress=False, **setting)
    assert str(caught.value) == said


def test_equal_questions_are_derived_once():
    net = gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(1, "sigmoid"))
    assert gn.derive(net, optimizer=gn.SGD(0.1)) is gn.derive(
        gn.Network(3, gn.Dense(5, "tanh"), gn.Dense(1, "sigmoid")), optimizer=gn.SGD(0.1)
    )
    assert gn.derive(net, optimizer=gn.SGD(0.2)) is not gn.derive(net, optimizer=gn.SGD(0.1))


def test_a_large_training_in_batches_measures_a_part_of_its_samples():
    draws_ = np.random.default_rng(1)
    inputs = draws_.normal(size=(6000, 2))
    targets = (inputs[:, :1] > 0).astype(float)
    net = gn.Network(2, gn.Dense(1, "sigmoid"))
    run = gn.train(net, inputs, targets, epochs=1, batch_size=500, progress=False)
    whole = gn.train(net, inputs, targets, epochs=1, batch_size=500, progress=False, measure="all")
    assert np.array_equal(run.parameters["W1"], whole.parameters["W1"])
    p = run.predict(inputs)
    cost = -np.log(np.where(targets > 0, p, 1 - p)).mean()
    assert whole.history["cost"][0] == pytest.approx(cost, rel=1e-12)
    chosen = np.sort(permutation(0, "validation", 1, 6000)[:1000])
    part = -np.log(np.where(targets > 0, p, 1 - p))[chosen].mean()
    assert run.history["cost"][0] == pytest.approx(part, rel=1e-12)
