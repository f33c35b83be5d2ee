// Numbers of a page are exactly those of the training, and are written as a terminal writes them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decode, format } from "../../src/glassnet/views/pages/modules/arrays.js";

const packed = (numbers) => Buffer.from(numbers.buffer).toString("base64");

test("double precision comes back bit by bit, NaN and infinity too", () => {
  const numbers = Float64Array.of(0.1, -1 / 3, Number.NaN, Infinity, -Infinity, -0, 5e-324, 1.7976931348623157e308);
  const array = decode({ shape: [2, 4], type: "f8", data: packed(numbers), samples: true });
  assert.deepEqual([...array.data], [...numbers]);
  assert.ok(Object.is(array.at(1, 1), -0));
  assert.equal(array.at(0, 1), -1 / 3);
  assert.ok(Number.isNaN(array.at(0, 2)));
  assert.equal(array.at(1, 3), 1.7976931348623157e308);
  assert.equal(array.samples, true);
});

test("single precision comes back, and is written with its own digits", () => {
  const array = decode({ shape: [3], type: "f4", data: packed(Float32Array.of(0.1, 16777216, Number.NaN)) });
  assert.equal(array.at(0), Math.fround(0.1));
  assert.equal(array.at(1), 16777216);
  assert.ok(Number.isNaN(array.at(2)));
  assert.equal(format(array.at(0), 0, true), "0.1");
  assert.equal(format(array.at(0), 0), "0.10000000149011612");
});

test("little-endian, as written: 1.5 is 3f f8 and six zeros", () => {
  const bytes = Buffer.from([0, 0, 0, 0, 0, 0, 0xf8, 0x3f]).toString("base64");
  assert.equal(decode({ shape: [], type: "f8", data: bytes }).at(), 1.5);
});

test("a number, a row and a stack of matrices are read by their own indices", () => {
  const numbers = Float64Array.from({ length: 12 }, (_, k) => k);
  assert.equal(decode({ shape: [12], type: "f8", data: packed(numbers) }).at(7), 7);
  assert.equal(decode({ shape: [2, 3, 2], type: "f8", data: packed(numbers) }).at(1, 2, 0), 10);
});

test("numbers are written as Python's g format writes them", () => {
  const written = [
    [0.31, "0.31"], [-2, "−2"], [0, "0"], [-0, "0"], [0.41000000000000003, "0.41"], [1234.5678, "1235"], [123456, "1.235e+05"],
    [12345, "1.234e+04"], [0.00012, "0.00012"], [0.000012, "1.2e−05"], [9999.6, "1e+04"], [0.99996, "1"], [-1.5e-300, "−1.5e−300"],
    [Number.NaN, "NaN"], [Infinity, "∞"], [-Infinity, "−∞"], [100, "100"], [1e22, "1e+22"],
  ];
  for (const [number, text] of written) assert.equal(format(number, 4), text);
  assert.equal(format(2 / 3, 2), "0.67");
  assert.equal(format(2 / 3, 8), "0.66666667");
});

test("halves go to the even digit, as Python's do", () => {
  assert.equal(format(0.40625, 4), "0.4062"); // exactly between 0.4062 and 0.4063
  assert.equal(format(0.40635, 4), "0.4063"); // the nearest double lies below the half
  assert.equal(format(2.5, 1), "2");
  assert.equal(format(3.5, 1), "4");
  assert.equal(format(12345, 4), "1.234e+04");
  assert.equal(format(-0.40625, 4), "−0.4062");
});

test("all digits read back as the same number", () => {
  for (const number of [0.1, 1 / 3, 1e21, 5e-324, -123456789.123456]) {
    assert.equal(Number(format(number, 0).replaceAll("−", "-")), number);
  }
});
