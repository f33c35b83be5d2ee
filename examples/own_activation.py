"""An activation of your own: its formula is enough.

The derivative, the equations on the page and the check against central differences follow from it.
Run it with:  python examples/own_activation.py
"""

import numpy as np

import glassnet as gn

swish = gn.activation("swish", lambda z: z * gn.sigmoid(z))
net = gn.Network(3, gn.Dense(4, swish), gn.Dense(1))

derivation = gn.derive(net)
print(derivation["A1"])
print(derivation["U1"])
print(derivation["dZ1"])
print(derivation["dZ1"].latex())
print()

rng = np.random.default_rng(0)
X = rng.normal(size=(8, 3))
Y = np.sin(X.sum(axis=1))
print(gn.gradcheck(net, X, Y))
