// What one entry of a line is made of, written with the numbers of the step. The forms come from the equations themselves
// (`glassnet.equations.entries`); nothing is computed here but which cell stands where.

import { format } from "#arrays";

const LOOSE = 0;
const SUM = 1;
const PRODUCT = 2;
const POWER = 3;
const ATOM = 4;
const RAISED = { 2: "²", 3: "³" };

/**
 * The numbers a step is written with.
 * value(name, place) → a number; extents: { m: samples there are numbers for }; missing: samples of the batch there are none for;
 * digits: significant ones, 0 for all; most: terms of a sum that are written; keep: a sample whose term is written too.
 */
export class Numbers {
  constructor({ value, extents = {}, missing = 0, digits = 4, most = 8, single = false, keep = null }) {
    Object.assign(this, { value, extents, missing, digits, most, single, keep });
  }

  /** Pieces of text, and cells { text, name, place }, that together write the entry at `letters` ({ i: 0, j: 2 }). */
  written(form, letters) {
    return write(form, { ...letters }, this).pieces;
  }

  /** The same as one text. */
  text(form, letters) {
    return this.written(form, letters).map((piece) => (typeof piece === "string" ? piece : piece.text)).join("");
  }

  side(over) {
    return typeof over === "number" ? over : this.extents[over];
  }
}

/** Every cell that the entry at `letters` is made of: [name, place] each. */
export function cells(form, letters, numbers) {
  const found = [];
  const visit = (node, at) => {
    switch (node.kind) {
      case "cell":
        found.push([node.name, placeOf(node.at, at)]);
        break;
      case "sum":
      case "mean":
      case "max":
        for (const place of places(node.letters, node.over, numbers)) {
          const there = { ...at, ...place };
          if (inside(node.inner, there)) visit(node.inner, there);
        }
        break;
      case "chosen":
        found.push([node.name, placeOf(node.at, at)]);
        break;
      case "row":
        for (const place of places([node.letter], [node.over], numbers)) visit(node.inner, { ...at, ...place });
        break;
      case "infix":
        visit(node.left, at);
        visit(node.right, at);
        break;
      case "negative":
        visit(node.inner, at);
        break;
      case "call":
        node.arguments.forEach((part) => visit(part, at));
        break;
      default:
    }
  };
  visit(form, letters);
  return found;
}

/** What the letters of a line stand for at a place: { i: 0, j: 2 }. A side of length 1 has no letter. */
export function lettersAt(letters, place) {
  return Object.fromEntries(letters.map((letter, axis) => [letter, place[axis]]).filter(([letter]) => typeof letter === "string"));
}

/** The place that indices stand for. */
export function placeOf(indices, letters) {
  return indices.map((index) => indexOf(index, letters));
}

/**
 * The number that an index stands for: itself; a letter, or the one after it ("i+1"); (2u + r − 1) / 2, which need not be whole; or a
 * digit of a letter, ⌊j / 16⌋ mod 4.
 */
export function indexOf(index, letters) {
  if (typeof index === "number") return index;
  if (typeof index === "object") {
    if ("digit" in index) return Math.floor(letters[index.digit] / index.step) % index.size;
    return index.terms.reduce((sum, [letter, times]) => sum + times * letters[letter], index.offset) / index.divisor;
  }
  const [letter, further] = index.split("+");
  return letters[letter] + Number(further ?? 0);
}

/** Whether a place is one of the array's: whole, and within the bounds that are given. */
export function isPlace(place, bounds = []) {
  return place.every((index, axis) => Number.isInteger(index) && ((bounds[axis] ?? null) === null || (index >= 0 && index < bounds[axis])));
}

/** Whether all cells of a term are there: one that lies on the padding, or between the strides, leaves the term out. */
export function inside(form, at) {
  switch (form.kind) {
    case "cell":
      return isPlace(placeOf(form.at, at), form.bounds);
    case "infix":
      return inside(form.left, at) && inside(form.right, at);
    case "negative":
      return inside(form.inner, at);
    case "call":
      return form.arguments.every((part) => inside(part, at));
    default:
      return true;
  }
}

/** Whether an entry is the first largest of the window that it is compared with: 1 or 0. */
export function chosen({ name, at, window, size, stride }, letters, value) {
  const place = placeOf(at, letters);
  const corner = placeOf(window, letters).map((index, axis) => index * stride[axis]);
  const own = value(name, place);
  for (let row = 0; row < size[0]; row += 1) {
    for (let column = 0; column < size[1]; column += 1) {
      const [down, right] = [corner[0] + row, corner[1] + column];
      const before = down < place[2] || (down === place[2] && right < place[3]);
      const other = value(name, [place[0], place[1], down, right]);
      if (before ? other >= own : other > own) return 0;
    }
  }
  return 1;
}

function* places(letters, over, numbers) {
  const sides = over.map((side) => numbers.side(side));
  const count = sides.reduce((product, side) => product * side, 1);
  for (let number = 0; number < count; number += 1) yield placeAt(letters, sides, number);
}

function placeAt(letters, sides, number) {
  const place = {};
  let rest = number;
  for (let axis = letters.length - 1; axis >= 0; axis -= 1) {
    place[letters[axis]] = rest % sides[axis];
    rest = Math.floor(rest / sides[axis]);
  }
  return place;
}

function number(value, numbers) {
  const text = format(value, numbers.digits, numbers.single);
  if (text.startsWith("−")) return { text, level: SUM };
  return { text, level: text.includes("e") ? PRODUCT : ATOM };
}

function held(form, level, at, numbers) {
  const { pieces, level: own } = write(form, at, numbers);
  return own >= level ? pieces : ["(", ...pieces, ")"];
}

/** What begins with a minus, without it; null when it does not. */
function afterMinus(pieces) {
  const [first, ...rest] = pieces;
  const text = typeof first === "string" ? first : first?.text;
  if (!text?.startsWith("−")) return null;
  const left = text.slice(1);
  return [typeof first === "string" ? left : { ...first, text: left }, ...rest];
}

/** The terms of a sum that are written, and how many are left out between them; `kept` is how many there are, `count` with those that are not. */
function terms(letters, over, inner, at, numbers) {
  const sides = over.map((side) => numbers.side(side));
  const count = sides.reduce((product, side) => product * side, 1);
  const there = (k) => ({ ...at, ...placeAt(letters, sides, k) });
  const kept = [];
  for (let k = 0; k < count; k += 1) if (inside(inner, there(k))) kept.push(k);
  const found = [];
  let next = 0;
  for (const place of shown(over, sides, kept, numbers)) {
    if (place > next) found.push(place - next);
    found.push(write(inner, there(kept[place]), numbers));
    next = place + 1;
  }
  return { found, count, kept: kept.length };
}

/** Which terms are written: of a long sum the first ones and the last, and over the samples that of the sample to be kept. */
function shown(over, sides, kept, { most, keep }) {
  if (kept.length <= most) return kept.map((_, place) => place);
  const found = new Set(Array.from({ length: most - 1 }, (_, k) => k));
  const axis = over.indexOf("m");
  if (axis >= 0 && keep !== null) {
    const inner = sides.slice(axis + 1).reduce((product, side) => product * side, 1);
    const place = kept.findIndex((k) => Math.floor(k / inner) % sides[axis] === keep);
    if (place >= 0) found.add(place);
  }
  return [...found.add(kept.length - 1)].sort((a, b) => a - b);
}

/** Terms with commas between them. */
function listed(found) {
  return found.flatMap((term, k) => [
    ...(k ? [", "] : []),
    ...(typeof term === "number" ? [`… ${term.toLocaleString("en")} more …`] : term.pieces),
  ]);
}

function total(form, at, numbers) {
  const { found, count, kept } = terms(form.letters, form.over, form.inner, at, numbers);
  if (form.kind === "max") return { pieces: ["max(", ...listed(found), ")"], level: ATOM };
  const pieces = [];
  for (const term of found) {
    if (typeof term === "number") {
      pieces.push(` + … ${term.toLocaleString("en")} more …`);
      continue;
    }
    if (!pieces.length) pieces.push(...term.pieces);
    else {
      const own = term.level >= SUM ? term.pieces : ["(", ...term.pieces, ")"];
      const positive = afterMinus(own);
      pieces.push(positive ? " − " : " + ", ...(positive ?? own));
    }
  }
  if (!pieces.length) pieces.push("0");
  const missing = form.over.includes("m") ? numbers.missing : 0;
  if (missing) pieces.push(` + … ${missing.toLocaleString("en")} more samples …`);
  if (form.kind === "mean") {
    const samples = numbers.side("m");
    return { pieces: ["(", ...pieces, `) / ${missing ? (count / samples) * (samples + missing) : count}`], level: PRODUCT };
  }
  return { pieces, level: kept + missing > 1 ? SUM : found[0]?.level ?? ATOM };
}

function write(form, at, numbers) {
  switch (form.kind) {
    case "number": {
      const { text, level } = number(form.value, numbers);
      return { pieces: [text], level };
    }
    case "cell": {
      const place = placeOf(form.at, at);
      const { text, level } = number(numbers.value(form.name, place), numbers);
      return { pieces: [{ text, name: form.name, place }], level };
    }
    case "chosen": {
      const text = String(chosen(form, at, numbers.value));
      return { pieces: [{ text, name: form.name, place: placeOf(form.at, at) }], level: ATOM };
    }
    case "sum":
    case "mean":
    case "max":
      return total(form, at, numbers);
    case "row": {
      const { found } = terms([form.letter], [form.over], form.inner, at, numbers);
      const entry = form.at === null ? "" : `[${indexOf(form.at, at)}]`;
      return { pieces: [`${form.name}(`, ...listed(found), `)${entry}`], level: ATOM };
    }
    case "negative":
      return { pieces: ["−", ...held(form.inner, PRODUCT, at, numbers)], level: SUM };
    case "call": {
      const inner = form.arguments.flatMap((part, k) => [...(k ? [", "] : []), ...write(part, at, numbers).pieces]);
      if (form.name === "abs") return { pieces: ["|", ...inner, "|"], level: ATOM };
      return { pieces: [form.name === "sqrt" ? "√(" : `${form.name}(`, ...inner, ")"], level: ATOM };
    }
    case "infix":
      return infix(form, at, numbers);
    default:
      return { pieces: [form.text], level: ATOM };
  }
}

function infix({ operator, left, right }, at, numbers) {
  const join = (low, sign, high, level) => ({
    pieces: [...held(left, low, at, numbers), sign, ...held(right, high, at, numbers)],
    level,
  });
  switch (operator) {
    case "^":
      if (right.kind === "number" && RAISED[right.value]) {
        return { pieces: [...held(left, ATOM, at, numbers), RAISED[right.value]], level: POWER };
      }
      return join(ATOM, "^", ATOM, POWER);
    case "·":
      return join(PRODUCT, "·", PRODUCT, PRODUCT);
    case "/":
      return join(PRODUCT, " / ", POWER, PRODUCT);
    case "−":
      return join(SUM, " − ", PRODUCT, SUM);
    case "+": {
      const second = held(right, SUM, at, numbers);
      const positive = afterMinus(second);
      return {
        pieces: [...held(left, SUM, at, numbers), positive ? " − " : " + ", ...(positive ?? second)],
        level: SUM,
      };
    }
    default: {
      const inner = join(SUM, ` ${operator} `, SUM, LOOSE).pieces;
      return { pieces: ["(", ...inner, ")"], level: ATOM };
    }
  }
}

