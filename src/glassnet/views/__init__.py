"""Views: pictures and tables of a run. Nothing here recomputes mathematics; matplotlib loads when first drawn."""

from glassnet.views.boundary import plot_boundary
from glassnet.views.curves import plot_cost, plot_metric
from glassnet.views.metrics import classification_metrics, confusion_table, metrics_table, regression_metrics
from glassnet.views.plots import plot_confusion, plot_roc, plot_weights, save
from glassnet.views.residuals import residual_plots

__all__ = [
    "classification_metrics",
    "confusion_table",
    "metrics_table",
    "plot_boundary",
    "plot_confusion",
    "plot_cost",
    "plot_metric",
    "plot_roc",
    "plot_weights",
    "regression_metrics",
    "residual_plots",
    "save",
]
