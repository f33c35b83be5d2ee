// The order of an array's entries: row by row, as they are read.

/** `Z1[0, 2]`: an entry as it is named in Python. */
export function entryName(name, place) {
  return place.length ? `${name}[${place.join(", ")}]` : name;
}

/** Rows and columns of an array as it is shown: a row of units is one row, a number one entry. */
export function sides(shape) {
  if (shape.length === 0) return [1, 1];
  return shape.length === 1 ? [1, shape[0]] : [shape[0], shape.slice(1).reduce((a, b) => a * b, 1)];
}

export function count(shape) {
  return shape.reduce((a, b) => a * b, 1);
}

/** The entry's number in reading order. */
export function numberOf(place, shape) {
  return place.reduce((sum, index, axis) => sum * shape[axis] + index, 0);
}

/** The place of the entry with this number. */
export function placeOf(number, shape) {
  const place = [];
  let rest = number;
  for (const side of [...shape].reverse()) {
    place.unshift(rest % side);
    rest = Math.floor(rest / side);
  }
  return place;
}

/** The place so many entries further on; null before the first and after the last. */
export function further(place, shape, by) {
  const number = numberOf(place, shape) + by;
  return number < 0 || number >= count(shape) ? null : placeOf(number, shape);
}

/** The place so many rows below, in the same column (and picture); the last row, or the first, where there are no more. */
export function below(place, shape, by) {
  return beside(place, shape, place.length - 2, by);
}

/** The place with another index on one axis: so many further, but inside. */
export function beside(place, shape, axis, by) {
  if (axis < 0) return place;
  return place.map((index, k) => (k === axis ? Math.max(0, Math.min(shape[k] - 1, index + by)) : index));
}

/** Row and column of a place. */
export function spotOf(place, shape) {
  return place.length < 2 ? [0, place[0] ?? 0] : [place[0], numberOf(place.slice(1), shape.slice(1))];
}

/** The place of a row and column. */
export function placeAt(row, column, shape) {
  if (shape.length < 2) return shape.length ? [column] : [];
  return [row, ...placeOf(column, shape.slice(1))];
}
