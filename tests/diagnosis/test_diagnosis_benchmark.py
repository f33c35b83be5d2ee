"""The benchmark of the diagnosis: published cases said in glassnet, faults that are really planted, and the counting."""

import argparse
from pathlib import Path

import numpy as np
import pytest
from benchmarks.diagnosis import counting, healthy, planted, published
from benchmarks.diagnosis.faults import FAULTS
from benchmarks.diagnosis.judge import outcome
from benchmarks.diagnosis.published_data import NotAtHand, Rows, changed
from benchmarks.diagnosis.random_cure import drawn
from benchmarks.diagnosis.recipes import DATA, Recipe, base, problem
from benchmarks.diagnosis.running import keys
from benchmarks.diagnosis.trials import Trial

import glassnet as gn
from glassnet.diagnosis.kinds import KINDS


def dense(units: int, activation: str, **more: object) -> dict[str, object]:
    return {"type": "dense", "units": units, "activation": activation, **more}


def case(folder: Path, layers: list[dict[str, object]], outputs: int = 1, **more: object) -> dict[str, object]:
    """A case in the form of the files, on six rows that are written into the folder."""
    (folder / "data").mkdir(exist_ok=True)
    names = ["x1", "x2", *(f"y{i + 1}" for i in range(outputs))]
    lines = [",".join(names)]
    for i in range(6):
        target = [i % 2] if outputs == 1 else [int(i % outputs == j) for j in range(outputs)]
        lines.append(",".join(str(v) for v in (i, 2 * i, *target)))
    (folder / "data" / "t.csv").write_text("\n".join(lines) + "\n")
    dataset = {
        "name": "t",
        "n_train": 6,
        "n_test": 0,
        "n_outputs": outputs,
        "input_shape": [2],
        "files": ["data/t.csv"],
    }
    return {
        "id": "c", "dataset": dataset, "network": {"layers": layers}, "fault_kinds": ["opt.lr_too_large"],
        "measured": "fails", "reproduced": {"mean": 0.5, "threshold": 0.8}, "loss": "mse",
        "optimizer": {"type": "sgd", "lr": 0.3}, "batch_size": 3, "epochs": 4, **more,
    }  # fmt: skip


class TestPublished:
    def test_a_regression_with_plain_descent_keeps_its_rate(self, tmp_path: Path) -> None:
        regularised = dense(3, "relu", kernel_regularizer={"l1": 0, "l2": 0.01})
        made = published.trial_of(case(tmp_path, [regularised, dense(1, "linear", kernel_regularizer=None)]), tmp_path)
        assert made.cannot is None
        assert made.settings["optimizer"] == gn.SGD(0.3)
        assert made.settings["l2"] == 0.02  # 0.01 Σ W² is ½ · 0.02 Σ W²
        assert made.nearest == ("l2 on all layers",)
        assert made.fails
        assert made.kinds == ("opt.lr_too_large",)
        assert not made.borderline
        # The first step is that of the mean squared error itself: b − 0.3 · mean 2 (a − y), from outputs that are 0.
        zeros = {n: np.zeros_like(v) for n, v in made.network.initial_parameters(0).items()}
        run = made.train(epochs=1, batch_size=None, initial_parameters=zeros, l2=0.0)
        np.testing.assert_allclose(run.parameters["b2"], 0.3 * 2 * made.Y.mean(axis=0))

    def test_initialisers(self) -> None:
        # Variance scaling, scale 2, 8 inputs, uniform: ± √(3 · 2 / 8).
        limit = (3 * 2 / 8) ** 0.5
        scaling = {"type": "variance_scaling", "scale": 2.0, "mode": "fan_in", "distribution": "uniform"}
        assert published.start_of(scaling, (8, 3)) == f"uniform({-limit!r}, {limit!r})"
        assert published.start_of(None, (8, 3)) == "xavier"
        assert published.start_of({"type": "constant", "value": 0.1}, (3,)) == "constant(0.1)"
        with pytest.raises(published.CannotSay, match="initialiser 'odd'"):
            published.start_of({"type": "odd"}, (3,))

    def test_several_outputs_halve_the_rate_of_a_sum(self, tmp_path: Path) -> None:
        asked = case(tmp_path, [dense(2, "sigmoid")], 2, loss="binary_crossentropy")
        made = published.trial_of(asked, tmp_path)
        assert made.settings["optimizer"] == gn.SGD(0.15)  # the mean over two outputs is half their sum
        assert made.settings["loss"] == "binary_cross_entropy"

    def test_an_output_that_is_no_probability_has_both_forms(self, tmp_path: Path) -> None:
        asked = case(tmp_path, [dense(3, "relu")], 3, loss="categorical_crossentropy", optimizer={"type": "adam"})
        made = published.trial_of(asked, tmp_path)
        assert made.asked()["loss"] == "categorical_cross_entropy"
        assert made.settings["loss"].name == "clipped_cross_entropy"
        with pytest.raises(gn.GlassnetError, match="use 'softmax'"):
            gn.train(made.asked()["network"], made.X, made.Y, loss=made.asked()["loss"])
        assert made.train().status == "finished"

    @pytest.mark.parametrize(
        ("words", "why"),
        [({"loss": "ce_softmax_over_batch"}, "softmax over the rows"), ({"optimizer": {"type": "odd"}}, "'odd'")],
    )
    def test_what_cannot_be_said_is_left_out_with_the_reason(self, tmp_path: Path, words: dict, why: str) -> None:
        made = published.trial_of(case(tmp_path, [dense(1, "linear")], **words), tmp_path)
        assert made.network is None
        assert why in (made.cannot or "")

    def test_a_table_that_is_not_there(self, tmp_path: Path) -> None:
        asked = case(tmp_path, [dense(1, "linear")])
        asked["dataset"] = {**asked["dataset"], "files": ["data/none.csv"]}  # type: ignore[dict-item]
        assert published.trial_of(asked, tmp_path).cannot == "the table none.csv is not at hand"

    def test_changes_of_data_in_their_order(self) -> None:
        rows = Rows(np.array([[1.0], [3.0]]), np.array([[0.0], [1.0]]), np.array([[5.0]]), np.array([[1.0]]))
        made = changed(rows, [{"op": "standardize"}, {"op": "scale_features", "factor": 10}, {"op": "add_row_number"}])
        np.testing.assert_array_equal(made.X, [[-10, 0], [10, 1]])  # mean 2, deviation 1
        np.testing.assert_array_equal(made.X_test, [[30, 2]])
        with pytest.raises(NotAtHand, match="'odd' is not known"):
            changed(rows, [{"op": "odd"}])


def differing(one: Recipe, other: Recipe) -> set[str]:
    """The parts in which two recipes differ."""
    parts = {n for n in ("hidden", "head") if getattr(one, n) != getattr(other, n)}
    pairs = [(getattr(one.rows, n), getattr(other.rows, n)) for n in ("X", "Y", "X_test", "Y_test")]
    if any(a.shape != b.shape or not np.array_equal(a, b) for a, b in pairs):
        parts.add("rows")
    every = {*one.settings, *other.settings}
    return parts | {n for n in every if one.settings.get(n) != other.settings.get(n)}


ALLOWED = {
    "data": {"rows"}, "out": {"head", "hidden", "loss"}, "loss": {"loss", "head"}, "init": {"hidden", "head"},
    "arch": {"hidden", "epochs", "l2"}, "opt": {"optimizer", "batch_size", "epochs", "loss"},
    "reg": {"l1", "l2", "hidden", "epochs"},
}  # fmt: skip
MORE = {"data.unshuffled": {"shuffle"}, "data.augmentation_too_strong": {"augmentation"}}


class TestPlanted:
    def test_every_cause_is_planted(self) -> None:
        causes = {name for name, kind in KINDS.items() if not kind.symptom}
        assert set(FAULTS) == causes - {"init.seed"}  # a matter of luck: nothing is to be changed that makes it so

    @pytest.mark.parametrize("kind", list(FAULTS))
    def test_only_the_fault_is_planted(self, kind: str) -> None:
        sound, faulty = planted.pair((kind, FAULTS[kind].on[0], 1))
        found = differing(sound, faulty)
        assert found
        assert found <= ALLOWED[kind.split(".")[0]] | MORE.get(kind, set())

    def test_five_data_sets_and_seeds(self) -> None:
        for fault in FAULTS.values():
            assert set(fault.on) <= set(DATA)
            assert len(set(fault.on)) >= 5
        assert len({key[2] for key in planted.keys(5)}) == 5

    def test_what_it_did_is_measured(self) -> None:
        harmful = planted.trial_of(("opt.lr_too_small", "moons", 0))
        assert harmful.fails
        harmless = planted.trial_of(("data.duplicate_feature", "moons", 0))
        assert harmless.fails is False
        assert harmful.needed == pytest.approx(planted.score_of_base(("opt.lr_too_small", "moons", 0)) - 0.05)

    def test_a_twin_that_has_not_learnt_what_its_data_set_allows_is_none(self) -> None:
        slow = ("loss.reduction", "moons", 1)  # plain descent, not done yet
        assert planted.score_of_base(slow) < planted.reachable(slow) - 0.025
        left_out = planted.trial_of(slow)
        assert left_out.cannot is not None
        assert "healthy twin" in left_out.cannot

    def test_a_fault_that_does_no_harm_to_a_twin_that_falls_short_is_left_out(self) -> None:
        made = planted.trial_of(("arch.too_much_capacity", "digits", 2))
        assert made.cannot is not None
        assert "as well as its twin" in made.cannot

    def test_standardised_by_the_training_rows(self) -> None:
        rows = problem("iris", 0).rows
        np.testing.assert_allclose(rows.X.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(rows.X.std(axis=0), 1)
        assert len(rows.X_test) > 0

    def test_the_base_learns(self) -> None:
        assert planted.score_of(planted.as_trial("b", "healthy", base("moons", 0))) > 0.95


def test_a_healthy_training_is_measured() -> None:
    found = healthy.trial_of(1)
    assert found.cannot is not None or (found.fails is False and found.score >= found.needed)


def test_a_random_change_is_one_that_can_be_applied() -> None:
    trial = planted.as_trial("b", "healthy", base("moons", 0))
    for seed in range(20):
        change = drawn(trial.case(), np.random.default_rng(seed))
        assert change.settings or change.data
        trial.case().changed(change).train(epochs=1)


def result(**more: object) -> dict[str, object]:
    return {
        "id": "a", "kinds": ["opt.momentum", "opt.oscillation"], "fails": True, "needed": 0.8, "borderline": False,
        "cannot": None, "reported": True, "before": [], "watch": [], "after": [], "cure": None, **more,
    }  # fmt: skip


class TestCounting:
    def test_a_failing_training(self) -> None:
        found = outcome(
            result(
                after=[["data.nan", "note", 0.5], ["opt.oscillation", "warning", 0.5], ["opt.momentum", "note", 0.1]],
                watch=[["training.plateau", "warning", 0.3]],
                cure={"score": 0.85, "random": 0.6},
            )
        )
        assert found == {
            "alarmed": True, "early": True, "named": True, "false_alarm": None, "cured": True, "by_chance": False
        }  # fmt: skip

    def test_a_note_is_no_alarm_and_late_is_not_early(self) -> None:
        found = outcome(
            result(
                before=[["opt.momentum", "note", 0.9]], watch=[["training.plateau", "critical", 0.31]],
                after=[["data.nan", "critical", 0.9], ["init.bias", "note", 0.9], ["opt.momentum", "note", 0.8]],
            )
        )  # fmt: skip
        assert (found["alarmed"], found["early"], found["named"]) == (True, False, False)

    def test_a_false_alarm(self) -> None:
        assert outcome(result(fails=False, before=[["opt.momentum", "warning", 0.4]]))["false_alarm"] is True
        assert outcome(result(fails=False, after=[["opt.momentum", "note", 0.4]]))["false_alarm"] is False

    def test_no_kind_known_is_not_asked_for_its_name(self) -> None:
        assert outcome(result(kinds=[]))["named"] is None

    def test_what_broke_is_missed(self) -> None:
        broken = result(error="no")
        del broken["after"]
        assert outcome(broken)["alarmed"] is False

    def test_counts_and_table(self) -> None:
        alarmed = {"after": [["opt.momentum", "critical", 0.9]]}
        results = [result(**alarmed), result(), result(reported=False, fails=False, **alarmed), result(borderline=True)]
        assert counting.counts(counting.counted(results))["alarmed"] == (1, 2)
        said = counting.table("planted", results)
        assert said.startswith("planted: 3 trainings; 1 left out")
        reported = next(line for line in said.splitlines() if line.startswith("reported"))
        assert "1/2  50%" in reported

    def test_the_halves_are_by_the_id_alone(self) -> None:
        halves = [Trial(f"trial {i}", "planted").reported for i in range(200)]
        assert halves == [Trial(f"trial {i}", "healthy").reported for i in range(200)]
        assert 70 < sum(halves) < 130


def test_what_is_asked_for(tmp_path: Path) -> None:
    asked = argparse.Namespace(only="planted", cases=None, kind="opt.sign", quick=True, seeds=5, healthy=None)
    assert [key[1][0] for key in keys(asked)] == ["opt.sign"] * 3
