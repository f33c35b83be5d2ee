// Where an axis has its ticks, and how numbers are written beside them.

// Round numbers between two ends, about so many of them.
export function ticks(low, high, count = 5) {
  if (!(high > low)) return [low];
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++) found.push(n * step);
  return found.map((n) => Number(n.toPrecision(12)));
}

// Powers of ten between two ends; with 2 and 5 times them where there are few.
export function logTicks(low, high) {
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const powers = [];
  for (let n = from; n <= to; n++) powers.push(n);
  const between = to - from <= 2 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil((to - from) / 8));
  return powers
    .filter((n) => (n - from) % every === 0)
    .flatMap((n) => between.map((m) => Number((m * 10 ** n).toPrecision(12))))
    .filter((n) => n >= low * 0.999999 && n <= high * 1.000001);
}

// 0 and the powers of ten up to the last, with 2 and 5 times them where there are few, for an axis that is logarithmic in 1 + x.
export function countTicks(last) {
  const found = [0];
  for (let n = 1; n <= last; n *= 10) found.push(...(last < 100 ? [n, 2 * n, 5 * n] : [n]).filter((m) => m <= last));
  return found;
}

// A tick's text: 10,000, 0.25, 1e−7.
export function tickText(value) {
  const size = Math.abs(value);
  if (value === 0) return "0";
  if (size >= 1e6 || size < 1e-3) return value.toExponential().replace("e+", "e").replace(/-/g, "−");
  return value.toLocaleString("en", { maximumSignificantDigits: 6 }).replace("-", "−");
}

// Places on an axis of so many units: linear, logarithmic, or logarithmic in 1 + x.
export function scale(kind, low, high, from, to) {
  const f = { linear: (v) => v, log: Math.log, count: Math.log1p }[kind];
  const width = f(high) - f(low) || 1;
  return (value) => from + ((to - from) * (f(value) - f(low))) / width;
}
