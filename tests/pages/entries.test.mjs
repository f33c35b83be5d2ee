// Sums are written with the numbers of the step; the expected texts are worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Numbers, cells, lettersAt } from "../../src/glassnet/views/pages/modules/entries.js";

const arrays = {
  X: [[0.31, 0.82], [-1, 0.5], [2, -4]],
  W: [[1, -2], [0, 3]],
  b: [0.1, -0.2],
  Z: [[1, 2, 3], [-1, 0, 1], [0, 0, 0]],
  alpha: 0.5,
  m: 3,
  long: Array.from({ length: 786 }, (_, k) => k),
};
const value = (name, place) => place.reduce((array, index) => array[index], arrays[name]);
const cell = (name, ...at) => ({ kind: "cell", name, at });
const number = (of, name) => ({ kind: "number", value: of, ...(name ? { name } : {}) });
const infix = (left, operator, right) => ({ kind: "infix", operator, left, right });
const sum = (inner, letters, over, kind = "sum") => ({ kind, letters, over, inner });
const written = (form, letters, settings = {}) => new Numbers({ value, extents: { m: 3 }, ...settings }).text(form, letters);

const weighted = infix(sum(infix(cell("X", "i", "k"), "·", cell("W", "k", "j")), ["k"], [2]), "+", cell("b", "j"));

test("a weighted sum plus a bias", () => {
  assert.equal(written(weighted, { i: 0, j: 0 }), "0.31·1 + 0.82·0 + 0.1");
});

test("negative factors stand in parentheses, a negative term takes away", () => {
  assert.equal(written(weighted, { i: 2, j: 1 }), "2·(−2) + (−4)·3 − 0.2");
  assert.equal(written(infix(cell("b", 0), "−", cell("b", 1)), {}), "0.1 − (−0.2)");
  assert.equal(written({ kind: "negative", inner: cell("b", 1) }, {}), "−(−0.2)");
  assert.equal(written(sum(cell("b", "j"), ["j"], [2]), {}), "0.1 − 0.2");
});

test("products hold sums together, and powers hold everything", () => {
  const difference = infix(cell("X", "i", 0), "−", cell("X", "i", 1));
  assert.equal(written(infix(cell("alpha"), "·", difference), { i: 1 }), "0.5·(−1 − 0.5)");
  assert.equal(written(infix(difference, "^", number(2)), { i: 1 }), "(−1 − 0.5)²");
  assert.equal(written(infix(cell("b", 1), "^", number(3)), {}), "(−0.2)³");
  assert.equal(written(infix(number(0.9, "β₁"), "^", cell("m")), {}), "0.9^3");
  assert.equal(written(infix(cell("b", 0), "/", infix(cell("m"), "·", cell("m"))), {}), "0.1 / (3·3)");
});

test("comparisons, roots, absolute values and functions", () => {
  assert.equal(written(infix(cell("b", 1), ">", number(0)), {}), "(−0.2 > 0)");
  const call = (name, ...parts) => ({ kind: "call", name, arguments: parts });
  assert.equal(written(call("sqrt", cell("m")), {}), "√(3)");
  assert.equal(written(call("abs", cell("b", 1)), {}), "|−0.2|");
  assert.equal(written(call("max", cell("b", 1), number(0)), {}), "max(−0.2, 0)");
});

test("a function of a row shows the row, and which of its entries is meant", () => {
  const row = { kind: "row", name: "softmax", inner: cell("Z", "i", "k"), letter: "k", over: 3, at: "j" };
  assert.equal(written(row, { i: 1, j: 2 }), "softmax(−1, 0, 1)[2]");
  assert.equal(written({ ...row, name: "logsumexp", at: null }, { i: 0 }), "logsumexp(1, 2, 3)");
  const wide = { ...row, inner: cell("long", "k"), over: 786 };
  assert.equal(written(wide, { i: 0, j: 700 }, { most: 4 }), "softmax(0, 1, 2, … 782 more …, 785)[700]");
});

test("a long sum says how many terms it leaves out, and can be written whole", () => {
  const long = sum(cell("long", "k"), ["k"], [786]);
  assert.equal(written(long, {}), "0 + 1 + 2 + 3 + 4 + 5 + 6 + … 778 more … + 785");
  assert.equal(written(sum(cell("long", "k"), ["k"], [8]), {}), "0 + 1 + 2 + 3 + 4 + 5 + 6 + 7");
  const whole = written(long, {}, { most: Infinity });
  assert.equal(whole.split(" + ").length, 786);
  assert.ok(!whole.includes("…"));
});

test("a mean is divided by how many there are", () => {
  assert.equal(written(sum(cell("X", "i", 0), ["i"], ["m"], "mean"), {}), "(0.31 − 1 + 2) / 3");
});

test("a sum over two letters goes row by row", () => {
  const squares = sum(infix(cell("X", "i", "j"), "^", number(2)), ["i", "j"], ["m", 2]);
  assert.equal(written(squares, {}), "0.31² + 0.82² + (−1)² + 0.5² + 2² + (−4)²");
});

test("a sum over the batch never pretends to be whole where samples are not in the page", () => {
  const over = sum(cell("X", "i", 1), ["i"], ["m"]);
  assert.equal(written(over, {}, { missing: 397 }), "0.82 + 0.5 − 4 + … 397 more samples …");
  assert.equal(written({ ...over, kind: "mean" }, {}, { missing: 397 }), "(0.82 + 0.5 − 4 + … 397 more samples …) / 400");
  assert.equal(written(weighted, { i: 0, j: 0 }, { missing: 397 }), "0.31·1 + 0.82·0 + 0.1"); // not over the batch
  assert.equal(written(sum(cell("X", 0, "k"), ["k"], [2]), {}, { missing: 1 }), "0.31 + 0.82");
});

test("what is not a number, infinite or very small is written as what it is", () => {
  const odd = { a: Number.NaN, b: -Infinity, c: 0.0000123 };
  const numbers = new Numbers({ value: (name) => odd[name] });
  assert.equal(numbers.text(infix(cell("a"), "·", cell("b")), {}), "NaN·(−∞)");
  assert.equal(numbers.text(infix(cell("c"), "^", number(2)), {}), "(1.23e−05)²");
  assert.equal(numbers.text(infix(cell("c"), "·", cell("c")), {}), "1.23e−05·1.23e−05");
});

test("a long sum over the samples also writes the term of the sample that is looked at", () => {
  const over = sum(cell("long", "i"), ["i"], ["m"]);
  const looked = (keep) => written(over, {}, { extents: { m: 100 }, most: 4, keep });
  assert.equal(looked(50), "0 + 1 + 2 + … 47 more … + 50 + … 48 more … + 99"); // 3 + 47 + 1 + 48 + 1 = 100
  assert.equal(looked(1), "0 + 1 + 2 + … 96 more … + 99");
  assert.equal(looked(99), "0 + 1 + 2 + … 96 more … + 99");
  assert.equal(looked(3), "0 + 1 + 2 + 3 + … 95 more … + 99");
  assert.equal(written(sum(cell("long", "k"), ["k"], [100]), {}, { most: 4, keep: 50 }), "0 + 1 + 2 + … 96 more … + 99");
});

test("the index after a letter, and a piece that no entry explains", () => {
  assert.equal(written(cell("long", "i+1"), { i: 4 }), "5");
  assert.equal(written({ kind: "whole", text: "N⁻¹ r" }, {}), "N⁻¹ r");
});

test("digits can be chosen", () => {
  const third = new Numbers({ value: () => 1 / 3, digits: 2 });
  assert.equal(third.text(cell("a"), {}), "0.33");
  third.digits = 0;
  assert.equal(third.text(cell("a"), {}), "0.3333333333333333");
});

test("each number in the sum knows its cell", () => {
  const pieces = new Numbers({ value, extents: { m: 3 } }).written(weighted, { i: 0, j: 1 });
  assert.deepEqual(
    pieces.filter((piece) => typeof piece !== "string").map(({ text, name, place }) => [text, name, ...place]),
    [["0.31", "X", 0, 0], ["−2", "W", 0, 1], ["0.82", "X", 0, 1], ["3", "W", 1, 1], ["0.2", "b", 1]],
  );
});

test("the cells an entry comes from, those left out of the text too", () => {
  const numbers = new Numbers({ value, extents: { m: 3 } });
  assert.deepEqual(cells(weighted, { i: 2, j: 0 }, numbers), [
    ["X", [2, 0]], ["W", [0, 0]], ["X", [2, 1]], ["W", [1, 0]], ["b", [0]],
  ]);
  assert.equal(cells(sum(cell("long", "k"), ["k"], [786]), {}, numbers).length, 786);
});

test("letters of a place", () => {
  assert.deepEqual(lettersAt([], []), {});
  assert.deepEqual(lettersAt(["j"], [4]), { j: 4 });
  assert.deepEqual(lettersAt(["i", "j"], [4, 2]), { i: 4, j: 2 });
  assert.deepEqual(lettersAt(["j", "k", "r", "s"], [4, 2, 0, 1]), { j: 4, k: 2, r: 0, s: 1 });
  assert.deepEqual(lettersAt(["i", 0], [4, 0]), { i: 4 }); // a side of length 1 has no letter
});
