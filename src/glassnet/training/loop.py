"""The training loop: `Training` is one training in progress; `replay` walks a finished one again."""

from __future__ import annotations

import math
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from glassnet.engines.base import NonFiniteValue, State
from glassnet.equations.draws import permutation
from glassnet.equations.optimizers import LBFGS, LeastSquares, Newton
from glassnet.equations.schedules import Adaptive
from glassnet.errors import GlassnetWarning, RunError
from glassnet.training.arrays import Samples, sparse
from glassnet.training.batches import Batches
from glassnet.training.callbacks import AdaptiveRate, Callback, EarlyStopping, Watchers
from glassnet.training.certain_rows import CertainRows
from glassnet.training.folder import discard_run
from glassnet.training.measures import Measure
from glassnet.training.progress import Progress
from glassnet.training.run import Run
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshot

EXPLODED = 1e4
"""A cost this many times the first one is said to diverge while it is still finite."""
SECONDS_BETWEEN_WRITES = 1.0
SHARE_OF_WRITING = 20
"""Writing takes at most about one part in so many of the time."""


class Interruption:
    """Remembers Ctrl-C, so that a step is never cut in two; a second Ctrl-C interrupts at once."""

    def __init__(self) -> None:
        self.asked = False

    @contextmanager
    def watched(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.getsignal(signal.SIGINT)

        def note(number: int, frame: FrameType | None) -> None:
            if self.asked:
                signal.signal(signal.SIGINT, before)
                raise KeyboardInterrupt
            self.asked = True

        signal.signal(signal.SIGINT, note)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)


class Training:
    """One training in progress. It extends `run` up to its settings' epochs.

    Parameters
    ----------
    run : the run so far; its last snapshot is where training goes on
    callbacks : functions of the run, and EarlyStopping objects
    out : a run folder that is kept up to date, or None
    max_seconds : end cleanly after about this long
    show : whether to show progress
    """

    def __init__(
        self,
        run: Run,
        callbacks: Sequence[Callback | EarlyStopping],
        out: Path | None,
        max_seconds: float | None,
        show: bool,
    ) -> None:
        if run.data is None:
            raise TypeError("Training needs a run with its data.")
        self.run = run
        self.data: Samples = run.data
        self.stoppers = [c.fresh() for c in callbacks if isinstance(c, EarlyStopping)]
        self.watchers = Watchers(c for c in callbacks if not isinstance(c, EarlyStopping))
        self.out = out
        self.max_seconds = max_seconds
        self.show = show
        settings = run.settings
        self.batches = Batches(settings, run.derivation, self.data)
        self.checked = checked_samples(settings, self.data)
        self.measure = Measure(run.engine, settings.loss, run.derivation.output_activation, self.data)
        schedule = settings.optimizer.schedule
        self.adaptive = AdaptiveRate(schedule) if isinstance(schedule, Adaptive) else None
        self.schedule = schedule
        start = run.snapshots[run.snapshots.iterations[-1]]
        self.iteration = start.iteration
        self.state: State = dict(start.state)
        self.squares = float(start.loop.get("squares", 0.0))
        self.costs = float(start.loop.get("costs", 0.0))
        self.warned = bool(start.loop.get("warned", False))
        self.seconds_before = float(start.loop.get("seconds", 0.0))
        if self.adaptive and "adaptive" in start.loop:
            self.adaptive.restore(start.loop["adaptive"])
        remembered = {state["monitor"]: state for state in start.loop.get("stoppers", [])}
        for stopper in self.stoppers:
            if stopper.monitor in remembered:
                stopper.restore(remembered[stopper.monitor])
        self.certain = CertainRows(run, self.batches) if CertainRows.known(run) else None
        self.interruption = Interruption()
        self.began = self.written = time.monotonic()
        self.say: Callable[[str], None] = print
        self.writing = 0.0

    # Where it stands.

    @property
    def seconds(self) -> float:
        return self.seconds_before + time.monotonic() - self.began

    def loop_facts(self) -> dict[str, Any]:
        """What the loop needs, besides the arrays, to go on from here."""
        facts: dict[str, Any] = {
            "squares": self.squares, "costs": self.costs, "warned": self.warned, "seconds": self.seconds,
        }  # fmt: skip
        if self.adaptive:
            facts["adaptive"] = self.adaptive.state()
        if self.stoppers:
            facts["stoppers"] = [s.state() for s in self.stoppers]
        return facts

    def keep(self) -> None:
        """Offer the present state as a snapshot."""
        self.run.snapshots.offer(Snapshot(self.iteration, dict(self.state), self.loop_facts()))

    # The loop.

    def go(self) -> Run:
        """Train to the end and return the run."""
        epochs = self.run.settings.epochs
        status = "finished"
        first_epoch = self.iteration // self.batches.per_epoch
        with (
            np.errstate(all="ignore"),
            self.interruption.watched(),
            Progress(self.show, epochs, first_epoch) as progress,
        ):
            try:
                self.say = progress.say
                self.begin()
                if self.stopped_before and epochs > first_epoch:
                    self.run.facts["message"] = (
                        f"Early stopping had ended this training after epoch {first_epoch}. To go on, pass callbacks="
                        "[EarlyStopping(patience=...)] with more patience (command line: --early-stopping)."
                    )
                if self.stopped_before:
                    return self.finish("stopped early")
                status = self.run_epochs(first_epoch, progress) or status
            except NonFiniteValue as problem:
                status = self.diverged(problem.equation)
            except Exception:
                self.give_up()
                raise
        return self.finish(status)

    def run_epochs(self, first: int, progress: Progress) -> str | None:
        """The epochs from `first` on; a status when training ends before the last."""
        for epoch in range(first, self.run.settings.epochs):
            ended = self._epoch(epoch, progress)
            if ended is not None:
                return ended
        return None

    def stopped(self, epochs: int) -> str:
        """Say which watched number ended the training."""
        watching = ", ".join(s.monitor.replace("_", " ") for s in self.stoppers if s.waited >= s.patience)
        self.run.facts["message"] = f"Stopped after epoch {epochs}: the {watching} had not improved."
        return "stopped early"

    def give_up(self) -> None:
        """Something outside the training failed (a callback, say): keep what there is, then let it be heard."""
        if self.run.facts["status"] == "running" and "initial" in self.run.facts:
            self.finish("failed")

    @property
    def stopped_before(self) -> bool:
        """Whether early stopping had already ended the training that is resumed."""
        return any(s.waited >= s.patience for s in self.stoppers)

    def begin(self) -> None:
        """Measure the start and make the run folder.

        Raises
        ------
        NonFiniteValue : the cost of the initial parameters is not finite
        RunError : the folder cannot be written; nothing of it is left
        """
        facts = self.run.facts
        facts.update(status="running", restored=None)
        if not self.stopped_before:
            facts["message"] = None
        if self.out is not None:
            for stale in (*self.out.glob(".*.tmp"), *self.out.glob("snapshots/.*.tmp")):
                stale.unlink(missing_ok=True)
            try:
                self.run.write(self.out, data=facts["data"].get("keep"))
            except BaseException:
                facts["status"] = "failed"
                if not (self.out / "run.json").exists():
                    discard_run(self.out)
                raise
        if "initial" not in facts:
            facts["initial"] = self.measured_at_start()
        done = self.iteration // self.batches.per_epoch
        self.watchers.begin(self.run, done, self.run.settings.epochs, self.say if self.show else silent)

    def measured_at_start(self) -> dict[str, float]:
        """Cost, penalty and metric of the initial parameters."""
        return self._measured(self.state)

    def _epoch(self, epoch: int, progress: Progress) -> str | None:
        """One epoch, or the rest of one; a status when training ends here."""
        run, per_epoch = self.run, self.batches.per_epoch
        rate = math.nan
        while (position := self.iteration - epoch * per_epoch) < per_epoch:
            rate = self.rate(epoch, position)
            if self.certain is not None and (passed := self.certain.count(self.state, epoch, position)):
                self.iteration += passed
                continue
            batch = self.batches.batch(self.iteration)
            values = run.engine.step(self.state, batch, rate, self.iteration + 1)
            self.squares += self._squared_gradient(values)
            self.costs += float(values["J"]) * batch.size
            self.iteration += 1
            self.watch_cost(float(values["J"]), rate, self.iteration)
            if position < per_epoch - 1:
                self.keep()
                ended = self.look_round()
                if ended is not None:
                    return ended
        row = self.row(epoch, rate)
        self.squares = self.costs = 0.0
        return self.epoch_ended(epoch, row, progress)

    def epoch_ended(self, epoch: int, row: dict[str, float], progress: Progress) -> str | None:
        """Note an epoch's row and ask everyone who may end the training."""
        run = self.run
        run.history.append(row)
        exhausted = self.adaptive is not None and self.adaptive.saw(row)
        stop = False
        for stopper in self.stoppers:
            stop = stopper.saw(row, self.iteration) or stop
        self.keep()
        for watcher, stopper in enumerate(self.stoppers):
            if stopper.restore_best and stopper.best_iteration == self.iteration:
                run.snapshots.mark_best(self.iteration, watcher)
        last = stop or exhausted or self.interruption.asked or self.out_of_time()
        progress.epoch(row, last)
        if stop:
            return self.stopped(epoch + 1)
        if exhausted and self.adaptive:
            run.facts["message"] = (
                f"Stopped after epoch {epoch + 1}: the cost stalled, and the learning rate, {self.adaptive.rate:g}, had "
                "already reached its minimum."
            )
            return "stopped early"
        said = self.watchers.called(run, epoch + 1, "epoch")
        if said is not None:
            run.facts["message"] = said
            return "stopped early"
        return self.look_round()

    def look_round(self) -> str | None:
        """Whether Ctrl-C or the clock ends the training; if not, the folder is brought up to date when that is due."""
        if self.interruption.asked:
            return "interrupted"
        if self.out_of_time():
            return "out of time"
        self.write_if_due()
        return None

    def rate(self, epoch: int, position: int) -> float:
        """The learning rate of the update that comes next."""
        if self.adaptive:
            return self.adaptive.rate
        return self.schedule.rate(self.iteration, epoch, epoch + position / self.batches.per_epoch)

    def _squared_gradient(self, values: Any) -> float:
        total = 0.0
        for parameter in self.run.derivation.parameters:
            flat = values[f"d{parameter.name}"].ravel()
            total += float(flat @ flat)
        return total

    def _measured(self, state: State) -> dict[str, float]:
        """Cost, penalty and metric of a state, training and held-out by one definition."""
        cost, metric = self.measure(state, self.checked)
        count = float(len(self.data) if self.data.w is None else self.data.w.sum())
        found = {"cost": cost, "penalty": self.run.engine.penalty(state, count), self.measure.metric: metric}
        if self.run.validation is not None:
            held_cost, held_metric = self.measure(state, self.run.validation)
            found |= {"validation_cost": held_cost, f"validation_{self.measure.metric}": held_metric}
        return found

    def row(self, epoch: int, rate: float) -> dict[str, float]:
        """The history row of an epoch that has just ended."""
        return {
            "epoch": epoch + 1,
            "iteration": self.iteration,
            **self._measured(self.state),
            "batch_cost": self.costs / len(self.data),
            "learning_rate": rate,
            "gradient_norm": math.sqrt(self.squares / self.batches.per_epoch),
            "seconds": self.seconds,
        }

    def columns(self) -> list[str]:
        """The history columns that this training will have."""
        held = ["validation_cost", f"validation_{self.measure.metric}"] if self.run.validation is not None else []
        return ["cost", "penalty", self.measure.metric, *held, "batch_cost", "learning_rate", "gradient_norm"]

    # Trouble.

    @property
    def largest_cost(self) -> float:
        """The cost above which a training is said to diverge, once."""
        if (
            self.warned or self.run.settings.loss.name == "perceptron"
        ):  # whose cost may start at 0, and which cannot diverge
            return math.inf
        initial = self.run.facts["initial"]
        return EXPLODED * max(float(initial["cost"] + initial["penalty"]), 1e-3)

    def watch_cost(self, cost: float, rate: float, iteration: int) -> None:
        """Say once that the cost explodes."""
        if not cost > self.largest_cost:
            return
        self.warned = True
        initial = self.run.facts["initial"]
        first = initial["cost"] + initial["penalty"]
        said = (
            f"The cost has grown from {first:.4g} to {cost:.4g} by iteration {iteration}: this training diverges. "
            f"Try a learning rate well below {rate:g}, or standardise the inputs and a regression target."
        )
        self.run.facts.setdefault("notes", []).append(said)
        warnings.warn(said, GlassnetWarning, stacklevel=5)

    def diverged(self, equation: str) -> str:
        """Go back to the last finite state and say what happened, when, and what to try."""
        rate = self.rate(*divmod(self.iteration, self.batches.per_epoch))
        latest = self.run.snapshots[self.run.snapshots.iterations[-1]]
        self.iteration, self.state = latest.iteration, dict(latest.state)
        said = (
            f"Training stopped in iteration {self.iteration + 1}: {self.run.derivation[equation]} is not finite, the "
            f"first equation that is not. The last finite parameters (iteration {self.iteration}) are kept. "
            f"{self._advice(rate)}"
        )
        self.run.facts["message"] = said
        warnings.warn(said, GlassnetWarning, stacklevel=4)
        return "diverged"

    def _advice(self, rate: float) -> str:
        largest = max(abs(float(self.data.X.min())), abs(float(self.data.X.max())))
        if largest > 100:
            return f"The inputs reach {largest:.3g}: standardise them, or try a learning rate well below {rate:g}."
        if self.iteration == 0:
            return "It happened in the first step: look at the initial parameters and the scale of X and Y."
        return f"Try a learning rate well below {rate:g}, or smaller initial weights."

    def out_of_time(self) -> bool:
        """Whether `max_seconds` are over."""
        return self.max_seconds is not None and time.monotonic() - self.began >= self.max_seconds

    # The folder.

    def write_if_due(self) -> None:
        """Bring the run folder up to date, about once a second and never for more than a twentieth of the time."""
        if self.out is None:
            return
        due = max(SECONDS_BETWEEN_WRITES, SHARE_OF_WRITING * self.writing)
        if time.monotonic() - self.written >= due:
            self._write()

    def _write(self) -> None:
        if self.out is None:
            return
        start = time.monotonic()
        try:
            self.run.write(self.out, with_data=False)
        except RunError as problem:
            # The training itself is not lost: it goes on in memory, and the folder stays as it was last whole.
            said = f"{problem} The run goes on in memory only; save it elsewhere with run.save(folder)."
            self.run.facts["not_written"] = said
            self.out = None
            warnings.warn(said, GlassnetWarning, stacklevel=5)
        self.written = time.monotonic()
        self.writing = self.written - start

    def finish(self, status: str) -> Run:
        """Say how training ended, choose the parameters it ends with, and write the folder a last time."""
        run, facts = self.run, self.run.facts
        facts["status"] = status
        if self.iteration not in run.snapshots.iterations:
            self.keep()
        facts["iteration"] = self.iteration
        if status == "interrupted":
            facts["message"] = f"Interrupted after {self.iteration} updates; resume the run to go on from there."
        elif status == "out of time":
            facts["message"] = f"Stopped after {self.max_seconds:g} s and {self.iteration} updates; resume to go on."
        restoring = [s for s in self.stoppers if s.restore_best and s.best_iteration is not None]
        if restoring and status in ("finished", "stopped early"):  # the one that stopped it, else the first
            restoring.sort(key=lambda s: s.waited < s.patience)
            facts["restored"] = restoring[0].best_iteration
        self._write()
        return run


MEASURED_ALL, MEASURED_SHARE, MEASURED_LEAST = 5_000, 20, 1_000
"""With measure="auto" and batches: up to so many samples all are measured, above a part in so many, but at least so many."""


def checked_samples(settings: Settings, data: Samples) -> Samples:
    """The training samples that are measured after an epoch; a part of them is the same one every time."""
    count = len(data)
    if settings.measure == "all" or (settings.batch_size is None and settings.measure == "auto"):
        return data
    if settings.measure == "auto":
        wanted = count if count <= MEASURED_ALL else max(MEASURED_LEAST, count // MEASURED_SHARE)
    else:
        wanted = int(settings.measure)
    if wanted >= count:
        return data
    return data.take(np.sort(permutation(settings.seed, "validation", 1, count)[:wanted]))


def silent(sentence: str) -> None:
    """What is said when no progress is shown: nothing."""


def replay(run: Run, iteration: int, known: Snapshot | None = None) -> State:
    """The state after `iteration` updates, from the nearest snapshot before it, by the same engine and draws.

    `known` is another state of the run; where it is nearer, it is where replaying begins.
    """
    if isinstance(run.settings.optimizer, LBFGS):
        from glassnet.training.quasi_newton import replay_lbfgs

        return replay_lbfgs(run, iteration)
    if isinstance(run.settings.optimizer, LeastSquares | Newton):
        from glassnet.training.direct import replay_direct

        return replay_direct(run, iteration)
    if run.data is None:
        raise TypeError("Replaying needs a run with its data.")
    if run.engine.name == "compiled":
        from glassnet.training.compiled_loop import replay_compiled

        return replay_compiled(run, iteration, known)
    start = nearest_state(run, iteration, known)
    state = dict(start.state)
    batches = Batches(run.settings, run.derivation, run.data)
    with np.errstate(all="ignore"):
        for number in range(start.iteration, iteration):
            run.engine.step(state, batches.batch(number), rate_of(run, number), number + 1)
    return state


def nearest_state(run: Run, iteration: int, known: Snapshot | None) -> Snapshot:
    """The latest state at or before an iteration: a snapshot, or the one that is known besides."""
    kept = run.snapshots.nearest(iteration)
    return known if known is not None and kept.iteration < known.iteration <= iteration else kept


def rate_of(run: Run, iteration: int) -> float:
    """The learning rate that the update after `iteration` earlier ones used."""
    schedule = run.settings.optimizer.schedule
    if isinstance(run.settings.optimizer, Newton) and iteration < len(run.history):
        return float(run.history["learning_rate"][iteration])
    epoch, position = divmod(iteration, run.batches)
    if not isinstance(schedule, Adaptive):
        return schedule.rate(iteration, epoch, epoch + position / run.batches)
    if epoch < len(run.history):
        return float(run.history["learning_rate"][epoch])
    # An epoch that did not end, or whose row is lost: a snapshot within it knows its rate.
    known = [i for i in run.snapshots.iterations if i // run.batches == epoch and run.snapshots[i].loop]
    if not known and epoch == 0:
        return schedule.learning_rate
    if not known:
        raise RunError(
            f"The adaptive learning rate of epoch {epoch + 1} was in history.parquet, which is missing; iteration "
            f"{iteration} cannot be replayed."
        )
    return float(run.snapshots[known[0]].loop["adaptive"]["rate"])


def batch_rows(run: Run, iteration: int) -> np.ndarray:
    """Which rows of the run's data the step after `iteration` earlier ones takes, in its order."""
    if run.data is None:
        raise TypeError("The rows of a step need a run with its data.")
    count, size = len(run.data), run.settings.batch_size
    if size is None:
        return np.arange(count)
    epoch, position = divmod(iteration, run.batches)
    order = Batches(run.settings, run.derivation, run.data).order(epoch)
    return np.asarray(order[position * size : (position + 1) * size])


def step_values(run: Run, state: State, iteration: int) -> dict[str, np.ndarray]:
    """Every value of the step after `iteration` earlier ones; `state` is used up."""
    if run.data is None:
        raise TypeError("Showing a step needs a run with its data.")
    batch = Batches(run.settings, run.derivation, run.data).batch(iteration)
    before = {f"{name}.before": value for name, value in state.items()}
    with np.errstate(all="ignore"):
        made, left = run.engine.evaluated(state, batch, rate_of(run, iteration), iteration + 1)
        values = dict(made)
        if iteration < run.iteration and run.engine.name == "compiled":
            # The lines are evaluated one by one; what the step left is the loop's own.
            from glassnet.training.compiled_loop import replay_compiled

            left = replay_compiled(run, iteration + 1)
        state.update(left)
    if sparse(values["X"]):
        values["X"] = values["X"].toarray()  # a person looks at all of a row
    after = {f"{name}.after": value for name, value in state.items()}
    values.update({name.removesuffix(".before"): value for name, value in before.items()})
    return {**values, **after}
