"""A target's encoding as values JSON can hold, and back."""

from __future__ import annotations

from typing import Any

from glassnet.data.targets import ClassTarget, NumberTarget, Target


def target_to_dict(target: Target) -> dict[str, Any]:
    if isinstance(target, ClassTarget):
        return {"kind": "classes", "name": target.name, "task": target.task, "classes": list(target.classes)}
    return {
        "kind": "number", "name": target.name, "task": target.task, "mean": target.mean, "std": target.std,
    }  # fmt: skip


def target_from_dict(d: dict[str, Any]) -> Target:
    if d["kind"] == "classes":
        return ClassTarget(d["name"], tuple(d["classes"]))
    return NumberTarget(d["name"], d["mean"], d["std"])
