"""Snapshots: the states a training passed through, few enough to keep and close enough to replay from.

With record="auto" a run keeps the states at multiples of a stride that starts at 1 and doubles whenever more than
32 would be kept, so a long training has as many as a short one and none is far from its neighbour. The first, the
last and the best are always kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glassnet.engines.base import State
from glassnet.errors import GlassnetError
from glassnet.training.files import DamagedFile, load_arrays, make_folder, save_arrays

MOST = 32
BUDGET = 8 * 2**20
"""Bytes of snapshots that record="auto" keeps at most (three snapshots always)."""


class Snapshot:
    """The state after `iteration` updates, and what the training loop needs to go on from it.

    A state may be given as a function that makes it when somebody looks: most snapshots are let go before anybody does.
    """

    __slots__ = ("_state", "iteration", "loop")

    def __init__(self, iteration: int, state: State | Callable[[], State], loop: dict[str, Any]) -> None:
        self.iteration = iteration
        self._state = state
        self.loop = loop

    @property
    def state(self) -> State:
        """The arrays by name."""
        if not isinstance(self._state, dict):
            self._state = self._state()
        return self._state


class Snapshots:
    """The snapshots of one training, by iteration.

    Parameters
    ----------
    record : "auto", "all" (every iteration), "last" (first and last only) or n (every n iterations)
    """

    def __init__(self, record: str | int = "auto") -> None:
        whole = isinstance(record, int) and not isinstance(record, bool) and record >= 1
        if not whole and record not in ("auto", "all", "last"):
            raise GlassnetError(f"record got {record!r}; it needs 'auto', 'all', 'last' or a number of iterations.")
        self.record = record
        self.stride = record if isinstance(record, int) else 1
        self._kept: dict[int, Snapshot] = {}
        self._latest: int | None = None
        self._best: dict[int, int] = {}
        self._written: dict[int, Path] = {}
        self.most: float = math.inf

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def iterations(self) -> list[int]:
        return sorted(self._kept)

    def __getitem__(self, iteration: int) -> Snapshot:
        return self._kept[iteration]

    def offer(self, snapshot: Snapshot) -> None:
        """The newest state; kept as the latest, and for good when the stride says so.

        The state's arrays are kept as they are: engines replace arrays and never write into them.
        """
        self._limit(snapshot)
        before = self._latest
        self._kept[snapshot.iteration] = snapshot
        self._latest = snapshot.iteration
        if before is not None and before != snapshot.iteration:
            self._drop_unless_kept(before)
        if self._latest // self.stride >= self.most:
            while self._latest // self.stride >= self.most:
                self.stride *= 2
            for iteration in list(self._kept):
                self._drop_unless_kept(iteration)

    def _limit(self, snapshot: Snapshot) -> None:
        if self.record == "auto" and math.isinf(self.most):
            size = max(1, sum(int(a.nbytes) for a in snapshot.state.values()))
            self.most = max(3, min(MOST, BUDGET // size))

    def stride_by(self, iteration: int, size: int) -> int:
        """The stride there will be after this iteration, for states of so many bytes; 0 when none are kept on the way."""
        if self.record == "last":
            return 0
        if self.record != "auto":
            return self.stride
        most = max(3, min(MOST, BUDGET // max(1, size))) if math.isinf(self.most) else self.most
        stride = self.stride
        while iteration // stride >= most:
            stride *= 2
        return stride

    def mark_best(self, iteration: int, watcher: int = 0) -> None:
        """This iteration's snapshot is the best that a watcher has seen; its best before is let go."""
        before = self._best.get(watcher)
        self._best[watcher] = iteration
        if before is not None and before != iteration:
            self._drop_unless_kept(before)

    def _drop_unless_kept(self, iteration: int) -> None:
        multiple = self.record != "last" and iteration % self.stride == 0
        if not multiple and iteration not in (0, self._latest, *self._best.values()):
            self._kept.pop(iteration, None)

    def nearest(self, iteration: int) -> Snapshot:
        """The newest snapshot at or before an iteration."""
        before = [i for i in self._kept if i <= iteration]
        if not before:
            raise GlassnetError(
                f"There is no snapshot at or before iteration {iteration} to replay from: snapshots/00000000.safetensors "
                "is missing."
            )
        return self._kept[max(before)]

    def write(self, folder: Path, owner: str) -> None:
        """Bring `folder/snapshots` up to date: new snapshots first, then those let go are removed.

        `owner` is the run's mark, by which a snapshot of another run is recognised.
        """
        place = folder / "snapshots"
        make_folder(place)
        for iteration in self.iterations:
            if iteration not in self._written:
                snapshot = self._kept[iteration]
                path = place / f"{iteration:08d}.safetensors"
                save_arrays(path, snapshot.state, {"iteration": iteration, "loop": snapshot.loop, "run": owner})
                self._written[iteration] = path
        for iteration in [i for i in self._written if i not in self._kept]:
            self._written.pop(iteration).unlink(missing_ok=True)

    def moved_to(self, folder: Path | None) -> None:
        """From now on `write` is for another folder (or none)."""
        self._written = {}
        if folder is not None:
            for iteration in self._kept:
                path = folder / "snapshots" / f"{iteration:08d}.safetensors"
                if path.exists():
                    self._written[iteration] = path

    @classmethod
    def read(cls, folder: Path, record: str | int, owner: str) -> tuple[Snapshots, list[DamagedFile]]:
        """All snapshots of a run folder, and the files that are damaged."""
        snapshots = cls(record)
        damaged: list[DamagedFile] = []
        for path in sorted((folder / "snapshots").glob("*.safetensors")):
            try:
                arrays, facts = load_arrays(path)
                snapshot = Snapshot(int(facts["iteration"]), arrays, dict(facts["loop"]))
            except DamagedFile as problem:
                damaged.append(problem)
                continue
            except (KeyError, TypeError, ValueError):
                damaged.append(DamagedFile(path, "it is no snapshot"))
                continue
            if facts.get("run") != owner:
                damaged.append(DamagedFile(path, "it is a snapshot of another run"))
                continue
            snapshots._kept[snapshot.iteration] = snapshot
            snapshots._written[snapshot.iteration] = path
        if snapshots._kept:
            snapshots._latest = max(snapshots._kept)
            for watcher, remembered in enumerate(snapshots._kept[snapshots._latest].loop.get("stoppers", [])):
                if remembered["best_iteration"] in snapshots._kept:
                    snapshots._best[watcher] = remembered["best_iteration"]
            snapshots._limit(snapshots._kept[snapshots._latest])
            while snapshots._latest // snapshots.stride >= snapshots.most:
                snapshots.stride *= 2
        return snapshots, damaged

    def memory(self) -> dict[str, Any]:
        """Which snapshots are kept and why, besides the states themselves."""
        most = None if math.isinf(self.most) else self.most
        best = [[watcher, iteration] for watcher, iteration in self._best.items()]
        return {"stride": self.stride, "most": most, "best": best}

    def remember(self, states: list[Snapshot], memory: dict[str, Any]) -> None:
        """Hold these snapshots, with what `memory` said of them."""
        self._kept = {snapshot.iteration: snapshot for snapshot in states}
        self._latest = max(self._kept, default=None)
        self.stride = memory["stride"]
        self.most = math.inf if memory["most"] is None else memory["most"]
        self._best = {int(watcher): int(iteration) for watcher, iteration in memory["best"]}

    def until(self, iteration: int) -> Snapshots:
        """A copy without the snapshots after an iteration."""
        other = Snapshots(self.record)
        other.stride, other.most = self.stride, self.most
        other._kept = {i: s for i, s in self._kept.items() if i <= iteration}
        other._written = {i: p for i, p in self._written.items() if i <= iteration}
        other._latest = max(other._kept, default=None)
        other._best = {w: i for w, i in self._best.items() if i in other._kept}
        return other
