"""Handwritten digits of 8 × 8 pixels: a small convolutional network, from scratch, in seconds.

Run it with:  python examples/digits.py
"""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

import glassnet as gn

pixels, labels = load_digits(return_X_y=True)
X, Y = pixels.reshape(-1, 1, 8, 8) / 16, np.eye(10)[labels]
train, test = gn.data.split_rows(labels, test=360, seed=0)

net = gn.Network.parse(
    "1×8×8 → conv 16x3 relu same → conv 16x3 relu same → pool 2 → dropout 0.25 → flatten → 10 softmax"
)
start = time.perf_counter()
run = gn.train(
    net, X[train], Y[train], optimizer=gn.Adam(gn.CosineDecay(0.003, epochs=25)), epochs=25, batch_size=32, dtype="float32",
    progress=False,
)  # fmt: skip
took = time.perf_counter() - start
right = (run.predict(X[test]).argmax(axis=1) == labels[test]).mean()
linear = LogisticRegression(max_iter=1000).fit(pixels[train], labels[train]).score(pixels[test], labels[test])

print(net)
print(
    f"convolutional network {right:.1%} of {len(test)} held-out digits right, trained in {took:.0f} s ({run.engine.name})"
)
print(f"logistic regression   {linear:.1%}")
