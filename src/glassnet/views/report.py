"""The report of a run: one self-contained page that a person can send to a colleague."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glassnet.errors import GlassnetError, RunError
from glassnet.views import diagnosis_page as diagnoses
from glassnet.views import report_judgement as judgement
from glassnet.views import report_words as words
from glassnet.views.report_charts import charts, film_charts
from glassnet.views.report_equations import equations
from glassnet.views.report_film import film
from glassnet.views.report_rows import Rows, Subject

if TYPE_CHECKING:
    from glassnet.training.run import Run

PLAIN = "plain regression"


def write_report(
    run: Run,
    path: str | Path,
    *,
    held_out: tuple[Any, Any] | None = None,
    rows: Sequence[int] | None = None,
    metrics: Mapping[str, Any] | None = None,
    baseline: str = PLAIN,
    verdict: str | None = None,
    title: str | None = None,
    diagnosis: Any = None,
) -> Path:
    """Write what was trained on what, its equations, how training went and how good it is as one HTML file.

        write_report(run, "report.html", held_out=(X_test, Y_test))

    Nothing in the page is fetched from anywhere; every number in it is the run's.

    Parameters
    ----------
    path : of the file
    held_out : (X, Y) that the run never saw, as the network takes them; it is judged by these rows
    rows : numbers of the held-out rows where they come from; 0, 1, 2, ... unless given
    metrics : what metrics.json holds; read from the run's folder unless given
    baseline : what the model of metrics["baseline"] is called
    verdict : a sentence on whether the network earns its complexity
    title : of the page; made from the target and the data unless given
    diagnosis : what `run.diagnose()` returned, or True to diagnose the run now; diagnosis.json of the run's folder unless
        given, and False to leave it out

    Returns
    -------
    the file

    Raises
    ------
    GlassnetError : no run, rows that do not fit the network
    RunError : the file cannot be written
    """
    from glassnet.training.files import write_bytes

    page = report_page(
        run, held_out=held_out, rows=rows, metrics=metrics, baseline=baseline, verdict=verdict, title=title,
        diagnosis=diagnosis,
    )  # fmt: skip
    place = Path(path)
    if place.is_dir():
        raise RunError(f"{place} is a folder; name a file for the report, such as {place / 'report.html'}.")
    write_bytes(place, page.encode())
    return place


def report_page(
    run: Run,
    *,
    held_out: tuple[Any, Any] | None = None,
    rows: Sequence[int] | None = None,
    metrics: Mapping[str, Any] | None = None,
    baseline: str = PLAIN,
    verdict: str | None = None,
    title: str | None = None,
    diagnosis: Any = None,
) -> str:
    """The page of `write_report`, as text."""
    from glassnet.training.run import Run
    from glassnet.views.pages import page

    if not isinstance(run, Run):
        raise GlassnetError(f"A report got {type(run).__name__}; it needs a run, such as gn.train(...) returns.")
    run.identify()
    found = _diagnosis(run, diagnosis)
    subject = Subject.of(run, held_out, rows)
    known = metrics if metrics is not None else judgement.kept_metrics(subject)
    columns = compared(subject, known, baseline)
    moving = film(subject)
    curves = charts(subject, moving)
    if found is not None:
        curves = [{**spec, "marks": diagnoses.marks(found)} if spec["id"] == "cost" else spec for spec in curves]
    judged = subject.judged
    points = [] if judged is None else _points(subject, judged)
    data: dict[str, Any] = {"charts": curves, "points": points, "film": None}
    if moving is not None:
        measured = moving.pop("arrays")
        data["film"] = {**moving, "charts": film_charts(subject, {**moving, "arrays": measured})}
    made = title or words.title(run)
    return page(
        "report",
        title=made,
        data={"report": data},
        modules=("report",),
        styles=("base", "report", *(() if found is None else ("diagnosis",))),
        heading=made,
        summary=words.summary(subject, columns, verdict),
        figures=words.figures(subject, columns),
        data_facts=words.data_facts(subject),
        features=words.features(run),
        notes=words.notes(run),
        without_data=subject.without_data,
        film=data["film"],
        readouts=_readouts(subject, moving),
        scene=_scene(subject, moving),
        training_facts=words.training_facts(subject),
        charts=[{"id": spec["id"], "title": spec["title"]} for spec in curves],
        diagnosis=None if found is None else diagnoses.section(found),
        verdict=verdict,
        metrics=judgement.table(columns) if columns else None,
        judged=None if judged is None else judged.name,
        task=subject.task,
        confusion=None if judged is None else judgement.confusion(subject, judged),
        mistakes=None if judged is None else judgement.mistakes(subject, judged),
        points=[{"id": spec["id"], "title": spec["title"]} for spec in points],
        equations=equations(run.derivation),
        settings=words.settings_facts(run),
    )


def _diagnosis(run: Run, asked: Any) -> Mapping[str, Any] | None:
    """What the diagnosis of a run says; None when there is none to show."""
    if asked is None or asked is False:
        return diagnoses.kept_diagnosis(run) if asked is None else None
    if asked is True:
        from glassnet.diagnosis import diagnose_run

        return diagnoses.plain_diagnosis(diagnose_run(run))
    return diagnoses.plain_diagnosis(asked)


def compared(subject: Subject, known: Mapping[str, Any] | None, baseline: str) -> dict[str, dict[str, Any]]:
    """The network on all rows at hand, and the plain models on the rows it is judged by: name → metrics.

    The columns of these last rows carry "judged".
    """
    kept = known or {}
    found: dict[str, dict[str, Any]] = {}
    where = subject.judged
    for rows in subject.present:
        found[f"network, {rows.name} rows"] = {**judgement.judged(subject, rows), "judged": rows is where}
    for key, name in (("train", "training"), ("test", "held-out")):
        if kept.get(key) and f"network, {name} rows" not in found:
            if name == "held-out":  # rows that are not at hand judge it all the same
                found = {column: {**m, "judged": False} for column, m in found.items()}
            found[f"network, {name} rows"] = {**kept[key], "judged": name == "held-out" or where is None}
    beside = (kept.get("baseline") or {}).get("test")
    if beside:
        found[f"{baseline}, held-out rows"] = {
            **beside,
            "judged": bool(found.get("network, held-out rows", {}).get("judged")),
        }
    plain = None if where is None else judgement.plainest(subject, where)
    if plain is not None and where is not None:
        same = found[f"network, {where.name} rows"]["judged"]
        found[f"{plain[0]}, {where.name} rows"] = {**plain[1], "judged": same}
    return found


def _readouts(subject: Subject, moving: dict[str, Any] | None) -> list[dict[str, str]]:
    """What the film writes out of each state: the column's name, and how it is called."""
    if moving is None:
        return []
    metric = {"r2": "R²"}.get(subject.metric, subject.metric)
    found = [{"column": "iteration", "said": "iteration"}, {"column": "epoch", "said": "epochs done"}]
    for prefix, rows in (("", "training"), ("validation_", "validation"), ("held_out_", "held-out")):
        for column, name in (("cost", "cost"), (subject.metric, metric)):
            if prefix + column in moving["measured"]:
                found.append({"column": prefix + column, "said": f"{name}, {rows} rows"})
    return found


def _scene(subject: Subject, moving: dict[str, Any] | None) -> dict[str, str] | None:
    """The heading of the scene, and what must be said about it."""
    scene = None if moving is None else moving["scene"]
    if scene is None:
        return None
    shown = len(scene.get("rows", ()))
    count = scene.get("count", 0)
    some = f"{shown:,} of the {count:,} rows trained on" if shown < count else f"the {count:,} rows trained on"
    if scene["kind"] == "pictures":
        beside = ", the channels of each filter side by side" if scene["channels"] > 1 else ""
        what = "units" if scene["channels"] == 0 else "filters"
        return {
            "title": f"What the first {what} look for", "said": f"{scene['name']}{beside}, one scale for the whole film.",
        }  # fmt: skip
    if scene["kind"] == "matrix":
        return {"title": "Which class is taken for which", "said": ""}
    if scene["kind"] == "scatter":
        return {"title": "Predicted against true", "said": f"Drawn: {some}."}
    if scene["kind"] == "curve":
        return {"title": "What it answers", "said": f"Drawn: {some}."}
    title = "What it predicts where" if subject.task == "regression" else "The decision boundary"
    if scene["slice"] is None:
        return {"title": title, "said": f"Drawn: {some}."}
    return {
        "title": f"{title}, in a plane",
        "said": f"The {math.prod(subject.run.network.input_shape)} inputs are drawn in the plane of their first two principal "
        f"components, which hold {100 * scene['slice']:.0f} % of their variance; the shading is what the network answers on "
        "that plane. "
        f"Drawn: {some}.",
    }


def _points(subject: Subject, rows: Rows) -> list[dict[str, Any]]:
    """Predicted against true, and the residuals, of every output that is shown."""
    from glassnet.views.pages import numbers

    found = []
    for place, one in enumerate(judgement.scatter(subject, rows)):
        name, true, predicted = one["name"], one["true"], one["predicted"]
        found.append({
            "id": f"true-{place}", "title": f"Predicted against true {name}", "rows": one["rows"], "diagonal": True,
            "x": {"label": f"true {name}", "name": "true", "values": numbers(true)},
            "y": {"label": f"predicted {name}", "name": "predicted", "values": numbers(predicted)},
        })  # fmt: skip
        found.append({
            "id": f"residual-{place}", "title": f"Residuals of {name}", "rows": one["rows"], "diagonal": False,
            "x": {"label": f"predicted {name}", "name": "predicted", "values": numbers(predicted)},
            "y": {"label": "true − predicted", "name": "residual", "values": numbers(np.subtract(true, predicted))},
        })  # fmt: skip
    return found
