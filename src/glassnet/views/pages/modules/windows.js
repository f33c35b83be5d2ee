// Of a side that is too long to be written whole: which part of it is in sight.

/** Where a window of `size` must begin so that it shows `first` to `last` of `count`; it moves no more than it has to. */
export function following(from, size, count, first, last = first) {
  const end = Math.min(last, first + size - 1); // what is longer than the window is shown from its beginning
  let start = from;
  if (last - first >= size && from > first && from + size - 1 <= last) return within(from, size, count); // inside: stay
  if (end >= start + size) start = end - size + 1;
  if (first < start) start = first;
  return within(start, size, count);
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
