"""A network against logistic regression on the flower: what one straight line cannot do.

Run it with:  python examples/flower.py
"""

import glassnet as gn

X, y = gn.data.dataset("flower", seed=0).arrays()
train, test = gn.data.split_rows(y, test=80, seed=0)

net = gn.Network(2, gn.Dense(40, "tanh"), gn.Dense(1, "sigmoid"))
logistic = gn.Network(2, gn.Dense(1, "sigmoid"))

print(gn.derive(net, optimizer=gn.SGD(0.9)))  # the training step, as a textbook prints it
print()

for name, network, optimizer in (("network", net, gn.SGD(0.9)), ("logistic regression", logistic, gn.LBFGS())):
    run = gn.train(network, X[train], y[train], optimizer=optimizer, epochs=2000, progress=False)
    right = ((run.predict(X[test])[:, 0] > 0.5) == y[test]).mean()
    print(f"{name:<20} cost {run.history['cost'][-1]:.3f}   {right:.1%} of the held-out points right")
