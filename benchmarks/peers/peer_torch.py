"""torch: the loop of its tutorials, eager; with the model and its loss compiled; or with images whose channels stand last."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.peers import Trainer
from benchmarks.workloads import Parameters, Problem


class Loop:
    """`zero_grad`, `backward`, `step`, for each batch."""

    def __init__(self, problem: Problem, variant: str) -> None:
        import torch
        from torch import nn

        torch.set_num_threads(2)
        w = problem.workload
        hidden = {"tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "relu": nn.ReLU}
        kind = getattr(torch, w.dtype)
        parts: list[nn.Module] = []
        for stage, (channels, _, _) in zip(w.stages, w.inputs, strict=False):
            parts += [nn.Conv2d(channels, stage.filters, stage.kernel, padding=stage.padding, dtype=kind)]
            parts += [hidden[w.activation](), nn.MaxPool2d(stage.pool)]
        if w.stages:
            parts.append(nn.Flatten())
        for n_in, n_out in zip(w.widths, w.widths[1:], strict=False):
            parts += [nn.Linear(n_in, n_out, dtype=kind)]
            if sum(isinstance(part, nn.Linear) for part in parts) < len(w.widths) - 1:
                parts.append(hidden[w.activation]())
        self.torch, self.w, self.start = torch, w, problem.start
        self.model = nn.Sequential(*parts)
        self.layers = [part for part in parts if isinstance(part, nn.Conv2d | nn.Linear)]
        self.X = torch.from_numpy(problem.X)
        if variant == "channels_last":
            self.model = self.model.to(memory_format=torch.channels_last)
            self.X = self.X.to(memory_format=torch.channels_last)
        if w.output == "sigmoid":
            self.Y, criterion = torch.from_numpy(problem.targets), nn.BCEWithLogitsLoss()
        else:
            self.Y, criterion = torch.from_numpy(problem.labels), nn.CrossEntropyLoss()
        self.steps = [s if isinstance(s, slice) else torch.from_numpy(s) for s in problem.rows_of_steps()]
        model = self.model

        def loss(X: Any, Y: Any) -> Any:
            return criterion(model(X), Y)

        self.loss = torch.compile(loss) if variant == "compile" else loss

    def run(self) -> None:
        torch, w = self.torch, self.w
        with torch.no_grad():
            for layer, (W, b) in zip(self.layers, self.start, strict=True):
                layer.weight.copy_(torch.from_numpy(turned(W)))
                layer.bias.copy_(torch.from_numpy(b))
        make = torch.optim.SGD if w.rule == "sgd" else torch.optim.Adam
        optimizer = make(self.model.parameters(), lr=w.rate)
        loss, X, Y = self.loss, self.X, self.Y
        for rows in self.steps:
            optimizer.zero_grad()
            loss(X[rows], Y[rows]).backward()
            optimizer.step()

    def parameters(self) -> Parameters:
        return [(turned(p.weight.detach().numpy()), np.array(p.bias.detach().numpy())) for p in self.layers]

    def facts(self) -> dict[str, Any]:
        return {"threads": self.torch.get_num_threads()}


def turned(W: np.ndarray) -> np.ndarray:
    """A copy as torch has it, and back: weights of dense layers are (n_out, n_in) there, filters are as here."""
    return np.array(W.T if W.ndim == 2 else W, order="C")


def prepare(problem: Problem, variant: str) -> Trainer:
    return Loop(problem, variant)
