// Whole numbers of one byte or two, as `as_bytes` of the report writes them.

export function bytes(text) {
  const plain = atob(text);
  const found = new Uint8Array(plain.length);
  for (let i = 0; i < plain.length; i++) found[i] = plain.charCodeAt(i);
  return found;
}

export function pairs(text) {
  const raw = bytes(text);
  const found = new Uint16Array(raw.length / 2);
  for (let i = 0; i < found.length; i++) found[i] = raw[2 * i] | (raw[2 * i + 1] << 8);
  return found;
}

// Lines packed one after the other, as lists of [x, y] with both from 0 to 1.
export function lines(packed) {
  const numbers = pairs(packed.points);
  let start = 0;
  return packed.lengths.map((length) => {
    const line = [];
    for (let i = start; i < start + length; i++) line.push([numbers[2 * i] / 65535, numbers[2 * i + 1] / 65535]);
    start += length;
    return line;
  });
}
