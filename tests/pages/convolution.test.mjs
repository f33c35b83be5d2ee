// Windows that slide over pictures: which numbers lie under them, what is left out, and what is written of it; worked out by hand.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Numbers, cells, chosen, indexOf, inside, isPlace, lettersAt } from "../../src/glassnet/views/pages/modules/entries.js";
import {
  boxOf, boxesOf, countSaid, inParts, paddingOf, planeName, planesName, slidingSum, windowsOf, PART,
} from "../../src/glassnet/views/pages/modules/sliding.js";
import { about, dotSize, grey, inRows, isPhotograph, pictureOf } from "../../src/glassnet/views/pages/modules/tiles.js";

const affine = (terms, offset = 0, divisor = 1) => ({ terms, offset, divisor });
const cell = (name, at, bounds) => ({ kind: "cell", name, at, ...(bounds ? { bounds } : {}) });
const times = (left, right) => ({ kind: "infix", operator: "·", left, right });
const total = (kind, letters, over, inner) => ({ kind, letters, over, inner });
const plus = (left, right) => ({ kind: "infix", operator: "+", left, right });

// One sample, one channel of 3 × 3 and one kernel of 2 × 2.
const arrays = {
  X: [[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]],
  W: [[[[1, 0], [0, 2]]]],
  D: [[[[10, 20], [30, 40]]]],
  b: [0.5],
};
const value = (name, place) => place.reduce((array, index) => array[index], arrays[name]);
const numbers = new Numbers({ value, extents: { m: 1 } });
const at = (u, v) => ({ i: 0, j: 0, u, v });
const LETTERS = ["i", "j", "u", "v"];

const under = (letter, place, padding, stride = 1, dilation = 1) => affine([[letter, stride], [place, dilation]], -padding);
const convolution = (padding, stride = 1, dilation = 1) => plus(
  total("sum", ["r", "s"], [2, 2], times(
    cell("X", ["i", 0, under("u", "r", padding, stride, dilation), under("v", "s", padding, stride, dilation)], [null, null, 3, 3]),
    cell("W", ["j", 0, "r", "s"]),
  )),
  cell("b", ["j"]),
);
// dX = D ⋆full flip(W): position (u − r) / stride of the slopes, where it is whole and inside.
const back = (stride, size) => total("sum", ["r", "s"], [2, 2], times(
  cell("D", ["i", 0, affine([["u", 1], ["r", -1]], 0, stride), affine([["v", 1], ["s", -1]], 0, stride)], [null, null, size, size]),
  cell("W", [0, "j", "r", "s"]),
));
const line = (entry, letters = LETTERS) => ({ name: "Z", value: "Z", entry, letters });

test("places that are reckoned: sums of letters, whole or not, and digits of a flattened row", () => {
  assert.equal(indexOf(affine([["u", 2], ["r", 1]], -1), { u: 3, r: 2 }), 7);
  assert.equal(indexOf(affine([["u", 1], ["r", -1]], 1, 2), { u: 4, r: 1 }), 2);
  assert.equal(indexOf(affine([["u", 1], ["r", -1]], 0, 2), { u: 4, r: 1 }), 1.5);
  assert.equal(indexOf({ digit: "j", step: 9, size: 4 }, { j: 29 }), 3);
  assert.equal(indexOf({ digit: "j", step: 3, size: 3 }, { j: 29 }), 0); // 29 = 3·9 + 0·3 + 2
  assert.equal(indexOf({ digit: "j", step: 1, size: 3 }, { j: 29 }), 2);
});

test("a place is one of its array's when it is whole and inside; what has no bounds is not asked", () => {
  assert.ok(isPlace([0, 0, 2, 2], [null, null, 3, 3]));
  for (const place of [[0, 0, -1, 0], [0, 0, 0, 3], [0, 0, 0.5, 0]]) assert.ok(!isPlace(place, [null, null, 3, 3]));
  assert.ok(isPlace([7, 7]));
  const product = times(cell("X", ["i", 0, "u", under("v", "s", 1)], [null, null, null, 3]), cell("b", ["j"]));
  assert.ok(inside(product, { ...at(0, 1), s: 0 }));
  assert.ok(!inside(product, { ...at(0, 0), s: 0 }));
});

test("a convolution is written window by window", () => {
  assert.equal(numbers.text(convolution(0), at(0, 1)), "2·1 + 3·0 + 5·0 + 6·2 + 0.5");
  assert.equal(numbers.text(convolution(0, 1, 2), at(0, 0)), "1·1 + 3·0 + 7·0 + 9·2 + 0.5"); // dilation 2: the corners
});

test("terms on the padding are left out, of the cells too", () => {
  assert.equal(numbers.text(convolution(1), at(0, 0)), "1·2 + 0.5");
  assert.equal(numbers.text(convolution(1), at(3, 1)), "7·1 + 8·0 + 0.5");
  assert.deepEqual(cells(convolution(1), at(0, 0), numbers), [["X", [0, 0, 0, 0]], ["W", [0, 0, 1, 1]], ["b", [0]]]);
});

test("terms between the strides are left out", () => {
  assert.equal(numbers.text(back(1, 2), at(1, 1)), "40·1 + 30·0 + 20·0 + 10·2");
  assert.equal(numbers.text(back(2, 2), at(1, 1)), "10·2");
  assert.equal(numbers.text(back(2, 2), at(2, 2)), "40·1");
  assert.equal(numbers.text(back(2, 1), at(2, 2)), "0");
});

test("a long sum counts only the terms that are there", () => {
  const short = new Numbers({ value, extents: { m: 1 }, most: 2 });
  assert.equal(short.text(convolution(0), at(0, 1)), "2·1 + … 2 more … + 6·2 + 0.5");
  assert.equal(short.text(convolution(1), at(3, 1)), "7·1 + 8·0 + 0.5");
});

const pool = (kind) => total(kind, ["r", "s"], [2, 2], cell("X", ["i", "j", under("u", "r", 0), under("v", "s", 0)]));

test("the largest and the mean of a window", () => {
  assert.equal(numbers.text(pool("max"), at(0, 1)), "max(2, 3, 5, 6)");
  assert.equal(numbers.text(pool("mean"), at(0, 1)), "(2 + 3 + 5 + 6) / 4");
  assert.equal(new Numbers({ value, extents: {}, most: 3 }).text(pool("max"), at(0, 1)), "max(2, 3, … 1 more …, 6)");
});

const leads = (name) => ({
  kind: "chosen", name, at: ["i", "j", "u", "v"], window: [affine([["u", 1], ["r", -1]], 0, 2), affine([["v", 1], ["s", -1]], 0, 2)],
  size: [2, 2], stride: [2, 2],
});
const unpool = total("sum", ["r", "s"], [2, 2], times(
  leads("E"), cell("D", ["i", "j", affine([["u", 1], ["r", -1]], 0, 2), affine([["v", 1], ["s", -1]], 0, 2)], [null, null, 2, 2]),
));
arrays.E = [[[[1, 4, 2, 2], [3, 0, 2, 1], [5, 5, 0, 0], [5, 5, 0, -1]]]];

test("a slope goes to the first largest of its window, and to no other", () => {
  const said = [[0, 0, "0·10"], [0, 1, "1·10"], [0, 2, "1·20"], [0, 3, "0·20"], [2, 0, "1·30"], [3, 1, "0·30"], [2, 2, "1·40"], [3, 3, "0·40"]];
  for (const [u, v, text] of said) assert.equal(numbers.text(unpool, at(u, v)), text);
  assert.equal(chosen(leads("E"), { ...at(1, 1), r: 1, s: 1 }, value), 0);
  assert.deepEqual(cells(unpool, at(0, 1), numbers), [["E", [0, 0, 0, 1]], ["D", [0, 0, 0, 0]]]);
});

test("the window of an entry: its numbers, those of the kernel, their products and their sum", () => {
  const found = windowsOf(line(convolution(0)), [0, 0, 0, 1], numbers);
  const [{ factors: [image, kernel], products, part }] = found.planes;
  assert.deepEqual(image.cells.map((row) => row.map((one) => one.value)), [[2, 3], [5, 6]]);
  assert.deepEqual(kernel.cells.map((row) => row.map((one) => one.value)), [[1, 0], [0, 2]]);
  assert.deepEqual(products, [[2, 0], [0, 12]]);
  assert.equal(part, 14);
  assert.deepEqual(found.flipped, [false, false]);
  assert.deepEqual(boxOf(image), { lead: [0, 0], box: [0, 1, 2, 2] });
  assert.equal(countSaid(found), "4 products");
  assert.equal(windowsOf(line(cell("X", LETTERS)), [0, 0, 0, 0], numbers), null); // nothing slides
});

test("what lies on the padding is in the window, empty, and said", () => {
  const found = windowsOf(line(convolution(1)), [0, 0, 0, 0], numbers);
  assert.deepEqual(found.planes[0].products, [[null, null], [null, 2]]);
  assert.deepEqual(found.planes[0].factors[0].cells[0][0], { place: [0, 0, -1, -1], reason: "padding", value: null });
  assert.deepEqual(boxesOf(found).get("X"), new Map([["0,0", [-1, -1, 2, 2]]]));
  assert.equal(countSaid(found), "1 of 4 products; the rest lies on the padding");
  assert.deepEqual(paddingOf(line(convolution(1)), [1, 1, 4, 4], numbers).X, [1, 1, 1, 1]);
  assert.deepEqual(paddingOf(line(convolution(0)), [1, 1, 2, 2], numbers).X, [0, 0, 0, 0]);
  assert.deepEqual(paddingOf(line(cell("X", LETTERS)), [1, 1, 3, 3], numbers), {});
});

test("on the way back the kernel is flipped: the slopes are read as they rise", () => {
  const found = windowsOf(line(back(1, 2)), [0, 0, 1, 1], numbers);
  const [slopes, kernel] = found.planes[0].factors;
  assert.deepEqual(found.flipped, [true, true]);
  assert.deepEqual(slopes.cells.map((row) => row.map((one) => one.value)), [[10, 20], [30, 40]]);
  assert.deepEqual(kernel.cells.map((row) => row.map((one) => one.value)), [[2, 0], [0, 1]]); // W turned by 180°
  assert.equal(found.planes[0].part, 60); // 10·2 + 40·1
  assert.deepEqual(paddingOf(line(back(1, 2)), [1, 1, 3, 3], numbers).D, [1, 1, 1, 1]); // "full": wherever they overlap
  const apart = windowsOf(line(back(2, 2)), [0, 0, 1, 1], numbers);
  assert.deepEqual(apart.left, { padding: 0, gap: 3 });
  assert.equal(countSaid(apart), "1 of 4 products; the rest lies between the strides");
  assert.deepEqual(boxOf(apart.planes[0].factors[0]), { lead: [0, 0], box: [0, 0, 1, 1] });
});

test("channel by channel: the parts and what they come to", () => {
  const colour = {
    X: [[[[1, 2], [3, 4]], [[5, 6], [7, 8]]]], W: [[[[1, 1], [1, 1]], [[1, 0], [0, -1]]]], b: [0.5], Z: [[[[7.5]]]],
  };
  const own = new Numbers({ value: (name, place) => place.reduce((array, index) => array[index], colour[name]), extents: { m: 1 } });
  const form = plus(total("sum", ["k", "r", "s"], [2, 2, 2], times(
    cell("X", ["i", "k", under("u", "r", 0), under("v", "s", 0)]), cell("W", ["j", "k", "r", "s"]),
  )), cell("b", ["j"]));
  const found = windowsOf(line(form), [0, 0, 0, 0], own);
  assert.deepEqual(found.planes.map(({ part }) => part), [10, -3]);
  const held = { X: { samples: true } };
  assert.deepEqual(found.planes.map((plane) => planeName(found, plane, held)), ["channel 0", "channel 1"]);
  assert.equal(countSaid(found, planesName(found, held)), "In 2 channels: 8 products");
  const parts = new Numbers({ ...own, value: (name, place) => (name === PART ? found.planes[place[0]].part : own.value(name, place)) });
  assert.equal(parts.text(inParts(form, found, own), at(0, 0)), "10 − 3 + 0.5");
});

test("a slope by a kernel's entry sums over samples and places, and says which samples are missing", () => {
  const form = total("sum", ["i", "u", "v"], ["m", 2, 2], times(cell("X", ["i", "k", under("r", "u", 0), under("s", "v", 0)]), cell("D", ["i", "j", "u", "v"])));
  const part = new Numbers({ value, extents: { m: 1 }, missing: 2 });
  const found = windowsOf(line(form, ["j", "k", "r", "s"]), [0, 0, 1, 0], part);
  assert.deepEqual(found.planes[0].products, [[40, 100], [210, 320]]); // 4·10, 5·20, 7·30, 8·40
  const parts = new Numbers({ ...part, value: () => 670 });
  assert.equal(parts.text(inParts(form, found, part), {}), "670 + … 2 more samples …");
  const mean = { ...form, kind: "mean" };
  assert.equal(parts.text(inParts(mean, windowsOf(line(mean, ["j", "k", "r", "s"]), [0, 0, 1, 0], part), part), {}), "(670 + … 2 more samples …) / 12");
});

test("the winner of a pool, and where the slope of a window goes", () => {
  const found = windowsOf(line({ ...pool("max"), inner: cell("E", ["i", "j", under("u", "r", 0), under("v", "s", 0)]) }), [0, 0, 2, 0], numbers);
  assert.deepEqual([found.planes[0].part, found.planes[0].winner], [5, [0, 0]]); // the first of four fives
  assert.equal(countSaid(found), "4 numbers; the largest is taken");
  const [route, ...none] = windowsOf(line(unpool), [0, 0, 0, 3], numbers).routes;
  assert.deepEqual(none, []);
  assert.deepEqual([route.own, route.winner, route.leads, route.slope, route.from], [[0, 0, 0, 3], [0, 0], false, 20, { name: "D", place: [0, 0, 0, 1] }]);
  assert.deepEqual(route.cells.map((row) => row.map((one) => one.value)), [[2, 2], [2, 1]]);
  assert.deepEqual(boxesOf(windowsOf(line(unpool), [0, 0, 0, 3], numbers)).get("E"), new Map([["0,0", [0, 2, 2, 2]]]));
});

test("not every sum slides a window", () => {
  const dense = total("sum", ["k"], [3], times(cell("A", ["i", "k"]), cell("V", ["k", "j"])));
  assert.equal(slidingSum(dense), null);
  const squares = total("mean", ["i", "u", "v"], ["m", 2, 2], { kind: "infix", operator: "^", left: cell("X", LETTERS), right: { kind: "number", value: 2 } });
  assert.equal(slidingSum(squares), null);
  assert.equal(slidingSum({ kind: "negative", inner: pool("max") }).node.kind, "max");
  assert.deepEqual(lettersAt(["j", "k", "r", "s"], [0, 0, 1, 0]), { j: 0, k: 0, r: 1, s: 0 });
});

test("tiles: whole dots, rows as even as can be, those about the one that is looked at", () => {
  assert.equal(dotSize(1, 8), 22); // 176 / 8
  assert.equal(dotSize(16, 10), 4); // 48 / 10
  assert.equal(dotSize(1, 2, true), 20);
  assert.ok(dotSize(1, 224) < 1);
  assert.deepEqual([inRows(4, 117, 330), inRows(6, 91, 330), inRows(16, 47, 330), inRows(1, 900, 330)], [2, 3, 6, 1]);
  assert.deepEqual(about(5, 4, 120), [0, 1, 2, 3]);
  assert.deepEqual(about(9, 10, 4), [6, 7, 8, 9]);
  assert.deepEqual(about(5, 10, 4), [3, 4, 5, 6]);
  const stack = { shape: [2, 2, 1, 3], data: Float64Array.from({ length: 12 }, (_, k) => k) };
  assert.deepEqual([...pictureOf(stack, [1, 0])], [6, 7, 8]);
  assert.ok(isPhotograph([0, 0.5]) && !isPhotograph([0, -1e-9]));
  assert.ok(grey(1, 1)[0] > grey(0.5, 1)[0] && grey(0.5, 1)[0] > grey(0, 1)[0]);
});
