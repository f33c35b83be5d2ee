"""The options of `glassnet train` as one request, checked as far as they can be without data."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from glassnet.cli.experiment import Request
from glassnet.errors import GlassnetError

if TYPE_CHECKING:
    from glassnet.data import PictureOptions
    from glassnet.training.augmentation import Augmentation

WATCHED_SHARE = "0.1"
INSTEAD_OF_NETWORK = ("hidden", "activation", "output", "dropout", "batch_norm", "init")
WITH_RESUME = {
    "data", "target", "resume", "epochs", "max_seconds", "out", "overwrite", "baseline", "plots", "quiet", "as_json",
    "skip_damaged", "early_stopping", "diagnose",
}  # fmt: skip


def refuse_settings(ctx: typer.Context) -> None:
    """A resumed training keeps its settings: name the options that would change them."""
    given = []
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(str(parameter.name))
        if parameter.name not in WITH_RESUME and source is not None and source.name == "COMMANDLINE":
            given.append(parameter.opts[0])
    if given:
        raise GlassnetError(
            f"--resume goes on with the run's own settings; leave out {', '.join(given)}, or start a new training."
        )


def refuse_both(ctx: typer.Context, network: str | None) -> None:
    """--network says the whole network: name the options that would say a part of it again."""
    if network is None:
        return
    given = []
    for parameter in ctx.command.params:
        source = ctx.get_parameter_source(str(parameter.name))
        if parameter.name in INSTEAD_OF_NETWORK and source is not None and source.name == "COMMANDLINE":
            given.append(parameter.opts[0])
    if given:
        raise GlassnetError(f"--network says the whole network; leave out {', '.join(given)}, or leave --network out.")


def picture_options(size: str | None, fit: str, grey: bool | None, skip_damaged: bool) -> PictureOptions:
    """How pictures are to be read."""
    from glassnet.data import PictureOptions

    wanted = None
    if size is not None:
        found = re.fullmatch(r"\s*(\d+)(?:\s*[x×,]\s*(\d+))?\s*", size)
        if not found or int(found[1]) < 1 or found[2] == "0":
            raise GlassnetError(f"--image-size got '{size}'; it needs a number of pixels such as 32, or HEIGHTxWIDTH.")
        wanted = (int(found[1]), int(found[2] or found[1]))
    channels: int | str = "auto" if grey is None else 1 if grey else 3
    return PictureOptions(wanted, channels, fit, "skip" if skip_damaged else "error")


CHANGES = ("shift", "flip", "rotate", "scale", "noise", "fill")


def augmentation_of(text: str | None) -> Augmentation | None:
    """ "shift 2, flip, rotate 10" as a `gn.Augmentation`.

    Raises
    ------
    GlassnetError : an unknown change, or a value that it cannot use
    """
    from glassnet.errors import unknown_name
    from glassnet.training.augmentation import Augmentation

    if text is None:
        return None
    found: dict[str, Any] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition(" ")
        if name not in CHANGES:
            raise GlassnetError(unknown_name("change of pictures", name, CHANGES))
        value = value.strip() or ("horizontal" if name == "flip" else "")
        try:
            number = float(value)
            found[name] = int(number) if number.is_integer() else number
        except ValueError:
            if not (name == "flip" or (name == "fill" and value == "edge")):
                raise GlassnetError(
                    f"--augment got '{part.strip()}'; {name} needs a number, as in 'shift 2, flip, rotate 10, noise 0.05'."
                ) from None
            found[name] = value
    return Augmentation(**found)


def request_of(
    data: str | None,
    target: str | None,
    out: str | None,
    overwrite: bool,
    split_seed: int,
    features: str | None,
    drop: str | None,
    delimiter: str | None,
    no_header: bool | None,
    unseen: str | None,
    test: str | None,
    test_data: str | None,
    test_target: str | None,
    validation: str,
    early_stopping: int | None,
    *,
    pictures: PictureOptions,
    plan: dict[str, Any],
    training: dict[str, Any],
) -> Request:
    """The options, checked as far as they can be without data."""
    from glassnet.cli.folders import try_folder
    from glassnet.cli.plan import Plan, hidden_units, recorded
    from glassnet.data.preparation import UNSEEN
    from glassnet.errors import unknown_name
    from glassnet.training import EarlyStopping

    if data is None:
        raise GlassnetError(
            "What is the network to learn from? Give DATA, a file or a name such as iris, or --resume RUN."
        )
    if test is not None and test_data is not None:
        raise GlassnetError("--test and --test-data both say what to judge by; give one of them.")
    if test_target is not None and test_data is None:
        raise GlassnetError("--test-target got labels without samples; give --test-data too.")
    if unseen is not None and unseen not in UNSEEN:
        raise GlassnetError(unknown_name("policy for unseen categories", unseen, UNSEEN))
    if early_stopping is not None:
        EarlyStopping(patience=early_stopping)
    checked = Plan(**{**plan, "hidden": hidden_units(plan["hidden"])})
    place = None if out is None else Path(out)
    if place is not None:
        try_folder(place, overwrite)
    return Request(
        checked, data, target, place, _listed(features), _listed(drop) or [], delimiter, no_header, unseen, test,
        test_data, test_target, validation or (WATCHED_SHARE if early_stopping else "0"), early_stopping, split_seed,
        pictures, {**training, "record": recorded(training["record"])},
    )  # fmt: skip


def _listed(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(",") if part.strip()]
