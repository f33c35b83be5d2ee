// How the step page moves about: the order of entries, windows that stay inside, pictures of large matrices, what is said of a line.

import assert from "node:assert/strict";
import test from "node:test";

import { Numbers } from "../../src/glassnet/views/pages/modules/entries.js";
import { kindOf } from "../../src/glassnet/views/pages/modules/arrays.js";
import { binned, extent, heat, partOf, pictureSize } from "../../src/glassnet/views/pages/modules/heat_map.js";
import { elided } from "../../src/glassnet/views/pages/modules/overview.js";
import { below, beside, count, entryName, further, numberOf, placeAt, placeOf, sides, spotOf } from "../../src/glassnet/views/pages/modules/walk.js";
import { following, resized, within } from "../../src/glassnet/views/pages/modules/windows.js";
import { constants, readNames, remarks } from "../../src/glassnet/views/pages/modules/worked.js";

const cell = (name, ...at) => ({ kind: "cell", name, at });
const infix = (left, operator, right) => ({ kind: "infix", operator, left, right });
const sum = (letter, over, inner, kind = "sum") => ({ kind, letters: [letter], over: [over], inner });

test("entries are read row by row, and a walk ends at the last one", () => {
  assert.deepEqual(further([0, 2], [2, 3], 1), [1, 0]);
  assert.deepEqual(further([1, 0], [2, 3], -1), [0, 2]);
  assert.equal(further([1, 2], [2, 3], 1), null);
  assert.equal(further([0, 0], [2, 3], -1), null);
  assert.equal(further([], [], 1), null);
  assert.deepEqual(further([3], [5], 1), [4]);
  assert.equal(count([]), 1);
  const shape = [4, 3, 2];
  for (let number = 0; number < 24; number += 1) assert.equal(numberOf(placeOf(number, shape), shape), number);
  assert.deepEqual(placeOf(11, shape), [1, 2, 1]); // 1·6 + 2·2 + 1
});

test("up and down stay in the column and inside", () => {
  assert.deepEqual(below([1, 2], [4, 3], 1), [2, 2]);
  assert.deepEqual(below([3, 2], [4, 3], 1), [3, 2]);
  assert.deepEqual(below([0, 2], [4, 3], -1), [0, 2]);
  assert.deepEqual(below([2], [3], 1), [2]);
  assert.deepEqual(below([0, 1, 2, 3], [4, 2, 5, 5], 1), [0, 1, 3, 3]); // a row down in its picture
  assert.deepEqual(below([0, 1, 4, 3], [4, 2, 5, 5], 1), [0, 1, 4, 3]);
  assert.deepEqual(beside([0, 1, 4, 3], [4, 2, 5, 5], 1, -9), [0, 0, 4, 3]);
});

test("a number, a row of units and a stack as rows and columns, there and back", () => {
  assert.deepEqual([sides([]), sides([3]), sides([2, 5]), sides([2, 3, 4])], [[1, 1], [1, 3], [2, 5], [2, 12]]);
  for (const [place, shape, spot] of [[[], [], [0, 0]], [[2], [3], [0, 2]], [[1, 4], [2, 5], [1, 4]], [[1, 2, 3], [2, 3, 4], [1, 11]]]) {
    assert.deepEqual(spotOf(place, shape), spot);
    assert.deepEqual(placeAt(...spot, shape), place);
  }
});

test("a window shows the place, moves no more than it has to and stays inside", () => {
  assert.equal(following(0, 8, 100, 50), 43);
  assert.equal(following(43, 8, 100, 45), 43);
  assert.equal(following(43, 8, 100, 10), 10);
  assert.equal(following(99, 8, 100, 99), 92);
  assert.equal(following(5, 8, 6, 2), 0);
  assert.equal(following(0, 8, 100, 20, 25), 18); // 18 to 25: all six of them
  assert.equal(following(40, 8, 100, 0, 99), 40); // longer than the window, which is inside it already
  assert.equal(following(0, 8, 100, 20, 60), 20);
  assert.equal(following(90, 8, 100, 20, 60), 53);
  assert.deepEqual([within(-3, 8, 100), within(97, 8, 100), within(4, 8, 6)], [0, 92, 0]);
});

test("a window grows and shrinks about its middle, within bounds", () => {
  assert.deepEqual(resized(40, 6, 100, 2), [39, 8]);
  assert.deepEqual(resized(39, 8, 100, -2), [40, 6]);
  assert.deepEqual(resized(0, 6, 100, 2), [0, 8]);
  assert.deepEqual(resized(94, 6, 100, 2), [92, 8]);
  assert.deepEqual(resized(0, 2, 100, -2), [0, 2]);
  assert.deepEqual(resized(0, 39, 100, 5), [0, 40]);
  assert.deepEqual(resized(0, 5, 6, 9), [0, 6]);
  assert.deepEqual(resized(0, 1, 1, 2), [0, 1]);
});

test("what is written of a long side, the last included", () => {
  assert.deepEqual(elided(4, 6), [0, 1, 2, 3]);
  assert.deepEqual(elided(10, 4), [0, 1, 2, null, 9]);
});

test("odd numbers are marked as what they are, and colours have a sign", () => {
  assert.deepEqual([NaN, Infinity, -Infinity, 0, -0, 1e-300].map(kindOf), ["nan", "infinite", "infinite", "zero", "zero", ""]);
  for (const dark of [false, true]) {
    const [cold, small, warm] = [-1, 1e-9, 1].map((value) => heat(value, 1, dark));
    assert.ok(cold[2] > cold[0] + 50);
    assert.ok(warm[0] > warm[2] + 50);
    const all = [cold, small, warm, ...[0, NaN, Infinity].map((value) => heat(value, 1, dark))];
    assert.equal(new Set(all.map(String)).size, 6);
    assert.ok(Math.max(...small) - Math.min(...small) < 12); // pale: no colour
  }
  assert.deepEqual(heat(0.5, 1)[0] < heat(1, 1)[0], false);
});

test("a dot that stands for several entries has the largest of them, whatever its sign, and NaN before all", () => {
  const small = binned([1, -2, 0, 3], 2, 2, 10, 10);
  assert.deepEqual([[...small.data], small.rows, small.columns], [[1, -2, 0, 3], 2, 2]);
  const data = [0, 1, -5, 2, /**/ 0, 0, 4, Infinity, /**/ 0, 0, 1e-9, 0, /**/ 0, 0, NaN, Infinity];
  assert.deepEqual([...binned(data, 4, 4, 2, 2).data], [1, Infinity, 0, NaN]);
  assert.deepEqual([...binned(data, 4, 4, 4, 1).data], [-5, Infinity, 1e-9, NaN]);
  const wide = binned(Float32Array.from({ length: 784 * 100 }, (_, k) => (k === 5 * 100 + 7 ? -3 : 1)), 784, 100, 190, 44);
  assert.deepEqual([wide.rows, wide.columns], [190, 44]);
  assert.equal(wide.data.filter((number) => number === -3).length, 1);
  assert.equal(wide.data[Math.floor((5 * 190) / 784) * 44 + Math.floor((7 * 44) / 100)], -3);
});

test("a picture fits its box, and no side is too thin to be hit", () => {
  for (const [rows, columns] of [[784, 20], [60, 784], [20, 20], [5000, 2], [1, 40]]) {
    const [height, width] = pictureSize(rows, columns);
    assert.ok(height <= 330 && width <= 330 && width >= 44 && height >= (rows === 1 ? 20 : 44), `${rows} × ${columns}`);
  }
  assert.deepEqual([0, 2, 100, 188, 190].map((at) => partOf(at, 190, 784)), [0, 0, 412, 783, 783]); // 100 / 190 · 784 = 412.6
});

test("the box about the cells that are marked", () => {
  assert.equal(extent([]), null);
  assert.deepEqual(extent([[3, 4]]), [3, 4, 1, 1]);
  assert.deepEqual(extent([[3, 4], [3, 9], [5, 0]]), [3, 0, 3, 10]);
});

test("what a line reads: arrays in reading order, those in a piece no entry explains, and named constants", () => {
  const form = infix(sum("k", 2, infix(cell("X", "i", "k"), "·", cell("W", "k", "j"))), "+", cell("b", "j"));
  assert.deepEqual(readNames(form), ["X", "W", "b"]);
  assert.deepEqual(readNames({ kind: "whole", text: "N1⁻¹ r1 + D" }, ["r1.after", "N1", "N"]), ["N1", "r1.after"]);
  const number = (value, name) => ({ kind: "number", value, ...(name ? { name } : {}) });
  const decay = infix(infix(number(0.9, "β₁"), "·", cell("m")), "+", infix(number(1), "−", number(0.9, "β₁")));
  assert.deepEqual(constants(decay), [["β₁", 0.9]]);
  assert.deepEqual([entryName("J", []), entryName("Z1", [0, 2])], ["J", "Z1[0, 2]"]);
});

test("what is said below the sum", () => {
  const arrays = { W: { at: () => 0.5 }, "W.after": { at: () => 0.25 }, dZ: { at: () => 1 } };
  const said = (line, step, place = [0]) =>
    remarks({ line, place, arrays, step, writer: new Numbers({ value: () => 0 }) });
  const part = { batch_size: 400, samples: [0, 1, 2] };
  const over = { name: "db", value: "db", phase: "backward", entry: infix(sum("i", "m", cell("dZ", "i")), "·", cell("W")) };
  assert.deepEqual(said(over, part), ["397 of the batch's 400 samples are not on this page; the result is that of all 400."]);
  assert.deepEqual(said(over, { batch_size: 4, samples: [0, 1, 2] }), ["1 sample of the batch is not on this page; the result is that of all 4."]);
  assert.deepEqual(said(over, { batch_size: 3, samples: [0, 1, 2] }), []);
  assert.deepEqual(said({ ...over, entry: sum("k", 3, cell("dZ", "k")) }, part), []); // over the inputs, not the samples
  const update = { name: "W", value: "W.after", phase: "update", entry: cell("W", "j") };
  assert.deepEqual(said(update, part), ["W[0] was 0.5 before the step and is 0.25 after it."]);
  const whole = { name: "s", value: "s", phase: "backward", entry: { kind: "whole", text: "H⁻¹ g" } };
  assert.match(said(whole, part)[0], /^No entry of this line stands alone/);
});
