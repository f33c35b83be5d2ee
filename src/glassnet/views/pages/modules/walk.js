// The order of an array's entries: row by row, as they are read.

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

/** The place so many rows below, in the same column; the last row, or the first, where there are no more. */
export function below(place, shape, by) {
  if (place.length < 2) return place;
  return [Math.max(0, Math.min(shape[0] - 1, place[0] + by)), ...place.slice(1)];
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
