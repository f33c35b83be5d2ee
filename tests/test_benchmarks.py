"""The benchmarks run, at a small size; how fast anything is, is never asserted."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

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
