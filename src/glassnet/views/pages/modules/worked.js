// The sum of an entry, written out; every number in it knows its cell.

import { format } from "#arrays";
import { lettersAt, placeOf as indicesOf } from "#entries";
import { entryName } from "#walk";

export function note(text) {
  const made = document.createElement("p");
  made.className = "given";
  made.textContent = text;
  return made;
}

/**
 * The paragraph `Z1[0, 2] = 0.31·1 + 0.82·0 + 0.1 = 0.41`.
 * line: what is shown; place: of the entry; arrays: name → numbers; writer: `Numbers`; sample: whose terms stand out, or null.
 */
export function sum({ line, place, arrays, writer, sample }) {
  const made = document.createElement("p");
  made.className = "sum";
  const exact = (name, at) => format(arrays[name].at(...at), 0, writer.single);
  const left = document.createElement("span");
  left.className = "left";
  left.textContent = `${entryName(line.name, place)} ${line.phase === "update" ? "←" : "="} `;
  made.append(left);
  for (const piece of writer.written(line.entry, lettersAt(line.letters, place))) {
    if (typeof piece === "string") {
      made.append(piece);
      continue;
    }
    const span = document.createElement("span");
    span.className = "source";
    if (sample !== null && arrays[piece.name].samples && piece.place[0] === sample) span.classList.add("sample");
    span.textContent = piece.text;
    span.title = `${entryName(piece.name, piece.place)} = ${exact(piece.name, piece.place)}`;
    span.dataset.array = piece.name;
    span.dataset.at = piece.place.join();
    made.append(span);
  }
  const result = document.createElement("strong");
  result.className = "current";
  result.textContent = format(arrays[line.value].at(...place), writer.digits, writer.single);
  result.title = exact(line.value, place);
  made.append(" = ", result);
  return made;
}

/** What must be said below the sum, as sentences. */
export function remarks({ line, place, arrays, writer, step }) {
  const found = [];
  if (line.entry.kind === "whole") {
    found.push("No entry of this line stands alone: its matrices as a whole give it.");
  } else if (usesWhole(line.entry)) {
    found.push("A part of this line is given by whole matrices, and is written by its name.");
  }
  found.push(...moved(line, place));
  const missing = step.batch_size - step.samples.length;
  if (missing && sumsOverSamples(line.entry)) {
    const samples = missing === 1 ? "1 sample of the batch is" : `${missing} of the batch's ${step.batch_size} samples are`;
    found.push(`${samples} not on this page; the result is that of all ${step.batch_size}.`);
  }
  const before = arrays[line.name];
  if (line.phase === "update" && line.value !== line.name && before) {
    const written = (name) => format(arrays[name].at(...place), writer.digits, writer.single);
    found.push(`${entryName(line.name, place)} was ${written(line.name)} before the step and is ${written(line.value)} after it.`);
  }
  return found;
}

/** Of an entry that only moves, from a map into a row or back: where it comes from, in words. */
function moved(line, place) {
  const { kind, name, at } = line.entry;
  if (kind !== "cell" || !at.some((index) => typeof index === "object")) return [];
  const from = indicesOf(at, lettersAt(line.letters, place));
  const where = from.length === 4 ? `channel ${from[1]}, row ${from[2]}, column ${from[3]} of ${name}` : `number ${from[1]} of the row in ${name}`;
  return [`It is ${entryName(name, from)}: ${where}.`];
}

function parts(form) {
  return [form.left, form.right, form.inner, ...(form.arguments ?? [])].filter(Boolean);
}

function sumsOverSamples(form) {
  return form.over?.includes?.("m") || parts(form).some(sumsOverSamples);
}

function usesWhole(form) {
  return form.kind === "whole" || parts(form).some(usesWhole);
}

/** The names of the arrays that a line reads, in reading order; those in a piece that no entry explains are found in its text. */
export function readNames(form, known = []) {
  if (form.kind === "cell" || form.kind === "chosen") return [form.name];
  if (form.kind === "whole") {
    const names = form.text.match(/[\p{L}_][\p{L}\d_]*/gu) ?? [];
    return names.map((name) => (known.includes(name) ? name : `${name}.after`)).filter((name) => known.includes(name));
  }
  return parts(form).flatMap((part) => readNames(part, known));
}

/** The named constants that a line reads: [name, value] each, such as β₁. */
export function constants(form) {
  const found = form.kind === "number" && form.name ? [[form.name, form.value]] : [];
  return [...new Map([...found, ...parts(form).flatMap(constants)])];
}
