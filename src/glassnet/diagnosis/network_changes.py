"""Networks rewritten: other activations, starts, widths, depths. Each function returns a new network and leaves the old.

    better = with_hidden_activation(network, "relu")
    change = network_change(network, better)          # its words: "layers 1 to 8: sigmoid → relu"

A layer here is one with weights together with what follows it up to the next one (Activation, BatchNorm, Dropout, pools);
layers are counted from 1, as in the equations, and the last one is the output.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Any

from glassnet.diagnosis.changes import Change
from glassnet.equations.functions import FunctionKind
from glassnet.errors import GlassnetError
from glassnet.layers import Activation, BatchNorm, Conv2D, Dense, Dropout, Flatten, Layer, Weighted, activation_name
from glassnet.network import Network

OWN_START = "start the weights by the network's own initialisers"
FEWEST_MAPS = 4
"""A layer of pictures needs fewer maps than a dense layer units: one in this many."""


@dataclass(frozen=True)
class Group:
    """A layer with weights and what follows it; `number` counts from 1."""

    number: int
    weighted: Dense | Conv2D
    following: tuple[Layer, ...]

    @property
    def kind(self) -> str | FunctionKind:
        """Its activation: its own, or that of an Activation layer after it."""
        later = [layer.activation for layer in self.following if isinstance(layer, Activation)]
        own: str | FunctionKind = self.weighted.activation
        return later[0] if activation_name(own) == "linear" and later else own

    @property
    def activation(self) -> str:
        """The name of its activation."""
        return activation_name(self.kind)

    @property
    def width(self) -> int:
        """Units, or maps."""
        return self.weighted.outputs

    @property
    def normalised(self) -> bool:
        return any(isinstance(layer, BatchNorm) for layer in self.following)

    @property
    def dropout(self) -> float:
        """The largest rate of dropout after it; 0 for none."""
        return max((layer.rate for layer in self.following if isinstance(layer, Dropout)), default=0.0)

    @property
    def layers(self) -> tuple[Layer, ...]:
        return (self.weighted, *self.following)


def groups(network: Network) -> list[Group]:
    """The layers with weights, each with what follows it; what stands before the first one is not among them."""
    found: list[Group] = []
    for layer in network.layers:
        if isinstance(layer, Dense | Conv2D):
            found.append(Group(len(found) + 1, layer, ()))
        elif found:
            found[-1] = replace(found[-1], following=(*found[-1].following, layer))
    return found


def hidden(network: Network) -> list[Group]:
    """All layers but the output."""
    return groups(network)[:-1]


def output(network: Network) -> Group:
    """The output layer."""
    return groups(network)[-1]


def hidden_activations(network: Network) -> tuple[str, ...]:
    """The names of the hidden layers' activations, in order."""
    return tuple(group.activation for group in hidden(network))


def hidden_widths(network: Network) -> tuple[int, ...]:
    """Units (or maps) of the hidden layers, in order."""
    return tuple(group.width for group in hidden(network))


def output_activation(network: Network) -> str:
    """The name of the output's activation."""
    return output(network).activation


def depth(network: Network) -> int:
    """How many layers have weights."""
    return len(groups(network))


def _rebuilt(network: Network, changed: Iterable[Group]) -> Network:
    first = next(i for i, layer in enumerate(network.layers) if isinstance(layer, Weighted))
    return Network(
        network.input_shape, *network.layers[:first], *(layer for group in changed for layer in group.layers)
    )


def _activated(group: Group, activation: str | FunctionKind) -> Group:
    """The group with another activation, at the place where the present one is."""
    name = activation_name(activation)
    if activation_name(group.weighted.activation) == "linear" and any(
        isinstance(f, Activation) for f in group.following
    ):
        following: list[Layer] = []
        done = False
        for layer in group.following:
            if not isinstance(layer, Activation):
                following.append(layer)
            elif not done and name != "linear":
                following.append(Activation(activation))
                done = True
        return replace(group, following=tuple(following))
    rest = tuple(layer for layer in group.following if not isinstance(layer, Activation))
    return replace(group, weighted=replace(group.weighted, activation=activation), following=rest)


def _widened(group: Group, units: int) -> Group:
    if isinstance(group.weighted, Dense):
        return replace(group, weighted=replace(group.weighted, units=units))
    return replace(group, weighted=replace(group.weighted, filters=units))


def with_hidden_activation(
    network: Network,
    activation: str | FunctionKind = "relu",
    *,
    only: Collection[str] | None = None,
    init: str | None = "auto",
) -> Network:
    """Every hidden layer with this activation, started as `init` says (None leaves the start as it is).

    `only` are names of activations to replace; others are left, with their start.
    """
    changed = []
    for group in hidden(network):
        if only is None or group.activation in only:
            group = _activated(group, activation)
            if init is not None:
                group = replace(group, weighted=replace(group.weighted, init=init))
        changed.append(group)
    return _rebuilt(network, [*changed, output(network)])


def with_output(network: Network, activation: str | FunctionKind, units: int | None = None) -> Network:
    """The output layer with another activation, and with another number of units when one is given.

    Dropout after the output goes.
    """
    last = output(network)
    last = replace(last, following=tuple(layer for layer in last.following if not isinstance(layer, Dropout)))
    last = _activated(last, activation)
    return _rebuilt(network, [*hidden(network), last if units is None else _widened(last, units)])


def with_init(network: Network, init: str = "auto", bias_init: str | None = None) -> Network:
    """Every layer's weights started as `init` says, and the biases as `bias_init` says when it is given."""
    changed = []
    for group in groups(network):
        starts: dict[str, Any] = {"init": init} if bias_init is None else {"init": init, "bias_init": bias_init}
        changed.append(replace(group, weighted=replace(group.weighted, **starts)))
    return _rebuilt(network, changed)


def with_bias_init(network: Network, bias_init: str = "zeros") -> Network:
    """Every layer's biases started as `bias_init` says."""
    return _rebuilt(network, [replace(g, weighted=replace(g.weighted, bias_init=bias_init)) for g in groups(network)])


def wider(network: Network, least: int) -> Network:
    """Every hidden layer with at least so many units (of a layer of pictures: a quarter of them in maps, rounded up)."""
    changed = []
    for group in hidden(network):
        wanted = least if isinstance(group.weighted, Dense) else -(-least // FEWEST_MAPS)
        changed.append(_widened(group, max(group.width, wanted)))
    return _rebuilt(network, [*changed, output(network)])


def shallower(network: Network, hidden_layers: int = 2) -> Network:
    """At most so many hidden dense layers: the first ones stay. Of layers of pictures as many stay, if sizes allow.

    A layer that a pool or Flatten follows always stays. Returns the network itself when nothing can go.
    """
    dense, pictures = 0, 0
    kept, of_pictures_kept = [], []
    for group in hidden(network):
        structural = any(not isinstance(f, Activation | BatchNorm | Dropout) for f in group.following)
        if isinstance(group.weighted, Dense):
            dense += 1
            stays = dense <= hidden_layers or structural
            of_pictures_kept += [group] if stays else []
        else:
            pictures += 1
            stays = pictures <= hidden_layers or structural
            of_pictures_kept.append(group)
        kept += [group] if stays else []
    for few in (kept, of_pictures_kept):
        try:
            return _rebuilt(network, [*few, output(network)])
        except GlassnetError:  # the maps would have sizes that a pool does not cover
            continue
    return network


def deeper(network: Network, units: int = 32, activation: str = "relu") -> Network:
    """One hidden dense layer more, before the output."""
    last = output(network)
    if isinstance(last.weighted, Conv2D):
        return network
    extra = Group(last.number, Dense(units, activation), ())
    return _rebuilt(network, [*hidden(network), extra, last])


def with_dropout(network: Network, rate: float) -> Network:
    """Every dropout at most this rate; 0 leaves dropout out."""
    layers: list[Layer] = []
    for layer in network.layers:
        if isinstance(layer, Dropout):
            if rate > 0:
                layers.append(replace(layer, rate=min(layer.rate, rate)))
        else:
            layers.append(layer)
    return Network(network.input_shape, *layers)


def without_dropout(network: Network) -> Network:
    """The network without its Dropout layers."""
    return with_dropout(network, 0.0)


def with_batch_norm(network: Network) -> Network:
    """Batch normalisation between the sums and the activation of every hidden layer that has none."""
    changed = []
    for group in hidden(network):
        if not group.normalised:
            own = group.weighted.activation
            if activation_name(own) == "linear":
                group = replace(group, following=(BatchNorm(), *group.following))
            else:
                plain = replace(group.weighted, activation="linear")
                group = replace(group, weighted=plain, following=(BatchNorm(), Activation(own), *group.following))
        changed.append(group)
    return _rebuilt(network, [*changed, output(network)])


def without_batch_norm(network: Network) -> Network:
    """The network without its BatchNorm layers."""
    return Network(network.input_shape, *(layer for layer in network.layers if not isinstance(layer, BatchNorm)))


def healthy(network: Network, width: int = 32) -> Network:
    """A network that trains well, with the inputs and output of this one: two hidden relu layers with He's start.

    Of a network of pictures its own layers are kept, with relu, wide enough and without dropout.
    """
    plain = without_dropout(network)
    plain = wider(with_init(with_hidden_activation(shallower(plain, 2), "relu"), "auto", "zeros"), width)
    if depth(plain) < 3 and not any(isinstance(layer, Conv2D) for layer in plain.layers):
        last = output(plain)
        before: list[Layer] = [Flatten()] if len(network.input_shape) == 3 else []
        return Network(network.input_shape, *before, Dense(width, "relu"), Dense(width, "relu"), *last.layers)
    return plain


# What changed, in words.


def network_change(before: Network, after: Network, said: str | None = None) -> Change:
    """The change from one network to another, with its words made from what differs.

    Weights that were given start anew too.
    """
    return Change(said or difference(before, after), {"network": after, "initial_parameters": None})


def difference(before: Network, after: Network) -> str:
    """What differs, as a diff: "layers 1 to 8: sigmoid → relu, init normal(0.01) → auto"."""
    old, new = groups(before), groups(after)
    if len(old) != len(new):
        return f"{len(old)} layers → {len(new)}: {after}"
    each: list[tuple[int, str]] = []
    for a, b in zip(old, new, strict=True):
        parts = []
        if a.width != b.width:
            what = "units" if isinstance(b.weighted, Dense) else "maps"
            parts.append(f"{a.width} → {b.width} {what}")
        if a.activation != b.activation:
            parts.append(f"{a.activation} → {b.activation}")
        if a.weighted.init != b.weighted.init:
            parts.append(f"init {a.weighted.init} → {b.weighted.init}")
        if a.weighted.bias_init != b.weighted.bias_init:
            parts.append(f"bias init {a.weighted.bias_init} → {b.weighted.bias_init}")
        if a.dropout != b.dropout:
            parts.append(f"dropout {a.dropout:g} → {b.dropout:g}")
        if a.normalised != b.normalised:
            parts.append("BatchNorm before each activation" if b.normalised else "without BatchNorm")
        if parts:
            each.append((a.number, ", ".join(parts)))
    if not each:
        return OWN_START if before == after else str(after)
    return "; ".join(_numbered(each, len(old)))


def _numbered(each: list[tuple[int, str]], last: int) -> list[str]:
    """Equal changes of neighbouring layers said once."""
    said: list[str] = []
    first = 0
    for i, (number, words) in enumerate(each):
        if i + 1 < len(each) and each[i + 1] == (number + 1, words):
            continue
        start, first = each[first][0], i + 1
        if start == number:
            said.append(f"{'output layer' if number == last and last > 1 else f'layer {number}'}: {words}")
        else:
            said.append(f"layers {start} to {number}: {words}")
    return said
