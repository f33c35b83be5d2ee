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
        for (const place of places(node.letters, node.over, numbers)) visit(node.inner, { ...at, ...place });
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

/** The letters of an entry at a place: i, j of a matrix, j of a row of units. */
export function lettersAt(place) {
  return place.length === 1 ? { j: place[0] } : Object.fromEntries(place.map((index, axis) => ["ijkl"[axis], index]));
}

function placeOf(indices, letters) {
  return indices.map((index) => oneOf(index, letters));
}

/** The number that an index stands for: itself, a letter, or the one after it ("i+1"). */
function oneOf(index, letters) {
  if (typeof index === "number") return index;
  const [letter, further] = index.split("+");
  return letters[letter] + Number(further ?? 0);
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

function terms(letters, over, inner, at, numbers) {
  const sides = over.map((side) => numbers.side(side));
  const count = sides.reduce((product, side) => product * side, 1);
  const found = [];
  let next = 0;
  for (const k of shown(over, sides, count, numbers)) {
    if (k > next) found.push(k - next);
    found.push(write(inner, { ...at, ...placeAt(letters, sides, k) }, numbers));
    next = k + 1;
  }
  return { found, count };
}

/** Which terms are written: of a long sum the first ones and the last, and over the samples that of the sample to be kept. */
function shown(over, sides, count, { most, keep }) {
  if (count <= most) return Array.from({ length: count }, (_, k) => k);
  const found = new Set(Array.from({ length: most - 1 }, (_, k) => k));
  const axis = over.indexOf("m");
  if (axis >= 0 && keep !== null) found.add(keep * sides.slice(axis + 1).reduce((product, side) => product * side, 1));
  return [...found.add(count - 1)].sort((a, b) => a - b);
}

function total(form, at, numbers) {
  const { found, count } = terms(form.letters, form.over, form.inner, at, numbers);
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
  let samples = count;
  if (numbers.missing && form.over.includes("m")) {
    pieces.push(` + … ${numbers.missing.toLocaleString("en")} more samples …`);
    samples += numbers.missing;
  }
  if (form.kind === "mean") return { pieces: ["(", ...pieces, `) / ${samples}`], level: PRODUCT };
  return { pieces, level: samples > 1 ? SUM : found[0]?.level ?? ATOM };
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
    case "sum":
    case "mean":
      return total(form, at, numbers);
    case "row": {
      const { found } = terms([form.letter], [form.over], form.inner, at, numbers);
      const pieces = [`${form.name}(`];
      found.forEach((term, k) => {
        if (k) pieces.push(", ");
        pieces.push(...(typeof term === "number" ? [`… ${term} more …`] : term.pieces));
      });
      const entry = form.at === null ? "" : `[${oneOf(form.at, at)}]`;
      return { pieces: [...pieces, `)${entry}`], level: ATOM };
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

