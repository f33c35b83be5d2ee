"""Equations as operations: small networks by hand, and what a user's own formula becomes."""

from __future__ import annotations

import pytest

import glassnet as gn
from glassnet.engines.compiled.blocks import CODES
from glassnet.engines.compiled.lowering import NotLowered
from glassnet.engines.compiled.operations import Barrier, Gemm, Mask, Metric, Scalar, Vector
from glassnet.engines.compiled.programs import lower
from glassnet.engines.compiled.rewrites import LIST_REWRITES, STEP_REWRITES
from glassnet.equations.expression import Constant, Symbol
from glassnet.equations.functions import ACTIVATIONS


def lines(program):
    """The printed operations without the numbers, their lines before a colon."""
    shown = []
    for operation in program.operations:
        if not isinstance(operation, Scalar):
            kind, _, said = str(operation).partition(" ")
            shown.append(f"{', '.join(operation.lines)}: {kind} {said.strip()}")
    return shown


def test_linear_regression_by_hand():
    # Z1 = X W1 + b1 is b1 in every row, and the product added to it. A1 = Z1 is Z1 itself. J adds up ½ (Z1 − Y)² (s7 = ½)
    # while dA1 = (Z1 − Y) / m (s10 = 1 / m) and its column sums db1 are made from the same difference. W1 and b1 lie side by
    # side as θ1, so one operation updates both: θ1 + (−α) dθ1 (s13 = −α), and ‖dθ1‖² on the way.
    lowered = lower(gn.derive(gn.Network(2, gn.Dense(1)), optimizer=gn.SGD(0.1)), (3, 1), tuple(LIST_REWRITES))
    slots = lowered.update.named_slots
    J, metric, squares = slots["J"], slots["metric"], slots["gradient_square"]
    assert lowered.update.slots[: len(("m", "alpha", "t"))] == [0.0, 0.0, 0.0]
    assert (slots["m"], slots["alpha"], slots["t"]) == (0, 1, 2)
    update = lowered.update.operations
    vectors = [o for o in update if isinstance(o, Vector)]
    half = int(vectors[1].program[2].operands[1][1])
    total = int(vectors[1].program[3].operands[1][1])
    share = int(vectors[1].program[4].operands[1][1])
    negative = int(vectors[2].program[1].operands[2][1])
    assert lowered.update.slots[half] == 0.5
    assert lines(lowered.update) == [
        "Z1: vector %0 = tile(b1); Z1 = store(%0)",
        "Z1: gemm Z1 += X · W1",
        f"J, dA1, db1: vector %0 = subtract_vv(Z1, Y); %1 = multiply_vv(%0, %0); %2 = multiply_vs(%1, s{half}); "
        f"%3 = sum_all(%2, s{total}); %4 = multiply_vs(%0, s{share}); dA1 = store(%4); db1 = sum_columns(%4)",
        f"metric: metric s{metric} from Z1 and Y",
        "dW1: gemm dW1 = Xᵀ · dA1",
        ": barrier the update begins",
        f"‖∂J/∂θ‖², W1, b1: vector %0 = sum_squares(dθ1, s{squares}); %1 = add_scaled(θ1, dθ1, s{negative}); "
        "θ1 = store(%1)",
    ]
    scalars = {o.slot: (o.code, o.operands) for o in update if isinstance(o, Scalar)}
    one, minus = (lowered.update.slots.index(value) for value in (1.0, -1.0))
    assert scalars[share] == ("divide", (one, slots["m"]))
    assert scalars[negative] == ("multiply", (minus, slots["alpha"]))
    assert scalars[J] == ("divide", (total, slots["m"]))
    assert lowered.update.regions == {"θ1": ("W1", "b1"), "dθ1": ("dW1", "db1")}
    assert lowered.state == (("W1", (2, 1)), ("b1", (1,)))
    assert lowered.slopes == (("dW1", (2, 1)), ("db1", (1,)))
    assert lowered.penalty is None
    assert lines(lowered.measure)[:2] == lines(lowered.update)[:2]
    assert not any(isinstance(o, Barrier) for o in lowered.measure.operations)


def test_a_hidden_layer_by_hand():
    # Backwards: dA1 ⊙ (1 − A1²) is one instruction; without the rewrites its parts stand one by one.
    derivation = gn.derive(gn.Network(2, gn.Dense(3, "tanh", bias=False), gn.Dense(1)))
    update = lower(derivation, (3, 1), tuple(LIST_REWRITES)).update
    assert [line for line in lines(update) if "vector" not in line] == [
        "Z1: gemm Z1 = X · W1",
        "Z2: gemm Z2 += A1 · W2",
        f"metric: metric s{update.named_slots['metric']} from Z2 and Y",
        "dW2: gemm dW2 = A1ᵀ · dA2",
        "dA1: gemm dA1 = dA2 · W2ᵀ",
        "dW1: gemm dW1 = Xᵀ · dZ1",
        ": barrier the update begins",
    ]
    assert "dZ1: vector %0 = slope_tanh(A1, dA1); dZ1 = store(%0)" in lines(update)
    plain = lower(derivation, (3, 1), (*LIST_REWRITES, *STEP_REWRITES)).update
    one = plain.slots.index(1.0)
    assert (
        f"dZ1: vector %0 = multiply_vv(A1, A1); %1 = subtract_sv(s{one}, %0); %2 = multiply_vv(dA1, %1); dZ1 = store(%2)"
        in lines(plain)
    )


def test_a_bias_is_added_where_its_sum_is_used_and_a_plain_descent_is_one_pass():
    derivation = gn.derive(gn.Network(9, gn.Dense(3, "relu"), gn.Dense(9)), optimizer=gn.SGD(0.1))
    said = lines(lower(derivation, (3, 1)).update)
    assert said[:3] == [
        "Z1: gemm Z1 = X · W1",
        "A1: vector %0 = add_row(Z1, b1); %1 = positive_part(%0); A1 = store(%1)",
        "Z2: vector %0 = tile(b2); Z2 = store(%0)",  # the metric reads Z2, too: its bias stays where it was
    ]
    assert "dZ1, db1: vector %0 = where_positive(A1, dA1); dZ1 = store(%0); db1 = sum_columns(%0)" in said
    assert said[-1].startswith("‖∂J/∂θ‖², W1, b1, W2, b2: vector θ1 = descend(dθ1, θ1, s")


def test_a_narrow_layer_is_one_operation_each_way():
    derivation = gn.derive(gn.Network(2, gn.Dense(3, "tanh", bias=False), gn.Dense(1)))
    said = [line for line in lines(lower(derivation, (3, 1)).update) if ": narrow " in line]
    assert said == [
        "Z1, A1, Z2: narrow Z2 += tanh(X · W1) · W2",
        "dW2, dA1, dZ1, dW1: narrow dW2, dW1 from dA2, back through W2 and tanh",
    ]


def test_a_dropout_is_a_mask_before_everything():
    net = gn.Network(2, gn.Dense(3, "relu"), gn.Dropout(0.25), gn.Dense(1))
    lowered = lower(gn.derive(net), (3, 1))
    masks = [o for o in lowered.update.operations if isinstance(o, Mask)]
    assert [str(mask) for mask in masks] == ["mask      M1, zeros with probability 0.25"]
    assert not any(isinstance(o, Mask) for o in lowered.measure.operations)
    first = next(o for o in lowered.update.operations if not isinstance(o, Scalar))
    assert first is masks[0]


def test_the_optimisers_memory_follows_the_parameters():
    net = gn.Network(2, gn.Dense(3, "tanh"), gn.BatchNorm(), gn.Dense(1))
    lowered = lower(gn.derive(net, optimizer=gn.Adam()), (3, 1))
    names = [name for name, _ in lowered.state]
    assert names == [
        "W1", "b1", "gamma1", "beta1", "W2", "b2", "mW1", "mb1", "mgamma1", "mbeta1", "mW2", "mb2",
        "vW1", "vb1", "vgamma1", "vbeta1", "vW2", "vb2", "running_mean1", "running_var1",
    ]  # fmt: skip
    assert [name for name, _ in lowered.slopes] == ["dW1", "db1", "dgamma1", "dbeta1", "dW2", "db2"]


def test_weights_that_decay_are_updated_apart_from_biases_that_do_not():
    net = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1))
    lowered = lower(gn.derive(net, optimizer=gn.AdamW()), (3, 1))
    assert lowered.update.regions["θ1"] == ("W1", "W2")
    assert lowered.update.regions["θ2"] == ("b1", "b2")


def test_a_penalty_is_a_program_of_its_own():
    net = gn.Network(2, gn.Dense(3, "tanh"), gn.Dense(1))
    lowered = lower(gn.derive(net, l1=0.1, l2=0.2), (3, 1))
    assert "R" in lowered.penalty.named_slots
    assert not any(isinstance(o, Gemm | Metric) for o in lowered.penalty.operations)
    assert "R" not in {line for o in lowered.measure.operations for line in o.lines}


OWN = {
    "bent": lambda z: gn.where(z > 0.5, z**3, 0.1 * z + 0.2),
    "mish": lambda z: z * gn.tanh(gn.softplus(z)),
    "busy": lambda z: gn.sin(z) ** 2 + gn.erf(gn.cos(z)) / (1 + gn.abs(z)) - gn.maximum(z, -z) ** 1.5 + 2.0**z,
}


@pytest.mark.parametrize("name", OWN)
def test_an_own_formula_needs_nothing_new(name):
    """Only instructions that are compiled already: nothing is compiled for a person's own activation or loss."""
    own = gn.activation(name, OWN[name])
    loss = gn.loss("logcosh", lambda y, a: gn.softplus(2 * (a - y)) - (a - y))
    lowered = lower(gn.derive(gn.Network(2, gn.Dense(3, own), gn.Dense(2)), loss), (3, 2))
    for program in (lowered.update, lowered.measure):
        used = {step.code for o in program.operations if isinstance(o, Vector) for step in o.program}
        assert used <= set(CODES)
        assert all(isinstance(o, Gemm | Vector | Scalar | Metric | Barrier) for o in program.operations)


@pytest.mark.parametrize("hidden", [name for name in ACTIVATIONS if name != "step"])
def test_no_value_is_written_that_nothing_reads(hidden):
    net = gn.Network(2, gn.Dense(3, hidden), gn.BatchNorm(), gn.Dropout(0.1), gn.Dense(2))
    lowered = lower(gn.derive(net, optimizer=gn.AdamW(), l2=0.1), (3, 2))
    program = lowered.update
    members = {name: set(names) for name, names in program.regions.items()}
    read = {m for o in program.operations for name in o.reads for m in members.get(name, {name})}
    kept = {name for name, _ in lowered.state} | {lowered.derivation.output.name, *program.aliases.values()}
    for operation in program.operations:
        for name in operation.writes:
            assert members.get(name, {name}) & (read | kept), f"{name} of {operation}"


def test_the_page_beside_its_operations():
    said = str(lower(gn.derive(gn.Network(2, gn.Dense(1)), optimizer=gn.SGD(0.1)), (3, 1))).split("\n")
    assert said[:3] == ["The equations", "# Z1 = X W1 + b1", "# A1 = Z1"]
    assert "An update, as operations" in said


def test_what_has_no_operation_is_said():
    from glassnet.engines.compiled.lowering import Lowering

    lowering = Lowering({"x": ("m", 3)}, ("m",), {"y"})
    with pytest.raises(NotLowered, match=r"^The number k is not known\.$"):
        lowering.assign("y", Symbol("x", ("m", 3)) * Symbol("k"))
    with pytest.raises(NotLowered, match=r"^The number .* has no operation\.$"):
        lowering.assign("y", Symbol("x", ("m", 3)) * gn.sin(Symbol("m") + Constant(1.0)))
