"""A network learns the flower, as a film: its edges and its boundary move together over 100 iterations.

Run it with:  python examples/flower_film.py          (flower.gif; or name another file: flower.mp4, flower.html)
"""

import sys

import glassnet as gn

X, y = gn.data.dataset("flower", seed=0).arrays()
net = gn.Network(2, gn.Dense(4, "tanh", init="normal(0.01)"), gn.Dense(1, "sigmoid", init="normal(0.01)"))
run = gn.train(net, X, y, optimizer=gn.SGD(5.2), epochs=100, progress=False)

film = run.animate(["boundary", "network", "cost"], frames=101, spacing="linear", size=(900, 400))
path = film.save(sys.argv[1] if len(sys.argv) > 1 else "flower.gif", progress=True)
print(f"{path}: {len(film)} frames, iterations {film.iterations[0]} to {film.iterations[-1]}")
