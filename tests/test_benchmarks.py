"""The benchmarks run, at a small size; how fast anything is, is never asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_the_table_has_a_row_for_every_peer(tmp_path):
    asked = ["--rows", "500", "--repeats", "1", "--json", str(tmp_path / "out.json")]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *asked], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    for workload in ("ols", "logistic", "logistic, columns as they come"):
        rows = [r for r in results if r["workload"] == workload]
        assert {r["peer"] for r in rows} == {"glassnet", "scikit-learn"}
        if workload != "ols":  # the peer that is compared has reached the same likelihood
            ours, theirs = rows[0]["log_likelihood"], rows[-1]["log_likelihood"]
            assert (ours - theirs) / abs(ours) <= 1e-9
    assert len(done.stdout.splitlines()) == 2 + len(results)
