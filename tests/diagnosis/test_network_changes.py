"""Networks rewritten: what changes, what stays, and how the change is said."""

import pytest

from glassnet import Network
from glassnet.diagnosis import network_changes as changes

DENSE = Network.parse("2 → 5 sigmoid init normal(0.01) → dropout 0.5 → 6 sigmoid → 1 sigmoid")
PICTURES = Network.parse(
    "1×12×12 → conv 4x3 linear → batch norm → relu → pool 2 → conv 2x2 sigmoid → pool 2 → dropout 0.9 → flatten → 8 tanh "
    "→ 7 tanh → 6 tanh → 3 softmax"
)


@pytest.mark.parametrize(
    ("changed", "text", "said"),
    [
        (
            changes.with_hidden_activation(DENSE, "relu"), "2 → 5 relu → dropout 0.5 → 6 relu → 1 sigmoid",
            "layer 1: sigmoid → relu, init normal(0.01) → auto; layer 2: sigmoid → relu",
        ),
        (
            changes.with_hidden_activation(DENSE, "tanh", init=None),
            "2 → 5 tanh init normal(0.01) → dropout 0.5 → 6 tanh → 1 sigmoid", "layers 1 to 2: sigmoid → tanh",
        ),
        (
            changes.with_output(DENSE, "softmax", 2),
            "2 → 5 sigmoid init normal(0.01) → dropout 0.5 → 6 sigmoid → 2 softmax",
            "output layer: 1 → 2 units, sigmoid → softmax",
        ),
        (
            changes.with_init(DENSE, "he"), "2 → 5 sigmoid init he → dropout 0.5 → 6 sigmoid init he → 1 sigmoid init he",
            "layer 1: init normal(0.01) → he; layers 2 to 3: init auto → he",
        ),
        (
            changes.wider(DENSE, 6), "2 → 6 sigmoid init normal(0.01) → dropout 0.5 → 6 sigmoid → 1 sigmoid",
            "layer 1: 5 → 6 units",
        ),
        (
            changes.shallower(DENSE, 1), "2 → 5 sigmoid init normal(0.01) → dropout 0.5 → 1 sigmoid",
            "3 layers → 2: 2 → 5 sigmoid init normal(0.01) → dropout 0.5 → 1 sigmoid",
        ),
        (
            changes.with_dropout(DENSE, 0.2), "2 → 5 sigmoid init normal(0.01) → dropout 0.2 → 6 sigmoid → 1 sigmoid",
            "layer 1: dropout 0.5 → 0.2",
        ),
        (
            changes.without_dropout(DENSE), "2 → 5 sigmoid init normal(0.01) → 6 sigmoid → 1 sigmoid",
            "layer 1: dropout 0.5 → 0",
        ),
        (
            changes.with_batch_norm(DENSE),
            "2 → 5 linear init normal(0.01) → batch norm → sigmoid → dropout 0.5 → 6 linear → batch norm → sigmoid "
            "→ 1 sigmoid",
            "layers 1 to 2: BatchNorm before each activation",
        ),
        (
            changes.with_bias_init(DENSE, "ones"),
            "2 → 5 sigmoid init normal(0.01) bias init ones → dropout 0.5 → 6 sigmoid bias init ones "
            "→ 1 sigmoid bias init ones",
            "layers 1 to 3: bias init zeros → ones",
        ),
        (changes.healthy(DENSE), "2 → 32 relu → 32 relu → 1 sigmoid", "layer 1: 5 → 32 units, sigmoid → relu, init"),
    ],
)  # fmt: skip
def test_a_network_of_dense_layers_is_rewritten_and_the_change_is_said(changed, text, said):
    assert changed == Network.parse(text)
    assert changes.network_change(DENSE, changed).said.startswith(said)
    assert changes.network_change(DENSE, changed).settings["network"] == changed


def test_an_activation_layer_is_replaced_where_it_stands():
    changed = changes.with_hidden_activation(PICTURES, "leaky_relu")
    assert str(changed).startswith(
        "1×12×12 → conv 4x3 linear → batch norm → leaky_relu → pool 2 → conv 2x2 leaky_relu → pool 2"
    )
    linear = changes.with_hidden_activation(PICTURES, "linear")
    assert str(linear).startswith("1×12×12 → conv 4x3 linear → batch norm → pool 2 → conv 2x2 linear → pool 2")


def test_only_the_named_activations_are_replaced():
    changed = changes.with_hidden_activation(PICTURES, "relu", only=("sigmoid",))
    assert changes.hidden_activations(PICTURES) == ("relu", "sigmoid", "tanh", "tanh", "tanh")
    assert changes.hidden_activations(changed) == ("relu", "relu", "tanh", "tanh", "tanh")


def test_a_network_of_pictures_keeps_its_pools_and_its_flatten():
    less = changes.shallower(PICTURES, 2)
    assert str(less).endswith("pool 2 → dropout 0.9 → flatten → 8 tanh → 7 tanh → 3 softmax")
    assert changes.hidden_widths(changes.wider(PICTURES, 32)) == (8, 8, 32, 32, 32)
    plain = changes.without_batch_norm(PICTURES)
    assert str(plain).startswith("1×12×12 → conv 4x3 linear → relu → pool 2")
    assert str(changes.with_output(PICTURES, "sigmoid", 4)).endswith("6 tanh → 4 sigmoid")
    assert changes.healthy(PICTURES).input_shape == (1, 12, 12)


def test_layers_of_pictures_stay_when_a_pool_would_not_cover_their_maps():
    network = Network.parse("1×10×10 → conv 2x3 relu → conv 2x3 relu → conv 2x3 relu → pool 2 → flatten → 2 softmax")
    assert changes.shallower(network, 1).input_shape == (1, 10, 10)
    odd = Network.parse("1×9×9 → conv 2x3 relu → conv 2x2 relu → conv 2x3 relu → pool 2 → flatten → 2 softmax")
    assert changes.shallower(odd, 1) == odd  # 9 − 2 − 2 = 5 is not covered by windows of 2


def test_an_output_with_its_activation_in_a_layer_of_its_own():
    network = Network.parse("3 → 4 relu → 2 linear → batch norm → sigmoid")
    assert str(changes.with_output(network, "softmax")) == "3 → 4 relu → 2 linear → batch norm → softmax"
    assert str(changes.with_output(network, "linear", 1)) == "3 → 4 relu → 1 linear → batch norm"
    assert changes.output_activation(network) == "sigmoid"


def test_nothing_changes_where_there_is_nothing_to_change():
    network = Network.parse("2 → 16 relu → 1 sigmoid")
    for changed in (
        changes.with_hidden_activation(network), changes.with_init(network), changes.wider(network, 8),
        changes.shallower(network), changes.without_dropout(network), changes.without_batch_norm(network),
        changes.with_output(network, "sigmoid", 1),
    ):  # fmt: skip
        assert changed == network
    assert changes.difference(network, network) == "start the weights by the network's own initialisers"
    assert changes.depth(changes.deeper(network)) == 3
