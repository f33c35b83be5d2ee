// What a report's pictures are made of: axes, colours, packed lines, the places of units, pictures of weights.

import assert from "node:assert/strict";
import { test } from "node:test";

import { bytes, lines, pairs } from "../../src/glassnet/views/pages/modules/bytes.js";
import { extent, nearest, path, stops } from "../../src/glassnet/views/pages/modules/chart.js";
import { contrast, diverging, luminance, mix, parse, visible } from "../../src/glassnet/views/pages/modules/colours.js";
import { ends } from "../../src/glassnet/views/pages/modules/curve_scene.js";
import { following } from "../../src/glassnet/views/pages/modules/film.js";
import { distance, layout, parts } from "../../src/glassnet/views/pages/modules/network_scene.js";
import { tiling } from "../../src/glassnet/views/pages/modules/pictures_scene.js";
import { shade } from "../../src/glassnet/views/pages/modules/plane_scene.js";
import { countTicks, logTicks, scale, tickText, ticks } from "../../src/glassnet/views/pages/modules/ticks.js";

const [WHITE, BLACK] = [[255, 255, 255], [0, 0, 0]];

test("ticks are round numbers inside the axis", () => {
  assert.deepEqual(ticks(0, 1, 5), [0, 0.2, 0.4, 0.6, 0.8, 1]);
  assert.deepEqual(ticks(-4.6, 4.5, 5), [-4, -2, 0, 2, 4]);
  assert.deepEqual(ticks(0.09, 0.31, 4), [0.1, 0.2, 0.3]);
  assert.deepEqual(ticks(3, 3), [3]);
});

test("a logarithmic axis has powers of ten, and 2 and 5 times them where there are few", () => {
  assert.deepEqual(logTicks(0.001, 10), [0.001, 0.01, 0.1, 1, 10]);
  assert.deepEqual(logTicks(0.15, 6), [0.2, 0.5, 1, 2, 5]);
  assert.ok(logTicks(1e-20, 1e20).length <= 9);
});

test("an axis of counts starts at 0", () => {
  assert.deepEqual(countTicks(10_000), [0, 1, 10, 100, 1000, 10_000]);
  assert.deepEqual(countTicks(7), [0, 1, 2, 5]);
});

test("a tick's text", () => {
  const written = [[0, "0"], [10000, "10,000"], [-2.5, "−2.5"], [0.25, "0.25"], [1e-7, "1e−7"], [1e-4, "1e−4"], [1e-3, "0.001"], [3e129, "3e129"]];
  for (const [value, text] of written) assert.equal(tickText(value), text);
});

test("places on an axis, by hand", () => {
  assert.equal(scale("linear", 0, 10, 100, 200)(2.5), 125);
  assert.equal(scale("log", 1, 100, 0, 200)(10), 100);
  assert.equal(scale("count", 0, 99, 0, 200)(9), 100); // ln(10) is half of ln(100)
  assert.equal(scale("linear", 5, 5, 40, 80)(5), 40); // no width, no division by zero
});

test("colours are read, mixed and kept apart from the paper", () => {
  assert.deepEqual(parse(" #0072B2 "), [0, 114, 178]);
  assert.deepEqual(parse("#fff"), WHITE);
  assert.deepEqual(mix([0, 0, 0], [100, 200, 50], 0.5), [50, 100, 25]);
  assert.equal(luminance(WHITE), 1);
  assert.equal(contrast(WHITE, BLACK), 21);
  assert.deepEqual(visible(BLACK, WHITE, BLACK), BLACK);
  assert.ok(contrast(visible(BLACK, [21, 24, 28], WHITE, 5), [21, 24, 28]) >= 5);
});

test("cold below zero, paper at zero, warm above, and no further than the ends", () => {
  const palette = { paper: WHITE, cold: [0, 0, 200], warm: [200, 0, 0] };
  assert.deepEqual(diverging(0, palette), WHITE);
  assert.deepEqual(diverging(-1, palette), palette.cold);
  assert.deepEqual(diverging(7, palette), palette.warm);
});

test("bytes and pairs come back, the low byte first", () => {
  const raw = Buffer.from([0, 255, 1, 2, 255, 255]);
  assert.deepEqual([...bytes(raw.toString("base64"))], [0, 255, 1, 2, 255, 255]);
  assert.deepEqual([...pairs(raw.toString("base64"))], [255 * 256, 513, 65535]);
});

test("packed lines are cut where one ends", () => {
  const numbers = Uint16Array.of(0, 65535, 65535, 0, 13107, 26214, 65535, 65535);
  const found = lines({ lengths: [3, 1], points: Buffer.from(numbers.buffer).toString("base64") });
  assert.deepEqual(found, [[[0, 1], [1, 0], [0.2, 0.4]], [[1, 1]]]);
  assert.deepEqual(lines({ lengths: [], points: "" }), []);
});

test("the nearest of numbers that increase", () => {
  const numbers = [0, 1, 10, 100];
  const asked = [[-5, 0], [0.4, 0], [0.6, 1], [5, 1], [6, 2], [1000, 3]];
  for (const [x, place] of asked) assert.equal(nearest(numbers, x), place);
  assert.equal(nearest([3], 8), 0);
});

test("the ends of curves leave out what is not finite, or not above zero on a logarithmic axis", () => {
  assert.deepEqual(extent([[3, Number.NaN, Infinity], [-1]]), [-1, 3]);
  assert.deepEqual(extent([[0, 2, -3, 5]], true), [2, 5]);
  assert.deepEqual(extent([[Number.NaN]]), [0, 1]);
});

test("a curve breaks where it has no number", () => {
  const same = (v) => v;
  assert.equal(path([0, 1, 2, 3], [1, 2, Number.NaN, 4], same, same), "M0.0 1.0L1.0 2.0M3.0 4.0");
  assert.equal(path([0, 1, 2], [1, 0, 4], same, same, true), "M0.0 1.0M2.0 4.0");
});

test("every place at which some series has a value", () => {
  assert.deepEqual(stops([{ x: [1, 2, 10] }, { x: [2, 5] }]), [1, 2, 5, 10]);
});

test("the ends of an axis hold all points, with room, also for one point and for none", () => {
  assert.deepEqual(ends([0, 10], [4]), { low: -0.5, high: 10.5 });
  assert.deepEqual(ends([3]), { low: 2, high: 4 });
  assert.deepEqual(ends([]), { low: 0, high: 1 });
});

test("the film goes round", () => {
  assert.equal(following(0, 3), 1);
  assert.equal(following(2, 3), 0);
});

const LAYERS = [
  { size: 2, units: [0, 1], labels: ["a", "b"] },
  { size: 41, units: [...Array(10).keys(), ...Array.from({ length: 10 }, (_, i) => 31 + i)], labels: Array(20).fill("u") },
  { size: 1, units: [0], labels: ["y"] },
];
const MARGINS = { left: 50, right: 50, top: 20, bottom: 20 };

test("layers stand in columns, units below one another, with a gap for those left out", () => {
  const [first, middle, last] = layout(LAYERS, 400, 500, MARGINS);
  assert.deepEqual([first.x, middle.x, last.x], [50, 200, 350]);
  assert.equal(first.gap, null);
  assert.equal(middle.gap.left, 21);
  assert.equal(middle.gap.y, 250); // in the middle between top and bottom
  const steps = middle.ys.slice(1).map((y, i) => y - middle.ys[i]);
  assert.ok(steps.every((s, i) => Math.abs(s - middle.step * (i === 9 ? 3 : 1)) < 1e-9));
  assert.ok(middle.ys[0] >= 20 && middle.ys.at(-1) <= 480);
});

test("every weight and bias, where it stands in its array and which number of the matrix it is", () => {
  const data = { layers: LAYERS, weights: [{ name: "W1", bias: "b1" }, { name: "W2", bias: null }] };
  const found = parts(data);
  assert.equal(found.length, 2 * 20 + 20 + 20);
  const last = found.find((p) => p.name === "W1" && p.i === 1 && p.j === 19);
  assert.equal(last.place, 1 * 20 + 19);
  assert.deepEqual(last.at, [2, 41]); // rows and columns of W1 counted from 1
  assert.equal(found.filter((p) => p.name === "b1").at(-1).place, 19);
});

test("how far a point is from a line between two others", () => {
  assert.equal(distance([5, 3], [0, 0], [10, 0]), 3);
  assert.equal(distance([13, 4], [0, 0], [10, 0]), 5); // beyond its end
  assert.equal(distance([3, 4], [0, 0], [0, 0]), 5);
});

test("a probability of one half is paper; the classes have the ends; of more classes the likeliest has its colour", () => {
  const colours = [[0, 0, 255], [255, 0, 0]];
  assert.deepEqual(shade(127.5, null, colours, WHITE), WHITE);
  assert.deepEqual(shade(0, null, colours, WHITE), mix(WHITE, colours[0], 0.5));
  assert.deepEqual(shade(255, null, colours, WHITE), mix(WHITE, colours[1], 0.5));
  assert.ok(shade(255, 1, colours, WHITE)[1] < shade(10, 1, colours, WHITE)[1]);
});

test("pictures fit into the width", () => {
  for (const width of [260, 380, 480]) {
    const { columns, rows, cell } = tiling(16, width, [28, 28]);
    assert.ok(columns * (cell + 8) + 8 <= width);
    assert.equal(columns * rows >= 16, true);
  }
  assert.equal(tiling(3, 480, [8, 8]).columns, 2);
});
