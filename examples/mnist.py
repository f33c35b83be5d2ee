"""MNIST's 10,000 test images: learn from the first 8,000, tested on the last 2,000. A dense network against a LeNet.

Run it with:  python examples/mnist.py FOLDER     (FOLDER holds t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz)
"""

import sys
import time
from pathlib import Path

import numpy as np

import glassnet as gn

NETWORKS = {
    "784 → 100 → 10": ("784 → 100 relu → 10 softmax", 20),
    "LeNet": (
        "1×28×28 → conv 6x5 relu same → pool 2 → conv 16x5 relu → pool 2 → flatten → 120 relu → 84 relu → dropout 0.3 → "
        "10 softmax",
        20,
    ),
}
"""Name -> (network, epochs)."""


def compare(folder: Path) -> None:
    X = gn.data.images(folder / "t10k-images-idx3-ubyte.gz")
    labels = gn.data.read_array(folder / "t10k-labels-idx1-ubyte.gz")
    Y = np.eye(10)[labels]
    for name, (text, epochs) in NETWORKS.items():
        net = gn.Network.parse(text)
        inputs = X if len(net.input_shape) == 3 else X.reshape(len(X), -1)
        start = time.perf_counter()
        run = gn.train(
            net, inputs[:8000], Y[:8000], optimizer=gn.Adam(gn.CosineDecay(0.003, epochs=epochs)), epochs=epochs, batch_size=32,
            progress=False,
        )  # fmt: skip
        took = time.perf_counter() - start
        right = (run.predict(inputs[8000:]).argmax(axis=1) == labels[8000:]).mean()
        print(f"{name:<16}{right:.2%} of the last 2,000 right, {epochs} epochs in {took:.0f} s   {net}", flush=True)


if len(sys.argv) > 1:
    compare(Path(sys.argv[1]))
else:
    print("Name the folder of MNIST's two test files:  python examples/mnist.py FOLDER")
