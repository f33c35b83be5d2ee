// A window that slides over a picture: which numbers lie under it for one entry, and what lies on the padding.

import { chosen, indexOf, isPlace, lettersAt, placeOf } from "#entries";

/** The pieces of a product, in order. */
function factors(form) {
  return form.kind === "infix" && form.operator === "·" ? [...factors(form.left), ...factors(form.right)] : [form];
}

function within(form) {
  return [form.left, form.right, form.inner, ...(form.arguments ?? [])].filter(Boolean);
}

/** How often a letter counts in an index: 2 in 2u + r − 1, 0 where it does not stand. */
function weight(index, letter) {
  if (typeof index === "object" && "terms" in index) return index.terms.find(([name]) => name === letter)?.[1] ?? 0;
  return index === letter ? 1 : 0;
}

/**
 * The sum, mean or largest in a form that runs over rows and columns of a picture, and its letters for these:
 * { node, cells, row, column }; null where there is none.
 */
export function slidingSum(form) {
  if (["sum", "mean", "max"].includes(form.kind)) {
    const cells = factors(form.inner);
    const pictures = cells.filter((cell) => cell.kind === "cell" && cell.at.length === 4);
    if (pictures.length && cells.every((cell) => cell.kind === "cell" || cell.kind === "chosen")) {
      const runs = (axis) => form.letters.find((letter) => pictures.some((cell) => weight(cell.at[axis], letter))) ?? null;
      const [row, column] = [runs(2), runs(3)];
      if (row || column || pictures.length > 1) return { node: form, cells, row, column };
    }
  }
  for (const part of within(form)) {
    const found = slidingSum(part);
    if (found) return found;
  }
  return null;
}

/** Why an entry does not exist: it lies outside its array ("padding"), or between two of its entries ("gap"); "" where it does. */
function reason(cell, place) {
  if (isPlace(place, cell.bounds)) return "";
  return place.every(Number.isInteger) ? "padding" : "gap";
}

/**
 * What the entry at `place` of a line is made of, as windows of numbers; null where the line slides none.
 *
 * `planes` holds one for each channel (or sample, or filter) that is summed over: { letters, factors, products, part }, where a factor
 * has `name`, and `cells` by row and column: { place, value, reason }. `products` is null where a term is left out. What is read backwards
 * (`flipped`: rows, columns) is listed in the order in which the first factor's rows and columns rise.
 */
export function windowsOf(line, place, numbers) {
  const sum = slidingSum(line.entry);
  if (!sum) return null;
  const { node, cells, row, column } = sum;
  const at = lettersAt(line.letters, place);
  const side = (letter) => (letter ? numbers.side(node.over[node.letters.indexOf(letter)]) : 1);
  const lead = cells.find((cell) => cell.kind === "cell" && cell.at.length === 4);
  const flipped = [row, column].map((letter, axis) => weight(lead.at[axis + 2], letter) < 0);
  const places = [row, column].map((letter, axis) => {
    const found = Array.from({ length: side(letter) }, (_, k) => k);
    return flipped[axis] ? found.reverse() : found;
  });
  const others = node.letters.filter((letter) => letter !== row && letter !== column);
  const planes = combinations(others, others.map(side)).map((letters) => {
    const there = { ...at, ...letters };
    return plane({ cells, row, column, places, there, letters, kind: node.kind, numbers });
  });
  const count = planes.length * places[0].length * places[1].length;
  const left = { padding: 0, gap: 0 };
  for (const one of planes) for (const why of one.left) left[why] += 1;
  const routes = cells.some((cell) => cell.kind === "chosen") ? routesOf(cells, row, column, places, at, numbers) : null;
  return { kind: node.kind, node, row, column, places, flipped, others, planes, count, left, kept: count - left.padding - left.gap, routes };
}

/**
 * For each window of a max pool that holds an entry: its numbers (`cells`), which of them is the largest (`winner`), whether that is the
 * entry itself (`leads`), and the slope that comes back through the window, with where it stands (`from`).
 */
function routesOf(cells, row, column, places, at, numbers) {
  const pick = cells.find((cell) => cell.kind === "chosen");
  const source = cells.find((cell) => cell.kind === "cell");
  const spots = places[0].flatMap((r) => places[1].map((c) => ({ ...at, ...(row && { [row]: r }), ...(column && { [column]: c }) })));
  return spots.filter((spot) => isPlace(placeOf(source.at, spot), source.bounds)).map((spot) => {
    const own = placeOf(pick.at, spot);
    const corner = placeOf(pick.window, spot).map((index, axis) => index * pick.stride[axis]);
    const leads = (place) => chosen({ ...pick, at: place }, spot, numbers.value) === 1;
    const window = Array.from({ length: pick.size[0] }, (_, r) => Array.from({ length: pick.size[1] }, (__, c) => {
      const place = [own[0], own[1], corner[0] + r, corner[1] + c];
      return { place, value: numbers.value(pick.name, place), reason: "" };
    }));
    const winner = window.flatMap((line, r) => line.map((cell, c) => [r, c])).find(([r, c]) => leads(window[r][c].place)) ?? null;
    const from = { name: source.name, place: placeOf(source.at, spot) };
    return { name: pick.name, own, cells: window, winner, leads: leads(own), from, slope: numbers.value(from.name, from.place) };
  });
}

function combinations(letters, sides) {
  return letters.reduce(
    (found, letter, axis) => found.flatMap((one) => Array.from({ length: sides[axis] }, (_, k) => ({ ...one, [letter]: k }))),
    [{}],
  );
}

function plane({ cells, row, column, places, there, letters, kind, numbers }) {
  const own = cells.map((cell) => ({ name: cell.name, cell, cells: [] }));
  const products = [];
  const left = [];
  let part = kind === "max" ? -Infinity : 0;
  let winner = null;
  for (const r of places[0]) {
    const line = [];
    for (const factor of own) factor.cells.push([]);
    for (const c of places[1]) {
      const spot = { ...there, ...(row && { [row]: r }), ...(column && { [column]: c }) };
      const found = own.map(({ cell }) => entryAt(cell, spot));
      const why = found.map((entry) => entry.reason).find(Boolean) ?? "";
      own.forEach((factor, k) => factor.cells.at(-1).push(valued(found[k], factor.cell, spot, numbers, why)));
      if (why) {
        left.push(why);
        line.push(null);
        continue;
      }
      const product = own.reduce((result, factor) => result * factor.cells.at(-1).at(-1).value, 1);
      line.push(product);
      if (kind !== "max") part += product;
      else if (product > part || winner === null) [part, winner] = [product, [products.length, line.length - 1]];
    }
    products.push(line);
  }
  return { letters, factors: own.map(({ cell, ...factor }) => factor), products, left, part, winner };
}

function entryAt(cell, spot) {
  const place = placeOf(cell.at, spot);
  return { place, reason: cell.kind === "chosen" ? "" : reason(cell, place) };
}

function valued(entry, cell, spot, numbers, why) {
  if (entry.reason || (cell.kind === "chosen" && why)) return { ...entry, value: null };
  const value = cell.kind === "chosen" ? chosen(cell, spot, numbers.value) : numbers.value(cell.name, entry.place);
  return { ...entry, value };
}

/** Of a factor in a plane, the smallest box about its entries, those on the padding too: { lead, box: [row, column, rows, columns] }. */
export function boxOf(factor) {
  const places = factor.cells.flat().filter(({ reason: why }) => why !== "gap").map(({ place }) => place);
  if (!places.length || places[0].length !== 4) return null;
  const [top, left] = [2, 3].map((axis) => Math.min(...places.map((place) => place[axis])));
  const [bottom, right] = [2, 3].map((axis) => Math.max(...places.map((place) => place[axis])));
  return { lead: places[0].slice(0, 2), box: [top, left, bottom - top + 1, right - left + 1] };
}

/** Where the windows of an entry lie on the pictures, the padding included: name → lead → [row, column, rows, columns]. */
export function boxesOf(windows) {
  const found = new Map();
  const factors = windows?.routes ?? windows?.planes.flatMap((plane) => plane.factors) ?? [];
  for (const factor of factors) {
    const there = boxOf(factor);
    if (!there) continue;
    if (!found.has(factor.name)) found.set(factor.name, new Map());
    found.get(factor.name).set(there.lead.join(), there.box);
  }
  return found;
}

/**
 * How far a line reads beyond the edge of each array, over all of its entries: name → [above, below, left, right].
 * shape: of what the line gives, with numbers for the samples.
 */
export function paddingOf(line, shape, numbers) {
  const sum = slidingSum(line.entry);
  if (!sum) return {};
  const sides = Object.fromEntries([
    ...line.letters.map((letter, axis) => [letter, shape[axis]]),
    ...sum.node.letters.map((letter, k) => [letter, numbers.side(sum.node.over[k])]),
  ]);
  const found = {};
  for (const cell of sum.cells) {
    if (cell.kind !== "cell" || cell.at.length !== 4 || !cell.bounds) continue;
    found[cell.name] = [2, 3].flatMap((axis) => {
      const bound = cell.bounds[axis] ?? null;
      if (bound === null) return [0, 0];
      const [low, high] = reach(cell.at[axis], sides);
      return [Math.max(0, -Math.ceil(low)), Math.max(0, Math.floor(high) - bound + 1)];
    });
  }
  return found;
}

/** The least and the largest that an index comes to. */
function reach(index, sides) {
  if (typeof index !== "object" || !("terms" in index)) {
    const last = typeof index === "string" && index in sides ? sides[index] - 1 : indexOf(index, Object.fromEntries(Object.keys(sides).map((l) => [l, 0])));
    return [0, last];
  }
  let [low, high] = [index.offset, index.offset];
  for (const [letter, times] of index.terms) {
    const far = times * (sides[letter] - 1);
    if (far < 0) low += far;
    else high += far;
  }
  return [low / index.divisor, high / index.divisor];
}

/** What the letters that are summed over, besides rows and columns, stand for: ["channel"]. */
export function wordsOf(windows, arrays) {
  const [first] = factors(windows.node.inner);
  const words = [arrays[first.name].samples ? "sample" : "filter", "channel"];
  return windows.others.map((letter) => words[first.at.findIndex((index) => weight(index, letter))] ?? letter);
}

/** A plane in words: `channel 2`, `sample 0`; an empty text where there is but one. */
export function planeName(windows, plane, arrays) {
  const words = wordsOf(windows, arrays);
  return windows.others.map((letter, k) => `${words[k]} ${plane.letters[letter]}`).join(", ");
}

/** All planes in words: `6 channels`; an empty text where there is but one. */
export function planesName(windows, arrays) {
  const [word] = wordsOf(windows, arrays);
  return windows.planes.length > 1 ? `${windows.planes.length.toLocaleString("en")} ${windows.others.length > 1 ? "picture" : word}s` : "";
}

/** `In 6 channels: 90 of 150 products; the rest lies on the padding`. */
export function countSaid({ kind, count, kept, left, planes }, over = "") {
  const thing = planes[0].factors.length > 1 ? "product" : "number";
  const many = (n) => n.toLocaleString("en");
  const where = [left.padding && "on the padding", left.gap && "between the strides"].filter(Boolean).join(" or ");
  const all = kept === count ? `${many(count)} ${thing}${count === 1 ? "" : "s"}` : `${many(kept)} of ${many(count)} ${thing}s; the rest lies ${where}`;
  return `${over ? `In ${over}: ` : ""}${all}${kind === "max" ? "; the largest is taken" : ""}`;
}

/** The line's form with the planes' sums in place of their terms; `numbers` must give [name of PART, place] their values. */
export const PART = "part";

export function inParts(form, windows, numbers) {
  const { node, planes, count } = windows;
  if (form === node) {
    const inner = { kind: "cell", name: PART, at: [PART] };
    const missing = node.over.includes("m") ? numbers.missing : 0;
    const all = planes.length > 1 ? { kind: node.kind === "max" ? "max" : "sum", letters: [PART], over: [planes.length], inner } : { ...inner, at: [0] };
    const rest = { kind: "whole", text: `… ${missing.toLocaleString("en")} more samples …` };
    const sum = missing ? { kind: "infix", operator: "+", left: all, right: rest } : all;
    if (node.kind !== "mean") return sum;
    const samples = numbers.side("m");
    return { kind: "infix", operator: "/", left: sum, right: { kind: "number", value: missing ? (count / samples) * (samples + missing) : count } };
  }
  const replaced = { ...form };
  for (const side of ["left", "right", "inner"]) if (form[side]) replaced[side] = inParts(form[side], windows, numbers);
  if (form.arguments) replaced.arguments = form.arguments.map((part) => inParts(part, windows, numbers));
  return replaced;
}
