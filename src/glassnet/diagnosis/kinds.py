"""The kinds of finding, each with its words: what may be wrong with data, settings or a training.

The names before the point say where a fault lies: data, out (the output layer), loss, init, arch (the network), opt (the
optimiser), reg (penalties and dropout), and training (what a training shows whatever its cause).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of finding: its words, and whether it is a cause or what a cause shows."""

    title: str
    symptom: bool = False


def _symptom(title: str) -> Kind:
    return Kind(title, symptom=True)


KINDS: dict[str, Kind] = {
    "data.unscaled_features": Kind("features are not scaled"),
    "data.mixed_scales": Kind("features are on very different scales"),
    "data.double_scaling": Kind("features are far too small, as if scaled twice"),
    "data.constant_feature": Kind("features that are constant"),
    "data.duplicate_feature": Kind("features that repeat one another"),
    "data.id_like_feature": Kind("a row number or identifier among the features"),
    "data.leaking_feature": Kind("a feature gives the target away"),
    "data.nan": Kind("values that are missing or infinite"),
    "data.dtype_shape": Kind("data of the wrong type or shape"),
    "data.labels_shuffled": Kind("the labels do not belong to the rows"),
    "data.label_noise": Kind("many labels are wrong"),
    "data.label_encoding": Kind("labels are encoded wrongly"),
    "data.single_class": Kind("only one class"),
    "data.class_imbalance": Kind("some classes are rare"),
    "data.unshuffled": Kind("rows in order of their class, not shuffled"),
    "data.train_test_mismatch": Kind("training and held-out rows differ"),
    "data.train_test_overlap": Kind("held-out rows are among the training rows"),
    "data.duplicate_rows": Kind("rows that repeat one another"),
    "data.too_few_samples": Kind("too few rows for the network"),
    "data.no_signal": Kind("the features say nothing about the target"),
    "data.target_scale": Kind("the target is not scaled"),
    "data.augmentation_too_strong": Kind("augmentation is too strong"),
    "out.relu_output": Kind("the output is clipped"),
    "out.softmax_single_unit": Kind("softmax over one output"),
    "out.missing_softmax": Kind("the outputs are no probabilities"),
    "out.missing_sigmoid": Kind("the outputs are no probabilities (sigmoid missing)"),
    "out.redundant_softmax": Kind("softmax is applied twice"),
    "out.sigmoid_multiclass": Kind("sigmoids for classes that exclude one another"),
    "out.softmax_multilabel": Kind("softmax for labels that may be true together"),
    "out.range_mismatch": Kind("the outputs cannot reach the targets"),
    "out.wrong_units": Kind("wrong number of outputs"),
    "loss.wrong_kind": Kind("the loss does not fit the task"),
    "loss.reduction": Kind("the loss is a sum, not a mean"),
    "loss.log_of_zero": Kind("the loss takes the logarithm of 0"),
    "init.symmetric": Kind("all weights start equal"),
    "init.too_large": Kind("the weights start too large"),
    "init.too_small": Kind("the weights start too small"),
    "init.wrong_scale": Kind("the weights' spread ignores how many inputs a unit has"),
    "init.bias": Kind("the biases start badly"),
    "init.seed": Kind("it depends on the seed"),
    "arch.missing_nonlinearity": Kind("no activation between the layers"),
    "arch.softmax_hidden": Kind("softmax in a hidden layer"),
    "arch.saturating_hidden": Kind("many saturating layers: the gradient vanishes"),
    "arch.exploding_hidden": Kind("values explode from layer to layer"),
    "arch.exploding_gradient": Kind("the gradient explodes"),
    "arch.dying_relu": Kind("dead units"),
    "arch.too_deep": Kind("too deep for its width"),
    "arch.too_little_capacity": Kind("too little capacity"),
    "arch.too_much_capacity": Kind("far more weights than rows"),
    "arch.batch_norm": Kind("batch normalisation is misused"),
    "arch.frozen": Kind("parameters that never change"),
    "opt.lr_too_large": Kind("the learning rate is too large"),
    "opt.lr_too_small": Kind("the learning rate is too small"),
    "opt.sign": Kind("the cost is made larger, not smaller"),
    "opt.oscillation": Kind("the cost oscillates"),
    "opt.momentum": Kind("momentum too close to 1"),
    "opt.adam_epsilon": Kind("unusual memory of the optimiser"),
    "opt.wrong_optimizer": Kind("another optimiser would learn"),
    "opt.batch_size": Kind("the batch size does not suit"),
    "opt.too_few_epochs": Kind("too few steps"),
    "reg.too_strong": Kind("the penalty swamps the cost"),
    "reg.missing": Kind("overfitting"),
    "reg.dropout_too_high": Kind("too much dropout"),
    "training.not_finite": _symptom("a number is not finite"),
    "training.divergence": _symptom("the cost grows"),
    "training.plateau": _symptom("the cost stands still"),
    "training.slow": _symptom("the cost falls slowly"),
    "training.base_rate": _symptom("the predictions are all alike"),
    "training.vanishing_gradient": _symptom("the gradient vanishes in early layers"),
    "training.saturated_units": _symptom("saturated units"),
    "training.update_ratio": _symptom("updates of the wrong size"),
    "training.gradient_noise": _symptom("gradients that are mostly noise"),
    "training.cannot_overfit": _symptom("one small batch cannot be learnt"),
    "training.initial_cost": _symptom("the first cost is far from that of guessing"),
    "training.falls_short": _symptom("it falls short of its yardsticks"),
    "training.not_carried_over": _symptom("what is learnt does not carry over"),
    "training.no_better_than_linear": _symptom("no better than a linear model"),
}
