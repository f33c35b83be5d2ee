"""Cat or no cat: 209 photographs to learn from, 50 to be tested on. A small convolutional network against logistic regression.

Run it with:  python examples/cats.py FOLDER [SEEDS]     (FOLDER holds train_catvnoncat.h5 and test_catvnoncat.h5)

The network was chosen by cross-validation on the 209 alone; what is printed is the mean over several seeds.
"""

import sys
import time
from pathlib import Path

import numpy as np

import glassnet as gn

NETWORK = (
    "3×64×64 → conv 16x5 linear same stride 2 → batch norm → relu → pool 2 → conv 32x3 linear same → batch norm → relu → pool 2"
    " → conv 32x3 linear same → batch norm → relu → global average → 1 sigmoid"
)
EPOCHS = 40


def photographs(folder: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (m, 3, 64, 64) with numbers from 0 to 1, and labels: 1 is a cat."""
    file = folder / f"{part}_catvnoncat.h5"
    return gn.data.images(f"{file}::{part}_set_x"), gn.data.read_array(f"{file}::{part}_set_y")


def compare(folder: Path, seeds: int) -> None:
    X, y = photographs(folder, "train")
    X_test, y_test = photographs(folder, "test")

    linear = gn.Network(X[0].size, gn.Dense(1, "sigmoid", init="zeros"))
    rows = [pictures.reshape(len(pictures), -1) for pictures in (X, X_test)]
    run = gn.train(linear, rows[0], y, optimizer=gn.SGD(0.005), epochs=2000, progress=False)
    print(
        f"logistic regression    {((run.predict(rows[1])[:, 0] > 0.5) == y_test).mean():.0%} of the test pictures right"
    )

    centre, spread = X.mean(axis=(0, 2, 3), keepdims=True), X.std(axis=(0, 2, 3), keepdims=True)
    found = []
    for seed in range(seeds):
        start = time.perf_counter()
        run = gn.train(
            gn.Network.parse(NETWORK), (X - centre) / spread, y,
            optimizer=gn.AdamW(gn.CosineDecay(0.005, epochs=EPOCHS), weight_decay=0.01), epochs=EPOCHS, batch_size=16,
            seed=seed, augmentation=gn.Augmentation(shift=2, flip="horizontal"), progress=False,
        )  # fmt: skip
        found.append(((run.predict((X_test - centre) / spread)[:, 0] > 0.5) == y_test).mean())
        print(
            f"convolutional network  {found[-1]:.0%}   (seed {seed}, {time.perf_counter() - start:.0f} s)", flush=True
        )
    print(f"mean of {seeds} seeds        {np.mean(found):.1%}, from {min(found):.0%} to {max(found):.0%}")


if len(sys.argv) > 1:
    compare(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 5)
else:
    print("Name the folder of train_catvnoncat.h5 and test_catvnoncat.h5:  python examples/cats.py FOLDER")
