"""Pictures as a whole, against pictures that a person has looked at: images/NAME.png.

The trainings are small and the same everywhere to the last digits; the drawing is matplotlib's Agg with the DejaVu font
that comes with it. What may differ from one version of matplotlib to the next is the edge of a letter, so the mean
absolute difference of the pixels, from 0 to 1, has a tolerance.

To renew them after a picture was changed on purpose: `python tests/views/test_golden_images.py`, with names to renew only
these, and look at every one before it is committed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from picture_runs import cancer, colour_images, coloured, diabetes, digits, flower, images, iris

from glassnet import views

FOLDER = Path(__file__).parent / "images"
DPI = 32
TOLERANCE = 0.008

PICTURES: dict[str, Callable[[], Any]] = {
    "cost": lambda: views.plot_cost(iris()),
    "metric_of_two": lambda: views.plot_metric({"iris": iris(), "flower": flower()}),
    "boundary": lambda: views.plot_boundary(flower()),
    "boundary_hard": lambda: views.plot_boundary(flower(), hard=True),
    "boundary_pair": lambda: views.plot_boundary(iris(), features=(2, 3)),
    "boundary_pca": lambda: views.plot_boundary(cancer(), plane="pca"),
    "boundary_categories": lambda: views.plot_boundary(coloured(), features=("a", "b")),
    "weights": lambda: views.plot_weights(digits()),
    "confusion": lambda: views.plot_confusion(iris()),
    "roc": lambda: views.plot_roc(iris()),
    "precision_recall": lambda: views.plot_precision_recall(cancer()),
    "calibration": lambda: views.plot_calibration(flower()),
    "activations": lambda: views.plot_activations(iris()),
    "gradients": lambda: views.plot_gradients(flower()),
    "updates": lambda: views.plot_updates(iris()),
    "predictions": lambda: views.plot_predictions(digits(), count=12),
    "responses": lambda: views.plot_responses(flower()),
    "warp": lambda: views.plot_warp(flower()),
    "warp_of_a_regression": lambda: views.plot_warp(diabetes(), features=("bmi", "bp"), units=(1, 2)),
    "compare": lambda: views.plot_comparison({"flower": flower(), "again": flower()}),
    "filters": lambda: views.plot_filters(images()),
    "filters_in_colour": lambda: views.plot_filters(colour_images()),
    "filters_by_channel": lambda: views.plot_filters(colour_images(), layer=2),
    "feature_maps": lambda: views.plot_feature_maps(images(), 3),
    "feature_maps_in_colour": lambda: views.plot_feature_maps(colour_images(), 2, stage="Z"),
    "excitation": lambda: views.plot_excitation(images()),
    "excitation_of_one": lambda: views.plot_excitation(colour_images(), layer=2, filters=1),
    "saliency": lambda: views.plot_saliency(images(), [3, 7], signed=True),
    "occlusion": lambda: views.plot_occlusion(images(), [3, 7, 8]),
    "network_of_images": lambda: views.plot_network(images(), sample=3),
    "predictions_in_colour": lambda: views.plot_predictions(colour_images(), count=6),
}


def pixels(path: Path) -> np.ndarray:
    """Red, green and blue from 0 to 1."""
    from matplotlib.image import imread

    return np.asarray(imread(path), dtype=np.float64)[:, :, :3]


def written(name: str, path: Path) -> Path:
    with mpl.rc_context({"font.family": "DejaVu Sans"}):
        return views.save(PICTURES[name](), path, DPI)


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_looks_as_it_did(name: str, tmp_path: Path) -> None:
    mine, golden = pixels(written(name, tmp_path / "mine.png")), pixels(FOLDER / f"{name}.png")
    assert mine.shape == golden.shape
    assert np.abs(mine - golden).mean() < TOLERANCE


def test_every_golden_picture_is_one_of_these() -> None:
    assert {path.stem for path in FOLDER.glob("*.png")} == set(PICTURES)


def test_the_tolerance_is_narrower_than_a_change_that_matters(tmp_path: Path) -> None:
    """The same picture of a slightly earlier state, and without its rings, is told apart."""
    golden = pixels(FOLDER / "boundary.png")
    earlier = views.save(
        views.plot_boundary(flower(), iteration=100, title="Decision boundary, training rows"), tmp_path / "a.png", DPI
    )
    assert np.abs(pixels(earlier) - golden).mean() > 2 * TOLERANCE
    ax = views.plot_updates(iris())
    next(line for line in ax.lines if line.get_gid() == "layer 1").remove()
    thinner = views.save(ax, tmp_path / "b.png", DPI)
    assert np.abs(pixels(thinner) - pixels(FOLDER / "updates.png")).mean() > 0.25 * TOLERANCE


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for each in sys.argv[1:] or PICTURES:
        print(written(each, FOLDER / f"{each}.png"))
