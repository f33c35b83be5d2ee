"""Views: pictures and tables of a run. Nothing here recomputes mathematics; matplotlib loads when first drawn."""

from glassnet.views.attribution import occlusion_drop, score_gradients
from glassnet.views.boundary import plot_boundary
from glassnet.views.classifiers import plot_calibration, plot_precision_recall
from glassnet.views.comparison import plot_comparison
from glassnet.views.curves import plot_cost, plot_metric
from glassnet.views.excitation import plot_excitation, strongest_patches
from glassnet.views.feature_maps import plot_feature_maps
from glassnet.views.filters import plot_filters
from glassnet.views.hidden_layers import plot_responses, plot_warp
from glassnet.views.layers import layers_over_time, plot_activations, plot_gradients, plot_updates
from glassnet.views.metrics import classification_metrics, confusion_table, metrics_table, regression_metrics
from glassnet.views.network_diagram import plot_network
from glassnet.views.pixel_maps import plot_occlusion, plot_saliency
from glassnet.views.plots import plot_confusion, plot_roc, save
from glassnet.views.predictions import plot_predictions
from glassnet.views.report import write_report
from glassnet.views.residuals import residual_plots
from glassnet.views.weights import plot_weights

__all__ = [
    "classification_metrics",
    "confusion_table",
    "layers_over_time",
    "metrics_table",
    "occlusion_drop",
    "plot_activations",
    "plot_boundary",
    "plot_calibration",
    "plot_comparison",
    "plot_confusion",
    "plot_cost",
    "plot_excitation",
    "plot_feature_maps",
    "plot_filters",
    "plot_gradients",
    "plot_metric",
    "plot_network",
    "plot_occlusion",
    "plot_precision_recall",
    "plot_predictions",
    "plot_responses",
    "plot_roc",
    "plot_saliency",
    "plot_updates",
    "plot_warp",
    "plot_weights",
    "regression_metrics",
    "residual_plots",
    "save",
    "score_gradients",
    "strongest_patches",
    "write_report",
]
