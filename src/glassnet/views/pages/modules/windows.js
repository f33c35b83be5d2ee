// Of a side that is too long to be written whole: which part of it is in sight.

/**
 * Where a window of `size` must begin so that `first` to `last` of `count` are in sight; it moves no more than it has to.
 * What is longer than the window fills it.
 */
export function following(from, size, count, first, last = first) {
  const [low, high] = last - first < size ? [last - size + 1, first] : [first, last - size + 1];
  return within(Math.max(low, Math.min(high, from)), size, count);
}

/** The nearest beginning at which the window lies inside the side. */
export function within(from, size, count) {
  return Math.max(0, Math.min(count - size, from));
}

/** A window of another size, about the same middle: [from, size]. */
export function resized(from, size, count, by, least = 2, most = 40) {
  const wanted = Math.min(count, Math.max(Math.min(least, count), Math.min(most, size + by)));
  return [within(from - Math.trunc((wanted - size) / 2), wanted, count), wanted];
}
