"""From a table to predictions: text, numbers and gaps, prepared once and kept in the run.

Run it with:  python examples/table.py
"""

import tempfile
from pathlib import Path

import glassnet as gn

folder = Path(tempfile.mkdtemp())
rows = ["size;district;rooms;rent"]
for i in range(60):
    size, rooms, district = 30 + 7 * (i % 13), 1 + i % 4, ("north", "south", "old town")[i % 3]
    rent = 5 * size + 90 * rooms + {"north": 0, "south": 120, "old town": 300}[district]
    rows.append(f"{size if i % 10 else ''};{district};{rooms};{rent}")
(folder / "flats.csv").write_text("\n".join(rows))

table = gn.data.read_table(folder / "flats.csv")
preparation = gn.data.Preparation.fit(table, "rent")
for note in preparation.notes:
    print("note:", note)

net = gn.Network(preparation.n_inputs, gn.Dense(12, "relu"), gn.Dense(1))
X, Y = preparation.transform(table), preparation.transform_target(table)
run = gn.train(net, X, Y, optimizer=gn.Adam(0.02), epochs=300, batch_size=16, progress=False, preparation=preparation)
run.save(folder / "run")

new = {"rooms": [2, 3], "district": ["old town", "north"], "size": [60, 80]}  # any order of columns
for rent in gn.Run.load(folder / "run").predict_labels(new):
    print(f"predicted rent {rent:.0f}")
