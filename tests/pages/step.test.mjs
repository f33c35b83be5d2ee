// What the step page writes: sums worked by hand, numbers as the terminal writes them, windows that stay inside.

import assert from "node:assert/strict";
import test from "node:test";

import { decode, format } from "../../src/glassnet/views/pages/modules/arrays.js";
import { Numbers, cells, lettersAt } from "../../src/glassnet/views/pages/modules/entries.js";
import { heat, kindOf, sides, windowStart } from "../../src/glassnet/views/pages/modules/matrix.js";
import { elided } from "../../src/glassnet/views/pages/modules/overview.js";
import { readNames } from "../../src/glassnet/views/pages/modules/step.js";

const cell = (name, ...at) => ({ kind: "cell", name, at });
const infix = (left, operator, right) => ({ kind: "infix", operator, left, right });
const sum = (letter, over, inner) => ({ kind: "sum", letters: [letter], over: [over], inner });
const number = (value) => ({ kind: "number", value });

function encoded(values, type = "f8", shape = [values.length]) {
  const numbers = type === "f4" ? Float32Array.from(values) : Float64Array.from(values);
  return { shape, type, data: Buffer.from(numbers.buffer).toString("base64") };
}

function writer(held, more = {}) {
  return new Numbers({ value: (name, place) => place.reduce((part, index) => part[index], held[name]), ...more });
}

test("a weighted sum by hand", () => {
  const form = infix(sum("k", 2, infix(cell("X", "i", "k"), "·", cell("W", "k", "j"))), "+", cell("b", "j"));
  const numbers = writer({ X: [[0.31, 0.82]], W: [[1], [0]], b: [0.1] });
  assert.equal(numbers.text(form, { i: 0, j: 0 }), "0.31·1 + 0.82·0 + 0.1"); // 0.31 + 0 + 0.1 = 0.41
  assert.deepEqual(cells(form, { i: 0, j: 0 }, numbers), [
    ["X", [0, 0]], ["W", [0, 0]], ["X", [0, 1]], ["W", [1, 0]], ["b", [0]],
  ]);
  const named = numbers.written(form, { i: 0, j: 0 }).filter((piece) => typeof piece !== "string");
  assert.deepEqual(named.map((piece) => `${piece.name}${piece.place}`), ["X0,0", "W0,0", "X0,1", "W1,0", "b0"]);
});

test("negative numbers: in parentheses where they multiply, taken off where they are added", () => {
  const numbers = writer({ a: [-1, 2, -3], b: [-4, -5, 6] });
  assert.equal(numbers.text(sum("k", 3, infix(cell("a", "k"), "·", cell("b", "k"))), {}), "(−1)·(−4) + 2·(−5) + (−3)·6");
  assert.equal(numbers.text(sum("k", 3, cell("a", "k")), {}), "−1 + 2 − 3");
  assert.equal(numbers.text(infix(cell("a", 0), "−", cell("a", 2)), {}), "−1 − (−3)");
  assert.equal(numbers.text({ kind: "negative", inner: cell("a", 0) }, {}), "−(−1)");
});

test("powers, quotients, comparisons, functions", () => {
  const numbers = writer({ a: [1.5e-7, -2, 3] });
  assert.equal(numbers.text(infix(cell("a", 0), "^", number(2)), {}), "(1.5e−07)²");
  assert.equal(numbers.text(infix(cell("a", 1), "^", number(3)), {}), "(−2)³");
  assert.equal(numbers.text(infix(cell("a", 2), "^", cell("a", 1)), {}), "3^(−2)");
  assert.equal(numbers.text(infix(cell("a", 2), "/", infix(cell("a", 2), "·", cell("a", 2))), {}), "3 / (3·3)");
  assert.equal(numbers.text(infix(cell("a", 1), ">", number(0)), {}), "(−2 > 0)");
  assert.equal(numbers.text({ kind: "call", name: "sqrt", arguments: [cell("a", 2)] }, {}), "√(3)");
  assert.equal(numbers.text({ kind: "call", name: "abs", arguments: [cell("a", 1)] }, {}), "|−2|");
  assert.equal(numbers.text({ kind: "call", name: "max", arguments: [cell("a", 1), number(0)] }, {}), "max(−2, 0)");
  const row = { kind: "row", name: "softmax", inner: cell("a", "k"), letter: "k", over: 3, at: "j" };
  assert.equal(numbers.text(row, { j: 1 }), "softmax(1.5e−07, −2, 3)[1]");
  assert.equal(numbers.text({ kind: "whole", text: "N⁻¹ r" }, {}), "N⁻¹ r");
  assert.equal(numbers.text(cell("a", "i+1"), { i: 1 }), "3");
});

test("a long sum says what it leaves out, and never hides samples that are not there", () => {
  const numbers = writer({ a: Array.from({ length: 100 }, (_, k) => k) }, { most: 4 });
  assert.equal(numbers.text(sum("k", 100, cell("a", "k")), {}), "0 + 1 + 2 + … 96 more … + 99"); // 3 + 96 + 1 = 100
  numbers.most = Infinity;
  assert.equal(numbers.text(sum("k", 100, cell("a", "k")), {}).split(" + ").length, 100);
  const part = writer({ a: [1, 1] }, { extents: { m: 2 }, missing: 30 });
  assert.equal(part.text(sum("i", "m", cell("a", "i")), {}), "1 + 1 + … 30 more samples …");
  const mean = { kind: "mean", letters: ["i"], over: ["m"], inner: cell("a", "i") };
  assert.equal(part.text(mean, {}), "(1 + 1 + … 30 more samples …) / 32");
});

test("numbers as the terminal writes them", () => {
  const said = [[0, "0"], [-0, "0"], [-2, "−2"], [0.123456, "0.1235"], [1.2e-5, "1.2e−05"], [12345.6, "1.235e+04"],
    [1234, "1234"], [9.9999, "10"], [NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"]];
  for (const [value, text] of said) assert.equal(format(value), text);
  assert.equal(format(0.1 + 0.2, 0), "0.30000000000000004");
  assert.equal(format(Math.fround(0.1), 0, true), "0.1");
  assert.equal(Math.fround(Number(format(Math.fround(1 / 3), 0, true))), Math.fround(1 / 3));
});

test("arrays are decoded bit by bit", () => {
  const values = [0.1, -0, NaN, Infinity, 5e-324, 1e300];
  assert.deepEqual([...decode(encoded(values)).data], values);
  const single = decode(encoded([0.1, NaN, -3.5, 2], "f4", [2, 2]));
  assert.deepEqual([...single.data], [Math.fround(0.1), NaN, -3.5, 2]);
  assert.equal(single.at(1, 0), -3.5);
  assert.equal(decode(encoded([7], "f8", [])).at(), 7);
});

test("a window of numbers shows the place and stays inside", () => {
  assert.equal(windowStart(0, 8, 100, 50), 43);
  assert.equal(windowStart(43, 8, 100, 45), 43);
  assert.equal(windowStart(43, 8, 100, 10), 10);
  assert.equal(windowStart(99, 8, 100, 99), 92);
  assert.equal(windowStart(5, 8, 6, 2), 0);
  assert.deepEqual([sides([]), sides([3]), sides([2, 5])], [[1, 1], [1, 3], [2, 5]]);
  assert.deepEqual(elided(4, 6), [0, 1, 2, 3]);
  assert.deepEqual(elided(10, 4), [0, 1, 2, null, 9]);
  assert.deepEqual([lettersAt([]), lettersAt([3]), lettersAt([1, 2])], [{}, { j: 3 }, { i: 1, j: 2 }]);
});

test("odd numbers are marked as what they are, and colours have a sign", () => {
  assert.deepEqual([NaN, Infinity, -Infinity, 0, -0, 1e-300].map(kindOf), ["nan", "infinite", "infinite", "zero", "zero", ""]);
  const [cold, none, warm] = [-1, 0, 1].map((value) => heat(value, 1));
  assert.ok(cold[2] > cold[0]);
  assert.ok(warm[0] > warm[2]);
  assert.deepEqual(none, [247, 247, 247]);
  assert.deepEqual(heat(NaN, 1), [255, 0, 255]);
});

test("the arrays that a line reads", () => {
  const form = infix(sum("k", 2, infix(cell("X", "i", "k"), "·", cell("W", "k", "j"))), "+", cell("b", "j"));
  assert.deepEqual(readNames(form), ["X", "W", "b"]);
});
