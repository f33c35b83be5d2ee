"""Small convolutional trainings whose steps are looked at: all windows, strides, paddings and pools."""

from __future__ import annotations

from functools import cache

import numpy as np

import glassnet as gn

rng = np.random.default_rng(7)
GREY = np.round(rng.random((6, 1, 6, 6)), 2)
COLOUR = np.round(rng.standard_normal((6, 3, 7, 6)), 2)
Y = np.eye(3)[np.arange(6) % 3]
NETWORKS = {
    "plain": (GREY, [gn.Conv2D(2, 3, "relu"), gn.MaxPool2D(2), gn.Flatten(), gn.Dense(3, "softmax")]),
    "strided": (COLOUR, [gn.Conv2D(2, 3, "tanh", stride=2, padding="same"), gn.Flatten(), gn.Dense(3, "softmax")]),
    "deep": (COLOUR, [gn.Conv2D(2, 2, "relu", padding="same", dilation=2), gn.AveragePool2D(2, leftover="drop"),
                      gn.Conv2D(3, (2, 1), "tanh", stride=(1, 2)), gn.GlobalAveragePool2D(), gn.Dense(3, "softmax")]),
    "overlapping": (GREY, [gn.Conv2D(2, 1), gn.MaxPool2D(3, stride=2, leftover="drop"), gn.Flatten(), gn.Dense(3, "softmax")]),
    "normalised": (COLOUR, [gn.Conv2D(2, 3, "relu"), gn.BatchNorm(), gn.Conv2D(2, 2, stride=2, bias=False), gn.Flatten(),
                            gn.Dropout(0.2), gn.Dense(3, "softmax")]),
    "channels dropped": (COLOUR, [gn.Conv2D(4, 3, "relu"), gn.Dropout(0.5, channels=True),
                                  gn.MaxPool2D((2, 1), leftover="drop"), gn.Flatten(), gn.Dense(3, "softmax")]),
}  # fmt: skip


@cache
def run(name: str) -> gn.Run:
    X, layers = NETWORKS[name]
    return gn.train(
        gn.Network(X.shape[1:], *layers), X, Y, epochs=2, batch_size=3, optimizer=gn.SGD(0.2), engine="reference", seed=3,
        progress=False,
    )  # fmt: skip
