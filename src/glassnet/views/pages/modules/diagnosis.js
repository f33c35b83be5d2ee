// The page of a diagnosis: the cost curve with the epochs of its findings, and notes unfolded for the printer.

import { Chart } from "#chart";

const data = JSON.parse(document.getElementById("data-diagnosis").textContent);
for (const spec of data.charts) new Chart(document.getElementById(`chart-${spec.id}`), spec);

const folded = [];
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details:not([open])")) {
    folded.push(part);
    part.open = true;
  }
});
addEventListener("afterprint", () => {
  for (const part of folded.splice(0)) part.open = false;
});
