"""The benchmarks run, at a small size; how fast anything is, is never asserted."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(tmp_path: Path, *asked: str) -> tuple[dict, str]:
    """The JSON of one run, and its text."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked, "--json", str(tmp_path / "out.json")],
        capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "out.json").read_text()), done.stdout


def test_the_table_of_regressions_has_a_row_for_every_peer(tmp_path):
    kept, text = run(tmp_path, "--workloads", "regression", "--rows", "500", "--repeats", "1")
    results = kept["regression"]
    for workload in ("ols", "logistic", "logistic, columns as they come"):
        rows = [r for r in results if r["workload"] == workload]
        assert {r["peer"] for r in rows} == {"glassnet", "scikit-learn"}
        if workload != "ols":  # the peer that is compared has reached the same likelihood
            ours, theirs = rows[0]["log_likelihood"], rows[-1]["log_likelihood"]
            assert (ours - theirs) / abs(ours) <= 1e-9
    lines = text.splitlines()
    assert len(lines) - lines.index("500 rows") == 2 + len(results)


def test_the_table_of_training_has_a_row_for_every_peer(tmp_path):
    peers = ["glassnet", "scikit-learn", "numpy", "R"]
    asked = ["--quick", "--workloads", "flower,iris", "--peers", ",".join(peers), "--plot", str(tmp_path / "out.png")]
    kept, text = run(tmp_path, *asked)
    variants = {"flower": "glassnet-last", "iris": "glassnet-train"}
    for workload, variant in variants.items():
        rows = {r["peer"]: r for r in kept["training"] if r["workload"] == workload}
        assert set(rows) == {*peers, variant}
        for peer in ("glassnet", "scikit-learn", "numpy", variant):
            row = rows[peer]
            assert "missing" not in row, row
            assert 0 < row["min_us"] <= row["median_us"] <= row["max_us"]
            assert row["import_s"] > 0
            assert row["peak_mb"] > 0
            assert math.isfinite(row["loss"])
            assert row["loss_agrees"], (peer, row["loss"], rows["glassnet"]["loss"])
    assert rows["R"]["missing"] == "only flower"
    assert kept["recording"]["flower"]["snapshot_bytes"] > 0
    assert kept["limits"]["gemm_gflops"] > 0
    assert "missing: only flower" in text
    assert (tmp_path / "out.png").stat().st_size > 1000


def test_image_networks_are_trained_alike_by_every_peer(tmp_path):
    asked = ["--quick", "--workloads", "cnn,lenet", "--peers", "glassnet,scikit-learn,numpy"]
    kept, text = run(tmp_path, *asked)
    for workload in ("cnn", "lenet"):
        rows = {r["peer"]: r for r in kept["training"] if r["workload"] == workload}
        assert set(rows) == {"glassnet", "glassnet-last", "scikit-learn", "numpy"}
        assert rows["scikit-learn"]["missing"] == "no convolutions"
        for peer in ("glassnet", "glassnet-last", "numpy"):
            assert rows[peer]["loss_agrees"], (peer, rows[peer]["loss"], rows["glassnet"]["loss"])
            assert rows[peer]["loss_away"] < 1e-4  # a few steps: float32, the same sums in another order
            assert rows[peer]["median_us"] * 128 == pytest.approx(rows[peer]["seconds"] * 1e6)  # a sample, of 128
    assert "a sample; 1×28×28 → 8 filters 5×5 → pool 2×2 → 10, 128 rows, batch 32" in text
    # Forward 24 · 24 · 8 · 25 products and as many for dW; the dense layer 1,152 · 10, for dW and for dA too; two flops each.
    assert kept["workloads"]["cnn"]["flops"] == 2 * 128 * (2 * 24 * 24 * 8 * 25 + 3 * 1_152 * 10)


def test_every_peer_filters_the_picture_alike(tmp_path):
    kept, text = run(tmp_path, "--quick", "--workloads", "filter", "--peers", "glassnet,R")
    rows = {r["peer"]: r for r in kept["filter"]}
    assert list(rows) == ["glassnet", "R", "python", "scipy"]
    for peer, timed in (("glassnet", 64), ("python", 1), ("scipy", 64)):
        assert rows[peer]["timed"] == timed
        assert rows[peer]["agrees"], rows[peer]["away"]
        assert min(rows[peer]["all"]) > 0
    if "missing" in rows["R"]:
        assert rows["R"]["missing"] == "Rscript is not on PATH"
    else:
        assert rows["R"]["away"] < 1e-14
    assert "python (1 of 64 timed)" in text


def test_a_peer_whose_maps_are_others_is_marked(monkeypatch):
    from benchmarks import filtering

    row = {"seconds": 1.0, "all": [1.0], "timed": 64}
    monkeypatch.setattr(
        filtering, "run", lambda peer, *_: {"peer": peer, **row, "away": 0.0 if peer == "glassnet" else 1e-3}
    )
    rows = filtering.compare(64, 1, ("glassnet", "torch"))
    assert [r["agrees"] for r in rows] == [True, False]
    assert "1e-03!" in filtering.table(rows, 64)


def test_the_loss_of_an_image_network_is_that_of_its_forward_pass():
    """The float64 judge against scikit-learn's log loss of glassnet's own prediction."""
    from benchmarks.data import problem
    from benchmarks.peers.peer_glassnet import stages
    from benchmarks.workloads import WORKLOADS, mean_cross_entropy, quick
    from sklearn.metrics import log_loss

    import glassnet as gn

    for name in ("cnn", "lenet"):
        made = problem(quick(WORKLOADS[name]))
        w = made.workload
        net = gn.Network(w.image, *stages(w), *(gn.Dense(n, "relu") for n in w.widths[1:-1]), gn.Dense(10, "softmax"))
        start = {f"{kind}{n}": a for n, pair in enumerate(made.start, 1) for kind, a in zip("Wb", pair, strict=True)}
        run = gn.train(net, made.X, made.targets, epochs=1, initial_parameters=start, dtype="float64", progress=False)
        expected = log_loss(made.labels, run.at(0).predict(made.X.astype(float)), labels=range(10))
        assert mean_cross_entropy(made, made.start) == pytest.approx(expected, rel=1e-10)


def test_what_is_not_installed_is_named(monkeypatch):
    from benchmarks import names

    monkeypatch.setattr(names.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(names.shutil, "which", lambda name: None)
    assert names.missing("torch") == "torch is not installed"
    assert names.missing("torch-compile") == "torch is not installed"
    assert names.missing("scikit-learn") == "sklearn is not installed"
    assert names.missing("jax") == "jax is not installed"


def test_a_misspelt_workload_is_answered_with_the_names(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--workloads", "flowers"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 2
    assert "got flowers; it needs some of flower, iris, mnist-small-batch" in done.stderr
