// Reads a payload on standard input; writes every line's first entries as the page writes them, for the tests in Python.

import { decode } from "../../src/glassnet/views/pages/modules/arrays.js";
import { Numbers, lettersAt } from "../../src/glassnet/views/pages/modules/entries.js";

let text = "";
for await (const part of process.stdin) text += part;
const { step, places, digits, most } = JSON.parse(text);
const arrays = Object.fromEntries(Object.entries(step.arrays).map(([name, array]) => [name, decode(array)]));
const numbers = new Numbers({
  value: (name, place) => arrays[name].at(...place),
  extents: { m: step.samples.length },
  missing: step.batch_size - step.samples.length,
  digits,
  most,
});
const lines = Object.fromEntries(step.lines.map((line) => [line.name, line]));
console.log(JSON.stringify(places.map(([name, place]) => numbers.text(lines[name].entry, lettersAt(lines[name].letters, place)))));
