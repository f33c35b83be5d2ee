"""`Run`: the record of one training, and the only thing that views read.

A run keeps its settings, its history and a few snapshots. Batch order and dropout masks are addressed by
(seed, epoch) and (seed, iteration), so any iteration is re-created exactly: the nearest snapshot before it, run
forward by the same engine.
"""

from __future__ import annotations

import hashlib
import json
import platform
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from glassnet.engines import engine as engine_by_name
from glassnet.engines.base import Engine, State
from glassnet.equations.derive import Derivation
from glassnet.equations.optimizers import LBFGS, Newton
from glassnet.errors import RunError
from glassnet.network import Network
from glassnet.training.arrays import Samples, check_inputs, check_samples, held_out_fraction
from glassnet.training.folder import claim_folder, data_fingerprint, folder_path, read_run, write_run
from glassnet.training.history import History
from glassnet.training.settings import Settings
from glassnet.training.snapshots import Snapshots

if TYPE_CHECKING:
    from glassnet.data import ArrayPreparation, Preparation


@dataclass(frozen=True)
class Moment:
    """A training at one iteration: its parameters exactly as they were."""

    run: Run
    iteration: int
    state: State

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Name -> array: what is trained, and the running statistics of batch normalisation."""
        return {name: read_only(self.state[name]) for name in self.run.parameter_names}

    @property
    def epoch(self) -> int:
        """Epochs finished by then."""
        return self.iteration // self.run.batches

    def predict(self, X: Any) -> np.ndarray:
        """The outputs of the network as it was."""
        return self.run.outputs(self.state, X)

    def __repr__(self) -> str:
        return f"<iteration {self.iteration} of {self.run!r}>"


class Run:
    """One training: its network, equations, settings, history and snapshots.

    Attributes
    ----------
    network, derivation, settings, history
    status : "running", "finished", "converged" (LBFGS), "stopped early", "interrupted", "out of time" or "diverged"
    message : one sentence on how it ended, when there is more to say
    iteration : updates made
    parameters : name -> array; those of the best epoch when early stopping restored them
    initial : cost, metric and penalty before the first update
    preparation : how a raw table becomes X, when the run was trained on one
    notes : what was decided or noticed on the way
    folder : where it was written to or read from last, if anywhere
    """

    def __init__(
        self,
        settings: Settings,
        snapshots: Snapshots,
        history: History,
        data: Samples | None,
        validation: Samples | None,
        facts: dict[str, Any],
        preparation: Preparation | ArrayPreparation | None = None,
    ) -> None:
        self.settings = settings
        self.snapshots = snapshots
        self.history = history
        self.data = data
        self.validation = validation
        self.facts = facts
        self.preparation = preparation
        self.folder: Path | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Pickled (and copied) without what is made from the settings again when it is used."""
        return {name: value for name, value in self.__dict__.items() if name not in ("derivation", "engine")}

    # What a person reads.

    @property
    def network(self) -> Network:
        return self.settings.network

    @cached_property
    def derivation(self) -> Derivation:
        return self.settings.derivation()

    @cached_property
    def engine(self) -> Engine:
        return engine_by_name(self.settings.engine, self.derivation, self.settings.dtype)

    @property
    def status(self) -> str:
        return str(self.facts["status"])

    @property
    def message(self) -> str | None:
        return self.facts.get("message")

    @property
    def notes(self) -> list[str]:
        return list(self.facts.get("notes", []))

    @property
    def initial(self) -> dict[str, float]:
        return dict(self.facts.get("initial", {}))

    @property
    def iteration(self) -> int:
        """Updates made."""
        return max(self.snapshots.iterations[-1], int(self.facts.get("iteration", 0)))

    @property
    def batches(self) -> int:
        """Updates an epoch."""
        return int(self.facts["batches"])

    @property
    def parameter_names(self) -> tuple[str, ...]:
        return (*(p.name for p in self.derivation.parameters), *self.derivation.buffers)

    @property
    def restored(self) -> int:
        """The iteration that `parameters` are of: the last, or the best when early stopping restored it."""
        best = self.facts.get("restored")
        return self.iteration if best is None else int(best)

    @property
    def state(self) -> State:
        """All arrays of the training at `restored`: parameters, the optimiser's memory, running statistics."""
        return self.at(self.restored).state

    @property
    def parameters(self) -> dict[str, np.ndarray]:
        """Name -> array: what was trained, and the running statistics of batch normalisation."""
        state = self.state
        return {name: read_only(state[name]) for name in self.parameter_names}

    # Predicting.

    def predict(self, X: Any, *, unseen: Literal["error", "ignore"] = "error") -> np.ndarray:
        """The network's outputs A⁽ᴸ⁾ for new samples, shape (m, n_L).

        Parameters
        ----------
        X : an array (m, features) in the network's own inputs; or, when the run was trained on a table, that table's
            like: a path, a pandas or polars frame, an arrow table or a dict of columns, in any order of columns
        unseen : what to do about a category that training did not have: "error" or "ignore"

        Raises
        ------
        DataError : shapes, names or values that do not fit
        """
        return self.outputs(self.state, self.inputs(X, unseen=unseen))

    def predict_labels(self, X: Any, *, unseen: Literal["error", "ignore"] = "error") -> np.ndarray:
        """Predictions in the target's own terms: class names, or numbers in its units.

        Raises
        ------
        RunError : the run was trained on plain arrays, so it knows no names
        """
        if self.preparation is None:
            raise RunError(
                "This run was trained on plain arrays and knows no class names; use run.predict(X) and your own encoding."
            )
        return np.asarray(self.preparation.decode(self.predict(X, unseen=unseen)))

    def inputs(self, X: Any, *, unseen: Literal["error", "ignore"] = "error") -> np.ndarray:
        """X as the network takes it: a raw table or pictures' files through the run's preparation, an array as it is."""
        if isinstance(X, np.ndarray | list | tuple) or self.preparation is None:
            return check_inputs(X, self.network, self.settings.dtype)
        from glassnet.data import Preparation, read_table

        if isinstance(self.preparation, Preparation):
            table = read_table(X, text=self.preparation.text_columns)
            return np.asarray(self.preparation.transform(table, unseen=unseen))
        return np.asarray(self.preparation.transform(self.preparation.read(X)))

    def outputs(self, state: State, X: Any) -> np.ndarray:
        """The outputs under any state, a few thousand rows at a time; of pictures as many as memory is quick for."""
        inputs = check_inputs(X, self.network, self.settings.dtype)
        size = self.engine.rows_at_once
        with np.errstate(all="ignore"):
            parts = [self.engine.predict(state, inputs[i : i + size]) for i in range(0, inputs.shape[0], size)]
        return np.concatenate(parts)

    # Time travel.

    def at(self, iteration: int) -> Moment:
        """The training after `iteration` updates (0 is before the first), bit for bit as it was.

        Raises
        ------
        RunError : no such iteration, or the data are needed to replay it and are not at hand
        """
        if isinstance(iteration, bool) or not isinstance(iteration, int | np.integer):
            raise RunError(
                f"run.at got {iteration!r}; it needs an iteration, a whole number from 0 to {self.iteration}."
            )
        wanted = int(iteration)
        if not 0 <= wanted <= self.iteration:
            raise RunError(f"run.at got {wanted}; this training has iterations 0 to {self.iteration}.")
        nearest = self.snapshots.nearest(wanted)
        if nearest.iteration == wanted:
            return Moment(self, wanted, nearest.state)
        self._need_data(f"replay iteration {wanted} from {nearest.iteration}")
        from glassnet.training.loop import replay

        return Moment(self, wanted, replay(self, wanted))

    def intermediates(self, iteration: int, samples: list[int] | None = None) -> dict[str, np.ndarray]:
        """Every named value of the step that leads from `iteration` to the next, by equation name.

        Parameters
        ----------
        iteration : 0 is the first step; of a training that diverged, two steps from its last iteration on can be seen too
        samples : positions within the step's batch; all unless given (sums over the batch stay whole)
        """
        if isinstance(self.settings.optimizer, LBFGS):
            raise RunError("An LBFGS iteration makes several evaluations inside SciPy; its steps cannot be shown.")
        if isinstance(self.settings.optimizer, Newton) and self.facts.get("from_data") and iteration == 0:
            raise RunError(
                "Newton's first iteration starts from the data, not from parameters, so its lines have no values to show; "
                "ask for a later one, or give initial_parameters."
            )
        if (self.facts.get("direct") or {}).get("aliased"):
            raise RunError(
                "Columns of this run's inputs determine one another, so the matrix of its lines has no inverse; leave the "
                "aliased columns out to see its steps."
            )
        if isinstance(iteration, bool) or not isinstance(iteration, int | np.integer):
            raise RunError(f"run.intermediates got {iteration!r}; it needs a step, a whole number from 0.")
        # A diverged training keeps its last finite state. The number that was not finite came about in the step from there, or
        # in the cost of what that step left: both are what a person wants to look at.
        steps = max(1, self.iteration + 2 * (self.status == "diverged"))
        if not 0 <= iteration < steps:
            only = "only step 0" if steps == 1 else f"the steps 0 to {steps - 1}"
            raise RunError(f"This training has {only}; step {iteration} is none of them.")
        known = min(int(iteration), self.iteration)
        state = dict(self.at(known).state)
        self._need_data(f"show the step after iteration {iteration}")
        from glassnet.training.loop import step_values

        if known < iteration:
            left = step_values(self, dict(state), known)
            state = {name: left[f"{name}.after"] for name in state}
        values = step_values(self, state, iteration)
        if samples is None:
            return {n: read_only(v) for n, v in values.items()}
        shapes = {e.name: e.shape for e in self.derivation.equations} | {"X": ("m",), "Y": ("m",), "w": ("m",)}
        shapes |= {name: mask.shape for name, (mask, _) in self.derivation.masks.items()}
        rows = len(values["X"])
        try:
            chosen = np.arange(rows)[samples]
        except (IndexError, TypeError, ValueError):
            raise RunError(f"samples got {samples!r}; it needs positions within the batch, 0 to {rows - 1}.") from None
        of_samples = {n for n in values if shapes.get(n.removesuffix(".after"), ())[:1] == ("m",)}
        return {n: read_only(v[chosen] if n in of_samples else v) for n, v in values.items()}

    def trace(self, iteration: int, samples: int | list[int] | None = None) -> Any:
        """The step that leads from `iteration` to the next, with its numbers: a `Trace`.

            trace = run.trace(100, samples=[3])
            trace["dZ1"]; print(trace); trace.worked("Z1", 0, 2); trace.to_html("step.html")

        Parameters
        ----------
        iteration : 0 is the first step; of a training that diverged, two steps from its last iteration on can be seen too
        samples : positions within the step's batch; all unless given (sums over the batch stay whole)

        Raises
        ------
        RunError : no such step or sample; the data are needed and not at hand
        """
        from importlib import import_module

        # The views stand to the right of the runs; nothing here depends on them, a person may still ask.
        return import_module("glassnet.views.trace").Trace(self, iteration, samples)

    def animate(self, kinds: Any = ("boundary", "network", "cost"), **options: Any) -> Any:
        """A film of the training: a `Film`, which a notebook shows by itself.

            film = run.animate(["boundary", "network", "cost"], frames=100, spacing="log")
            film.save("flower.gif"); film.save("flower.mp4"); film.save("flower.html")

        Parameters
        ----------
        kinds : "boundary", "network", "cost", "weights", "activations", of images "filters" and "feature_maps", or several
            side by side
        options : frames, spacing ("log" or "linear" in iterations), size, fps, ease, sample, stage, ...: see `Film`

        Raises
        ------
        GlassnetError : a panel that this run cannot have, or options that cannot be used
        """
        from importlib import import_module

        return import_module("glassnet.views.animation").Film(self, kinds, **options)

    def report(self, path: str | Path = "report.html", **options: Any) -> Path:
        """Write the run as one self-contained page for a colleague: what was trained on what, how it went, how good it is.

            run.report("report.html", held_out=(X_test, Y_test))

        Parameters
        ----------
        path : of the file
        options : those of `glassnet.views.write_report`, such as held_out=(X, Y), rows that the run never saw

        Raises
        ------
        RunError : the file cannot be written
        """
        from importlib import import_module

        return Path(import_module("glassnet.views.report").write_report(self, path, **options))

    def diagnose(self, *, experiments: bool = True, budget: float | None = None) -> Any:
        """Why this training does not learn, or that it does: a `Diagnosis`.

            print(run.diagnose())

        Parameters
        ----------
        experiments : whether to train yardsticks beside it, and to rerun it without what is suspected
        budget : seconds that the reruns may take; as long as the training took unless given, at least 6 and at most 60

        Raises
        ------
        RunError : the run was saved without its data
        """
        from importlib import import_module

        # Diagnosing stands to the right of the runs; nothing here depends on it, a person may still ask.
        return import_module("glassnet.diagnosis.judging").diagnose_run(self, experiments=experiments, budget=budget)

    def cure(self, *, budget: float | None = None, diagnosis: Any = None) -> Any:
        """A change that makes this training learn, proven with three seeds on held-out rows: a `Cure`.

            cure = run.cure(); print(cure); cure.predict(X)

        Parameters
        ----------
        budget : seconds that all reruns together may take; unless given twice what the training took (or, of one that
            diverged, would have taken), and at least 20
        diagnosis : of this run, when there is one already

        Raises
        ------
        RunError : the run was saved without its data
        """
        from importlib import import_module

        return import_module("glassnet.diagnosis.cure").cure_run(self, budget=budget, diagnosis=diagnosis)

    def identify(self) -> None:
        """Fill in `facts["id"]` and the fingerprints of the data, by which a run's files and data are known again.

        It takes a pass over the data, so it is done when something is written or compared, not while training.
        """
        about, facts = self.facts["data"], self.facts
        if about["fingerprint"] is None and self.data is not None:
            about["fingerprint"] = data_fingerprint(self.data)
            if self.validation is not None:
                about["validation_fingerprint"] = data_fingerprint(self.validation)
        if not facts["id"]:
            plain = {k: v for k, v in self.settings.to_plain().items() if k not in ("epochs", "record")}
            parts = (json.dumps(plain, sort_keys=True), about["fingerprint"], facts["start"])
            facts["id"] = hashlib.sha256("".join(parts).encode()).hexdigest()[:32]

    def _need_data(self, purpose: str) -> None:
        if self.data is None and self.folder is not None:
            from glassnet.training.source import read_again

            read_again(self, self.folder)
        if self.data is not None and self.facts["data"].get("borrowed"):
            if data_fingerprint(self.data) != self.facts["data"]["fingerprint"]:
                raise RunError(
                    f"The data this run was trained on have been changed since, and they are needed to {purpose}. They were "
                    "too large to be copied; call run.attach(X, Y) with the data as they were."
                )
            return
        if self.data is None:
            raise RunError(
                f"This run was saved without its data, which are needed to {purpose}; "
                f"call run.attach(X, Y) with the data it was trained on{self._where()}."
            )

    def _where(self) -> str:
        source = (self.facts.get("source") or {}).get("path")
        return f" (from {source})" if source else ""

    def attach(self, X: Any, Y: Any, sample_weight: Any = None, validation: Any = None) -> Run:
        """Give a run loaded without its data the data again: all of them, or only the part it was trained on.

        `validation` is (X, Y) or (X, Y, sample_weight), when it was trained with such.

        Raises
        ------
        RunError : they are not the data it was trained on
        """
        self.identify()
        settings, about = self.settings, self.facts["data"]
        samples = check_samples(X, Y, sample_weight, self.network, settings.loss, settings.dtype)
        held = self.validation
        found = data_fingerprint(samples)
        fraction = about.get("validation_fraction")
        if fraction and found != about["fingerprint"]:
            samples, held = held_out_fraction(samples, fraction, settings.seed, bool(about["stratified"]))
            found = data_fingerprint(samples)
        if found != about["fingerprint"]:
            raise RunError(
                f"These are not the data this run was trained on: their fingerprint is {found[:12]}…, the run's "
                f"{about['fingerprint'][:12]}…. Pass the same rows in the same order."
            )
        if isinstance(validation, tuple | list):
            X_held, Y_held, *weights = validation
            given = weights[0] if weights else np.ones(len(np.asarray(X_held))) if settings.weighted else None
            held = check_samples(X_held, Y_held, given, self.network, settings.loss, settings.dtype, "validation ")
            if data_fingerprint(held) != about.get("validation_fingerprint"):
                raise RunError("These are not the validation data this run was trained with; pass the same rows.")
        self.data, self.validation = samples, held
        return self

    # Saving and loading.

    def save(self, folder: str | Path, *, data: bool | None = None, overwrite: bool = False) -> Path:
        """Write the run as a folder: run.json, history.parquet, snapshots/, and its data while they are small.

        Parameters
        ----------
        folder : made when missing
        data : keep X and Y beside the run; by default when they take at most 16 MB
        overwrite : replace a run that is there

        Raises
        ------
        RunError : the folder holds something else or another run, the disk is full, ...
        """
        place = folder_path(folder, "run.save")
        claim_folder(place, overwrite)
        self.snapshots.moved_to(place)
        if data is None:
            data = self.facts["data"].get("keep")
        self.facts["data"]["keep"] = data
        self.write(place, data=data)
        return place

    def write(self, place: Path, *, data: bool | None = None, with_data: bool = True) -> None:
        """Bring a run folder up to date (`save` makes a new one)."""
        write_run(self, place, data, with_data)
        self.folder = place

    @classmethod
    def load(cls, folder: str | Path, *, damaged: str = "error") -> Run:
        """Read a run folder.

        Parameters
        ----------
        folder : as `save` or `gn.train(..., out=)` wrote it
        damaged : what to do when a file is truncated or altered: "error", or "skip" to load the run without it

        Raises
        ------
        RunError : no such folder, no run in it, or a damaged file (the sentence names it and says what still loads)
        """
        described, snapshots, history, data, validation = read_run(folder_path(folder, "Run.load"), damaged)
        preparation = None
        if described["preparation"] is not None:
            from glassnet.data import preparation_from_dict

            preparation = preparation_from_dict(described["preparation"])
        facts = {**described["facts"], "iteration": int(described["iteration"])}
        settings = Settings.from_plain(described["settings"])
        run = cls(settings, snapshots, history, data, validation, facts, preparation)
        run.folder = Path(folder)
        run.history = history[: run.iteration // run.batches]  # a kill may leave the history ahead of the snapshots
        return run

    def __repr__(self) -> str:
        last = self.history.last()
        cost = f", cost {last['cost']:.4g}" if last else ""
        return f"<Run of {self.network}: {self.status}, {len(self.history)} epochs{cost}>"

    def _repr_html_(self) -> str:
        from importlib import import_module

        return str(import_module("glassnet.views.notebook").run_html(self))

    def __str__(self) -> str:
        last = self.history.last()
        rows = self.facts["data"]["rows"]
        lines = [
            f"{self.network}   ({self.derivation.parameter_count:,} parameters)",
            f"loss {self.settings.loss.name} · {self.settings.optimizer!r}",
            f"{rows:,} samples, batches of {self.settings.batch_size or rows}, seed {self.settings.seed}, "
            f"{self.settings.dtype}",
            f"{self.status} after {len(self.history)} of {self.settings.epochs} epochs ({self.iteration:,} updates)",
        ]
        if self.settings.augmentation is not None:
            lines.insert(3, f"pictures changed in every epoch: {self.settings.augmentation}")
        if self.message:
            lines.append(self.message)
        shown = [f"{n.replace('_', ' ')} {last[n]:.6g}" for n in last if n not in ("epoch", "iteration", "seconds")]
        if shown:
            lines.append(", ".join(shown))
        return "\n".join(lines)


def read_only(array: Any) -> Any:
    """A view that cannot be written to: the record stays what it is (`.copy()` gives an array of one's own)."""
    if not isinstance(array, np.ndarray):
        return array  # a number is a value of its own
    view = array.view()
    view.flags.writeable = False
    return view


def versions() -> dict[str, str]:
    """What the training ran on."""
    from glassnet import __version__

    return {
        "glassnet": __version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
    }
