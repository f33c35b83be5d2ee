// The page of a run: its film, its curves, and a light copy of both for the printer.

import { Chart, PointChart } from "#chart";
import { Film } from "#film";
import { readableFormulas } from "#formulas";

readableFormulas();

const data = JSON.parse(document.getElementById("data-report").textContent);

for (const spec of data.charts) new Chart(document.getElementById(`chart-${spec.id}`), spec);
for (const spec of data.points) new PointChart(document.getElementById(`chart-${spec.id}`), spec);

const root = document.getElementById("film");
const film = root && data.film ? new Film(root, data.film) : null;
if (root) root.hidden = !film;

// Paper is white, whatever the screen is; and what is folded up cannot be opened on it.
const folded = [];
const page = document.documentElement;
let theme;
addEventListener("beforeprint", () => {
  theme = page.dataset.theme;
  page.dataset.theme = "light";
  film?.redraw();
  for (const part of document.querySelectorAll("details:not([open])")) {
    folded.push(part);
    part.open = true;
  }
});
addEventListener("afterprint", () => {
  if (theme === undefined) delete page.dataset.theme;
  else page.dataset.theme = theme;
  film?.redraw();
  for (const part of folded.splice(0)) part.open = false;
});
