// The arrays of a page, every number exactly as it was, and how a number is written.

const LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The numbers of { shape, type, data }: `data` holds them all, `at(i, j)` is one of them. */
export function decode(array) {
  const bytes = bytesOf(array.data);
  const view = new DataView(bytes.buffer);
  const size = array.type === "f4" ? 4 : 8;
  const kind = size === 4 ? Float32Array : Float64Array;
  let data;
  if (LITTLE) data = new kind(bytes.buffer);
  else data = kind.from({ length: bytes.length / size }, (_, k) => (size === 4 ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true)));
  const shape = array.shape;
  const at = (...place) => data[shape.reduce((sum, side, axis) => sum * side + (place[axis] ?? 0), 0)];
  return { shape, data, at, type: array.type, samples: Boolean(array.samples) };
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k += 1) bytes[k] = letters.charCodeAt(k);
  return bytes;
}

/**
 * A number as a person reads it: 0.31, −2, 1.2e−05, NaN, ∞, as the terminal writes it. `digits` are significant; 0 writes all that tell
 * the number from its neighbours, `single` those of single precision.
 */
export function format(number, digits = 4, single = false) {
  if (Number.isNaN(number)) return "NaN";
  if (!Number.isFinite(number)) return number > 0 ? "∞" : "−∞";
  if (number === 0) return "0";
  if (digits === 0) return (single ? shortest(number) : String(number)).replaceAll("-", "−");
  const [mantissa, power] = rounded(number, digits).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const size = String(Math.abs(exponent)).padStart(2, "0");
    return `${trimmed(mantissa)}e${exponent < 0 ? "-" : "+"}${size}`.replaceAll("-", "−");
  }
  return trimmed(Number(`${mantissa}e${power}`).toFixed(digits - 1 - exponent)).replaceAll("-", "−");
}

/** With an exponent and so many digits; a number exactly between two goes to the even one, as in Python (JavaScript takes the larger). */
function rounded(number, digits) {
  const exact = Math.abs(number).toExponential(60).replace(".", "");
  const half = /^50*e/.test(exact.slice(digits)) && Number(exact[digits - 1]) % 2 === 0;
  return half ? `${number < 0 ? "-" : ""}${pointed(exact.slice(0, digits))}e${exact.split("e")[1]}` : number.toExponential(digits - 1);
}

function pointed(digits) {
  return digits.length > 1 ? `${digits[0]}.${digits.slice(1)}` : digits;
}

function trimmed(text) {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** The fewest digits that still read back as the same single-precision number. */
function shortest(number) {
  for (let digits = 6; digits < 10; digits += 1) {
    const text = String(Number(number.toPrecision(digits)));
    if (Math.fround(Number(text)) === Math.fround(number)) return text;
  }
  return String(number);
}

/** What a number is besides its size: "nan", "infinite", "zero" or "". */
export function kindOf(number) {
  if (Number.isNaN(number)) return "nan";
  if (!Number.isFinite(number)) return "infinite";
  return number === 0 ? "zero" : "";
}
