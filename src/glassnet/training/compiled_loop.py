"""Training in compiled code: many updates, and whole epochs, between two looks at Python.

The compiled loop is asked for as many updates as take a few hundredths of a second. In between, everything happens that
happens after an epoch of the plain loop: rows of the history, snapshots, callbacks, Ctrl-C, the folder.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from functools import cached_property, partial
from typing import Any

import numpy as np

from glassnet.engines.base import Batch, NonFiniteValue, State
from glassnet.engines.compiled.engine import CompiledEngine, rows
from glassnet.engines.compiled.kept import compiling_said
from glassnet.engines.compiled.loop import HEAD, ROW_COST, ROW_COSTS, ROW_PENALTY, ROW_RATE, ROW_SQUARES, ROW_VALIDATION
from glassnet.engines.compiled.machine import Advance, Machine, Rows, unpacked
from glassnet.engines.threads import blas_alone
from glassnet.equations.draws import ShuffleStream
from glassnet.equations.schedules import Adaptive, Schedule
from glassnet.training.arrays import Samples
from glassnet.training.batches import Batches, changed_pictures
from glassnet.training.loop import Training, nearest_state, rate_of
from glassnet.training.measures import Measure
from glassnet.training.progress import Progress
from glassnet.training.run import Run
from glassnet.training.snapshots import BUDGET, Snapshot

SECONDS_A_CALL = 0.025
"""How long the compiled loop runs before Python looks round: Ctrl-C is noticed within this."""
GIVEN_AT_ONCE = 2**20
"""Entries of the orders that are handed over at once."""
ROWS_LOOKED_AT = 256
"""Rows of a batch that are looked at equation by equation before a training."""
LOOK_BACK = 3
"""Updates before the one whose cost was not finite, in which the first bad number may have come about."""


def learning_rates(schedule: Schedule, start: int, stop: int, per_epoch: int) -> np.ndarray:
    """α of the updates after `start`, ..., `stop` − 1 earlier ones, evaluated together."""
    tree = schedule.expression()
    if tree is None:
        raise TypeError("An adaptive rate is known only while training.")
    iterations = np.arange(start, stop, dtype=np.float64)
    epochs = np.floor(iterations / per_epoch)
    env = {"t": iterations, "e": epochs, "q": epochs + (iterations - epochs * per_epoch) / per_epoch}
    return np.array(np.broadcast_to(tree.evaluate(env, np), iterations.shape), dtype=np.float64)


class EpochPictures:
    """The pictures of one epoch as augmentation changes them, where the compiled loop reads its samples.

    Without augmentation the samples are the data's own, whatever the epoch.
    """

    def __init__(self, run: Run) -> None:
        if run.data is None:
            raise TypeError("This needs a run with its data.")
        self._data = run.data
        self._pictures = changed_pictures(run.settings, run.data)
        self._epoch = -1
        self.samples = run.data
        if self._pictures is not None:
            self.samples = Samples(np.empty_like(run.data.X), run.data.Y, run.data.w)

    @property
    def change(self) -> bool:
        """Whether each epoch has its own."""
        return self._pictures is not None

    def turn_to(self, epoch: int) -> None:
        """Make the samples those of this epoch."""
        if self._pictures is not None and epoch != self._epoch:
            self._pictures.of(epoch, slice(None), self._data.X, out=self.samples.X)
            self._epoch = epoch


def machine_of(
    run: Run, pictures: EpochPictures | None = None, measure: Measure | None = None, checked: Rows | None = None
) -> AbstractContextManager[Machine]:
    """A machine for the run, lent for a `with`; `pictures` are those it reads, `checked` the samples to measure."""
    engine, data = run.engine, run.data
    if not isinstance(engine, CompiledEngine) or data is None:
        raise TypeError("This needs a run of the compiled engine with its data.")
    settings = run.settings
    measure = measure or Measure(engine, settings.loss, run.derivation.output_activation, data)
    order = "as they come"
    if settings.batch_size is not None and settings.shuffle:
        order = "given" if isinstance(settings.shuffle, ShuffleStream) else "drawn"
    held = None if run.validation is None else rows(run.validation)
    mine, batch = rows(data), settings.batch_size
    if pictures is not None and pictures.change:
        # A full batch as one of so many: the cost of the pictures as they are is no by-product of the next update then.
        mine, batch = rows(pictures.samples), batch or len(data)
    return engine.machine(mine, batch, order, settings.seed, checked or mine, held, measure.kind, settings.threads)


class CompiledTraining(Training):
    """A training in progress whose updates are made in compiled code."""

    def go(self) -> Run:
        # BLAS's own threads look out for work for a tenth of a second after each product, on the cores that ours need.
        with blas_alone():
            return super().go()

    @cached_property
    def pictures(self) -> EpochPictures:
        """What the compiled loop reads."""
        return EpochPictures(self.run)

    def measured_at_start(self) -> dict[str, float]:
        if self.iteration >= self.run.settings.epochs * self.batches.per_epoch:
            return super().measured_at_start()
        with (
            machine_of(self.run, self.pictures, self.measure, rows(self.checked)) as machine,
            compiling_said(self.say),
        ):
            machine.load(self.state)
            row, count = machine.measured(), machine.metrics
        score = self.measure.score(row[HEAD : HEAD + count], self.measure.spread(self.checked))
        found = {"cost": row[ROW_COST], "penalty": row[ROW_PENALTY], self.measure.metric: score}
        if self.run.validation is not None:
            held = self.measure.score(row[HEAD + count :], self.measure.spread(self.run.validation))
            found |= {"validation_cost": row[ROW_VALIDATION], f"validation_{self.measure.metric}": held}
        if not np.isfinite([found["cost"], found.get("validation_cost", 0.0)]).all():
            return super().measured_at_start()  # which names the equation
        return {name: float(value) for name, value in found.items()}

    def run_epochs(self, first: int, progress: Progress) -> str | None:
        with machine_of(self.run, self.pictures, self.measure, rows(self.checked)) as self.machine:
            self.machine.load(self.state)
            self.spread = self.measure.spread(self.checked)
            self.held_spread = None if self.run.validation is None else self.measure.spread(self.run.validation)
            self.steps = self.machine.first_guess(SECONDS_A_CALL / 4)
            last = self.run.settings.epochs * self.batches.per_epoch
            if self.iteration < last:
                self._look_through()
            with compiling_said(progress.say):
                while self.iteration < last:
                    ended = self._call(last, progress)
                    if ended is not None:
                        return ended
        return None

    def _look_through(self) -> None:
        """Evaluate the next update equation by equation, once, before it runs compiled.

        The compiled loop looks at the cost and the state. An infinite weighted sum that tanh turns into 1 shows in neither, and
        it is there from the first update on if it is there at all, from inputs or weights far too large.

        Raises
        ------
        NonFiniteValue : an equation gives NaN or infinity
        """
        batch = self.batches.batch(self.iteration)
        rows = slice(0, ROWS_LOOKED_AT)
        masks = {name: mask[rows] for name, mask in batch.masks.items()}
        part = Batch(batch.X[rows], batch.Y[rows], None if batch.w is None else batch.w[rows], masks)
        engine = self.run.engine
        if isinstance(engine, CompiledEngine):
            values = engine.values(self.state, part)
            for equation in engine.derivation.forward:
                if not np.isfinite(values[equation.name]).all():
                    raise NonFiniteValue(equation.name)

    def _call(self, last: int, progress: Progress) -> str | None:
        """One call of the compiled loop, and what is due after it."""
        start, per_epoch = self.iteration, self.batches.per_epoch
        self.pictures.turn_to(start // per_epoch)
        stop = min(self._until(start, last), last)
        stride = self.run.snapshots.stride_by(stop, self.machine.state_view.nbytes)
        before, seconds = self.machine.state_view.copy(), self.seconds
        given, first_given = self._orders(start, stop)
        began = time.perf_counter()
        made = self.machine.advance(
            start, self._rates(start, stop), stride=stride, costs=self.costs, squares=self.squares,
            limit=self.largest_cost, given=given, first_given=first_given,
        )  # fmt: skip
        took = max(time.perf_counter() - began, 1e-6)
        self.steps = max(1, min(8 * max(stop - start, self.steps), round((stop - start) * SECONDS_A_CALL / took)))
        trouble = self._trouble(made)
        if trouble is not None:
            trouble = self._first_bad_state(start, trouble, before)
        if trouble is not None:
            self._note_until(trouble, made, start, seconds)
            self._name_trouble(trouble, start, before)
        found = self._columns(start, made, seconds)
        self._offer(made, found)
        self.iteration, self.costs, self.squares = made.iteration, made.costs, made.squares
        self.state = self.machine.state()
        if made.exploded is not None:
            self.watch_cost(made.exploded[1], self.rate_before(made.exploded[0]), made.exploded[0])
        ended = len(made.rows)
        if ended and self.iteration % per_epoch == 0:
            self.run.history.extend({name: values[:-1] for name, values in found.items()})
            last_row = {name: values[-1].item() for name, values in found.items()}
            return self.epoch_ended(self.iteration // per_epoch - 1, last_row, progress)
        if ended:
            self.run.history.extend(found)
            progress.epoch({name: values[-1].item() for name, values in found.items()})
        self.keep()
        return self.look_round()

    # How far to go.

    def _until(self, start: int, last: int) -> int:
        per_epoch = self.batches.per_epoch
        stop = start + self.steps
        end_of_epoch = (start // per_epoch + 1) * per_epoch
        if self.stoppers:
            stop = min(stop, end_of_epoch + (self._epochs_unasked() - 1) * per_epoch)
        if self.adaptive or self.pictures.change:
            stop = min(stop, end_of_epoch)
        if self.watchers.due < last / per_epoch:
            stop = min(stop, int(self.watchers.due) * per_epoch)
        if isinstance(self.run.settings.shuffle, ShuffleStream):
            stop = min(stop, (start // per_epoch + max(1, GIVEN_AT_ONCE // len(self.data))) * per_epoch)
        if self.run.snapshots.record == "all" or isinstance(self.run.snapshots.record, int):
            most = max(1, BUDGET // max(1, self.machine.state_view.nbytes))
            stop = min(stop, start + most * self.run.snapshots.stride)
        return stop

    def _epochs_unasked(self) -> int:
        """Epochs to the first that may be the last: a rule that has to wait so long yet cannot end training before.

        A rule that restores the best parameters needs every epoch's, so it is asked after each.
        """
        return min(1 if s.restore_best else max(1, s.patience - s.waited) for s in self.stoppers)

    def _rates(self, start: int, stop: int) -> np.ndarray:
        if self.adaptive:
            return np.full(stop - start, self.adaptive.rate)
        return learning_rates(self.schedule, start, stop, self.batches.per_epoch)

    def rate_before(self, iteration: int) -> float:
        """The learning rate of the update that led to this iteration."""
        return float(self._rates(iteration - 1, iteration)[0])

    def _orders(self, start: int, stop: int) -> tuple[np.ndarray | None, int]:
        if not isinstance(self.run.settings.shuffle, ShuffleStream) or self.run.settings.batch_size is None:
            return None, 0
        return given_orders(self.batches, start, stop)

    # What it gave.

    def _columns(self, start: int, made: Advance, seconds: float) -> dict[str, np.ndarray]:
        """The history of the epochs that ended."""
        per_epoch, count, rows = self.batches.per_epoch, self.machine.metrics, made.rows
        epochs = start // per_epoch + 1 + np.arange(len(rows))
        held = {}
        if self.run.validation is not None:
            held["validation_cost"] = rows[:, ROW_VALIDATION]
            held[f"validation_{self.measure.metric}"] = self.measure.score(rows[:, HEAD + count :], self.held_spread)
        # Within a call, time is taken to pass evenly.
        share = (epochs * per_epoch - start) / max(1, made.iteration - start)
        return {
            "epoch": epochs,
            "iteration": epochs * per_epoch,
            "cost": rows[:, ROW_COST],
            "penalty": rows[:, ROW_PENALTY],
            self.measure.metric: self.measure.score(rows[:, HEAD : HEAD + count], self.spread),
            **held,
            "batch_cost": rows[:, ROW_COSTS] / len(self.data),
            "learning_rate": rows[:, ROW_RATE],
            "gradient_norm": np.sqrt(rows[:, ROW_SQUARES] / per_epoch),
            "seconds": seconds + share * (self.seconds - seconds),
        }

    def _offer(self, made: Advance, found: dict[str, np.ndarray]) -> None:
        """Snapshots and ended epochs in their order, up to what the call ended with: that is looked at by itself."""
        ended = [i for i in found["iteration"].tolist() if i < made.iteration] if self.stoppers else []
        facts = self.loop_facts()
        for iteration, flat, costs, squares in made.snapshots:
            while ended and ended[0] <= iteration:
                facts = self._pass_epoch(ended.pop(0), found)
            if iteration < made.iteration:
                self._offer_one(iteration, flat, {**facts, "costs": costs, "squares": squares})
        for iteration in ended:
            self._pass_epoch(iteration, found)

    def _offer_one(self, iteration: int, flat: np.ndarray, facts: dict[str, Any]) -> None:
        self.run.snapshots.offer(Snapshot(iteration, partial(unpacked, flat, self.machine.layout), facts))

    def _pass_epoch(self, iteration: int, found: dict[str, np.ndarray]) -> dict[str, Any]:
        """Let the rules see an epoch that none of them can end the training with."""
        place = int(np.searchsorted(found["iteration"], iteration))
        row = {name: values[place].item() for name, values in found.items()}
        for stopper in self.stoppers:
            stopper.saw(row, iteration)
        return self.loop_facts()

    # Trouble.

    def _trouble(self, made: Advance) -> int | None:
        """Updates made when the first number that is not finite was met; None when all are finite."""
        per_epoch = self.batches.per_epoch
        first = self.iteration // per_epoch
        columns = [ROW_COST, ROW_PENALTY, *([ROW_VALIDATION] if self.run.validation is not None else [])]
        bad = np.flatnonzero(~np.isfinite(made.rows[:, columns]).all(axis=1))
        if len(bad):
            return int(first + bad[0] + 1) * per_epoch
        if not made.finite or not np.isfinite(self.machine.state_view).all():
            return made.iteration
        return None

    def _first_bad_state(self, start: int, trouble: int, before: np.ndarray) -> int:
        """The last finite state, by halving; `trouble` when that is finite. What overflowed stays so."""
        machine = self.machine

        def finite(iteration: int) -> bool:
            machine.state_view[:] = before
            if iteration > start:
                given, first_given = self._orders(start, iteration)
                machine.advance(start, self._rates(start, iteration), given=given, first_given=first_given, quiet=True)
            return bool(np.isfinite(machine.state_view).all())

        if finite(trouble):
            return trouble
        good, bad = start, trouble
        while bad - good > 1:
            middle = (good + bad) // 2
            good, bad = (middle, bad) if finite(middle) else (good, middle)
        return good  # the update after it is the one that goes wrong

    def _note_until(self, trouble: int, made: Advance, start: int, seconds: float) -> None:
        """What went well in a call before its trouble: rows, snapshots, and the word about a growing cost."""
        if made.exploded is not None and made.exploded[0] <= trouble:
            self.watch_cost(made.exploded[1], self.rate_before(made.exploded[0]), made.exploded[0])
        found = self._columns(start, made, seconds)
        names = [n for n in ("cost", "penalty", "validation_cost") if n in found]
        whole = np.logical_and.reduce([np.isfinite(found[n]) for n in names]) & (found["iteration"] <= trouble)
        if whole.any():
            self.run.history.extend({name: values[whole] for name, values in found.items()})
        facts = self.loop_facts()
        for iteration, flat, costs, squares in made.snapshots:
            if iteration < trouble:
                self._offer_one(iteration, flat, {**facts, "costs": costs, "squares": squares})

    def _name_trouble(self, iteration: int, start: int, before: np.ndarray) -> None:
        """Walk to the place again, and from just before it on equation by equation.

        Raises
        ------
        NonFiniteValue : the first equation that is not finite; the last finite state has been offered
        """
        machine, engine = self.machine, self.run.engine
        machine.state_view[:] = before
        near = max(start, iteration - LOOK_BACK)
        if near > start:
            given, first_given = self._orders(start, near)
            machine.advance(start, self._rates(start, near), given=given, first_given=first_given)
        for number in range(near, iteration + 1):
            self.iteration, self.state = number, machine.state()
            self.costs = self.squares = 0.0
            if number > start and number % self.batches.per_epoch == 0:
                self._measured(self.state)
            self.keep()
            engine.step(dict(self.state), self.batches.batch(number), self.rate_before(number + 1), number + 1)
            self.pictures.turn_to(number // self.batches.per_epoch)
            given, first_given = self._orders(number, number + 1)
            machine.advance(number, self._rates(number, number + 1), given=given, first_given=first_given)
        raise NonFiniteValue("J")


def given_orders(batches: Batches, start: int, stop: int) -> tuple[np.ndarray, int]:
    """The orders of the epochs that these updates belong to, an epoch a line, and the first epoch."""
    first, last = start // batches.per_epoch, (stop - 1) // batches.per_epoch
    return np.stack([np.asarray(batches.order(epoch), dtype=np.int64) for epoch in range(first, last + 1)]), first


def replay_compiled(run: Run, iteration: int, known: Snapshot | None = None) -> State:
    """The state after `iteration` updates, from the nearest state before it, in compiled code."""
    start = nearest_state(run, iteration, known)
    data = run.data
    if data is None:
        raise TypeError("Replaying needs a run with its data.")
    if start.iteration == iteration:
        return dict(start.state)
    batches = Batches(run.settings, run.derivation, data)
    schedule = run.settings.optimizer.schedule
    pictures = EpochPictures(run)
    with machine_of(run, pictures) as machine, np.errstate(all="ignore"):
        machine.load(start.state)
        at, steps = start.iteration, machine.first_guess(SECONDS_A_CALL)
        while at < iteration:
            stop = min(iteration, at + steps)
            pictures.turn_to(at // batches.per_epoch)
            if isinstance(run.settings.shuffle, ShuffleStream) or pictures.change:
                stop = min(stop, (at // batches.per_epoch + 1) * batches.per_epoch)
            if isinstance(schedule, Adaptive):
                rates = np.array([rate_of(run, number) for number in range(at, stop)])
            else:
                rates = learning_rates(schedule, at, stop, batches.per_epoch)
            given: dict[str, Any] = {}
            if isinstance(run.settings.shuffle, ShuffleStream) and run.settings.batch_size is not None:
                given["given"], given["first_given"] = given_orders(batches, at, stop)
            machine.advance(at, rates, quiet=True, **given)
            at = stop
        return machine.state()


def cost_and_slopes(run: Run, state: State) -> tuple[float, dict[str, np.ndarray]] | None:
    """J and its gradients at a state over all samples; None when they are not finite."""
    with machine_of(run) as machine:
        machine.load(state)
        made = machine.advance(0, np.zeros(1), quiet=True)
        slopes = machine.slopes()
        finite = made.finite and all(np.isfinite(slope).all() for slope in slopes.values())
        return (machine.cost, slopes) if finite else None
