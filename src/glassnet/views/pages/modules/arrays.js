// The arrays of a page, every number exactly as it was, and how a number is written.

/** The numbers of { shape, type, data }: `data` holds them all, `at(i, j)` is one of them. */
export function decode(array) {
  const bytes = Uint8Array.from(atob(array.data), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = array.type === "f4" ? 4 : 8;
  const data = new (size === 4 ? Float32Array : Float64Array)(bytes.length / size);
  for (let k = 0; k < data.length; k += 1) {
    data[k] = size === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true);
  }
  const shape = array.shape;
  const at = (...place) => data[shape.reduce((sum, side, axis) => sum * side + (place[axis] ?? 0), 0)];
  return { shape, data, at, type: array.type, samples: Boolean(array.samples) };
}

/** A number as a person reads it: 0.31, −2, 1.2e−5, NaN, ∞. `digits` are significant; 0 writes all that tell it from others. */
export function format(number, digits = 4, single = false) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  if (number === 0) return "0";
  let text;
  if (digits > 0) {
    text = Number(number.toPrecision(digits)).toPrecision(digits);
    const [mantissa, exponent] = text.split("e");
    const plain = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    text = exponent === undefined ? plain : `${plain}e${exponent.replace("+", "")}`;
    if (Math.abs(number) >= 1e-5 && Math.abs(number) < 10 ** Math.max(digits, 6)) text = String(Number(text));
  } else {
    text = single ? shortest(number) : String(number);
  }
  return text.replaceAll("-", "−").replace("e+", "e");
}

/** The fewest digits that still read back as the same single-precision number. */
function shortest(number) {
  for (let digits = 6; digits < 10; digits += 1) {
    const text = String(Number(number.toPrecision(digits)));
    if (Math.fround(Number(text)) === Math.fround(number)) return text;
  }
  return String(number);
}
