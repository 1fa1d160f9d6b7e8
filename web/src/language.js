// The filter language of the command line (docs/reference/filters.md), for the rows of the page.
import { number, quantity, unitsOf, withUnit } from "./format.js";

/** @typedef {(row: number) => boolean} Test */
/** @typedef {{ kind: "word" | "text" | "column" | "sign" | "mark" | "amount", text: string, rest?: string }} Token an amount is a number with words behind it, its units or what must not be there: the `rest` */
/** @typedef {"B" | "s" | ""} Unit what the numbers of a column are: bytes, seconds, or nothing of which the unit is known */
/** @typedef {{ column: (name: string) => { values: Cell[], unit: Unit } }} Source which throws an Error where there is no such column */

const TOKEN = /\s*(?:(<=|>=|!=|==|[<>=])|([(),])|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|`([^`]+)`|([^\s<>=!(),"'`]+))/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const BEGINS_AS_NUMBER = /^[+-]?\.?\d/;
const TURNED = /** @type {Record<string, string>} */ ({ "<": ">", ">": "<", "<=": ">=", ">=": "<=" });

/** @param {string} text @returns {Token[]} */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`"${text.slice(at).trim()}" is not understood`);
    const [, sign, mark, double, single, column, word] = match;
    const quoted = double ?? single;
    if (sign) found.push({ kind: /** @type {const} */ ("sign"), text: sign === "==" ? "=" : sign });
    else if (mark) found.push({ kind: /** @type {const} */ ("mark"), text: mark });
    else if (quoted !== undefined) found.push({ kind: /** @type {const} */ ("text"), text: quoted.replace(/\\(.)/g, "$1") });
    else if (column !== undefined) found.push({ kind: /** @type {const} */ ("column"), text: column });
    else found.push({ kind: /** @type {const} */ ("word"), text: word });
  }
  return found;
}

/**
 * Compile a filter, if the text is one; null of words that are to be looked for.
 *
 * What has a sign or a column in backquotes is a filter, and what is wrong with it is told by an Error. Anything else
 * is one only when it can be read so: `killed in epoch 3` cannot, nor `failed` while there is no such column.
 *
 * @param {string} text
 * @param {Source} source
 * @returns {Test | null}
 */
export function filterOf(text, source) {
  if (/[<>=`]|["']\s*(not\s+)?in\b|(^|\(|\b(and|or|not)\b)\s*[^\s()]+\s+(not\s+)?in\s*\(/i.test(text)) return compile(text, source);
  try {
    return compile(text, source, true);
  } catch {
    return null;
  }
}

/**
 * Compile a filter as `runs.filter_parser` reads it. Throws an Error that says what is wrong with it.
 *
 * @param {string} text
 * @param {Source} source
 * @param {boolean} [isDoubtful] whether it may be words: then a column alone must be one of true and false
 * @returns {Test}
 */
export function compile(text, source, isDoubtful = false) {
  const list = tokens(text);
  let at = 0;
  const is = (/** @type {string} */ word) => (list[at]?.kind === "word" ? list[at].text.toLowerCase() : list[at]?.kind === "mark" ? list[at].text : "") === word;
  const accept = (/** @type {string} */ word) => (is(word) ? Boolean(++at) : false);
  const lack = (/** @type {string} */ what) => new Error(`expected ${what}, got ${list[at] ? `"${list[at].text}"` : "the end"}`);
  const next = (/** @type {string} */ what) => {
    const token = list[at];
    if (!token || token.kind === "sign" || token.kind === "mark" || isKeyword()) throw lack(what);
    at++;
    return token;
  };

  const isKeyword = () => ["and", "or", "in", "not"].some(is);
  /** A number and the words behind it, which are nothing but its units: `1 min 15 s` is one value. @param {Token} token @returns {Token} */
  const amount = (token) => {
    const from = at;
    if (token.kind === "word" && BEGINS_AS_NUMBER.test(token.text)) while (list[at]?.kind === "word" && !isKeyword()) at++;
    const words = list.slice(from, at).map((one) => one.text);
    return words.length ? { kind: "amount", text: [token.text, ...words].join(" "), rest: words[0] } : token;
  };

  /** @returns {Test} */
  function either() {
    const parts = [all()];
    while (accept("or")) parts.push(all());
    return parts.length === 1 ? parts[0] : (row) => parts.some((part) => part(row));
  }
  /** @returns {Test} */
  function all() {
    const parts = [inverse()];
    while (accept("and")) parts.push(inverse());
    return parts.length === 1 ? parts[0] : (row) => parts.every((part) => part(row));
  }
  /** @returns {Test} */
  function inverse() {
    if (accept("not")) return opposite(inverse());
    if (accept("(")) {
      const part = either();
      if (!accept(")")) throw lack('"and", "or" or ")"');
      return part;
    }
    return comparison();
  }
  /** @returns {Test} */
  function comparison() {
    let left = next("a column or a value");
    const behind = at;
    left = amount(left);
    if (list[at]?.kind !== "sign") [left, at] = [list[behind - 1], behind];
    else {
      let sign = list[at++].text;
      let right = amount(next("a value"));
      if (isValue(left, right)) [left, sign, right] = [right, TURNED[sign] ?? sign, left]; // 0.1 < lr
      const { values, unit } = source.column(left.text);
      if (right.kind !== "column") return against(values, sign, right, unit);
      const others = source.column(right.text).values;
      return (row) => compare(values[row], sign, others[row]);
    }
    const isNot = accept("not");
    if (accept("in")) return isNot ? opposite(membership(left)) : membership(left);
    if (isNot) throw lack('"in"');
    if (left.kind === "text") throw lack('"=", "<", "in" or the like');
    const { values } = source.column(left.text);
    if (isDoubtful && !values.some((value) => typeof value === "boolean")) throw lack("a sign");
    return (row) => compare(values[row], "=", true);
  }
  /** @param {Token} left @returns {Test} */
  function membership(left) {
    if (accept("(")) {
      const { values, unit } = source.column(left.text);
      const one = () => against(values, "=", amount(next("a value")), unit);
      const tests = [one()];
      while (accept(",")) tests.push(one());
      if (!accept(")")) throw lack('"," or ")"');
      return (row) => tests.some((test) => test(row));
    }
    const { values } = source.column(next("a column, or values in parentheses").text);
    return (row) => contains(values[row], left);
  }

  const test = either();
  if (at < list.length) throw lack('"and" or "or"');
  return test;
}

/** @param {Test} test @returns {Test} */
function opposite(test) {
  return (row) => !test(row);
}

/** Whether what stands before a sign is the value, and the column comes behind it. @param {Token} left @param {Token} right */
function isValue({ kind, text }, right) {
  if (kind === "text" || kind === "amount" || (kind === "word" && NUMBER.test(text))) return true;
  return kind === "word" && (quantity(text, "B") ?? quantity(text, "s")) !== null && right.kind !== "text" && !BEGINS_AS_NUMBER.test(right.text); // 200MiB
}

/**
 * How many bytes or seconds were written; null where it is no number. Throws an Error where its unit is none of these.
 *
 * @param {Token} token
 * @param {Unit} unit
 */
function measured({ kind, text }, unit) {
  if (!unit || (kind !== "word" && kind !== "amount") || !BEGINS_AS_NUMBER.test(text)) return null;
  const found = quantity(text, unit);
  if (found === null) throw new Error(`"${text}" is no ${unit === "B" ? "size" : "time"}: a number may have ${unitsOf(unit)} behind it`);
  return found;
}

/** @param {Token} token @returns {Cell} */
function literal({ kind, text }) {
  if (kind !== "word") return text;
  const small = text.toLowerCase();
  if (small === "null" || small === "none") return null;
  if (small === "true" || small === "false") return small === "true";
  return NUMBER.test(text) ? Number(text) : text; // "nan" and "inf" are texts, as they are in the columns
}

/**
 * Compare values with one that was written. A word that looks like a number also means a text that is the same, and
 * what has a unit all that is shown so: `= 1.5 GiB`.
 *
 * @param {Cell[]} values
 * @param {string} sign
 * @param {Token} right
 * @param {Unit} unit
 * @returns {Test}
 */
function against(values, sign, right, unit) {
  if (right.kind === "amount" && !unit) throw new Error(`expected "and" or "or", got "${right.rest}"`);
  const size = measured(right, unit);
  const wanted = size ?? literal(right);
  if (wanted === null) {
    if (sign !== "=" && sign !== "!=") throw new Error("null can only be compared by = and !=");
    return (row) => (values[row] == null) === (sign === "=");
  }
  const shown = size !== null && !NUMBER.test(right.text) ? withUnit(size, unit) : null;
  const isSame = (/** @type {number} */ row) => {
    const own = values[row];
    return shown === null ? right.kind === "word" && own === right.text : typeof own === "number" && withUnit(own, unit) === shown;
  };
  if (sign === "=") return (row) => isSame(row) || compare(values[row], sign, wanted);
  return (row) => !(sign === "!=" && isSame(row)) && compare(values[row], sign, wanted);
}

/** @param {Cell} left @param {string} sign @param {Cell} right */
function compare(left, sign, right) {
  if (left == null || right == null) return false;
  const a = typeof left === "boolean" ? Number(left) : left;
  const b = typeof right === "boolean" ? Number(right) : right;
  if (typeof a !== typeof b) return sign === "!=";
  if (sign === "=") return a === b;
  if (sign === "!=") return a !== b;
  if (sign === "<") return a < b;
  if (sign === "<=") return a <= b;
  return sign === ">" ? a > b : a >= b;
}

/** Whether a text has another in it, or a list, which stands in the page as its JSON, a value. @param {Cell} own @param {Token} wanted */
function contains(own, wanted) {
  if (typeof own !== "string") return false;
  if (own.startsWith("[")) {
    try {
      const value = literal(wanted);
      return JSON.parse(own).some((/** @type {any} */ item) => compare(item !== null && typeof item === "object" ? JSON.stringify(item) : item, "=", value) || (wanted.kind === "word" && item === wanted.text));
    } catch {
      // no list, or one that is cut: a text
    }
  }
  return own.includes(wanted.text);
}

/**
 * A filter of one column: what was brushed, or what was typed into its field, such as `<0.1`, `0.1..1`, `=adam`, or
 * words it contains; several of these, one of which must fit, with `|` between them.
 *
 * @typedef {{ kind: "range", low: number, high: number } | { kind: "set", values: Cell[] } | { kind: "typed", text: string }} ColumnFilter
 *
 * Throws an Error where a unit is written that the column does not have.
 *
 * @param {ColumnFilter} filter
 * @param {Cell[]} values
 * @param {Unit} [unit]
 * @returns {Test}
 */
export function columnTest(filter, values, unit = "") {
  if (filter.kind === "range") {
    const { low, high } = filter;
    return (row) => {
      const value = values[row];
      return typeof value === "number" && value >= low && value <= high;
    };
  }
  if (filter.kind === "set") {
    const wanted = new Set(filter.values);
    return (row) => wanted.has(values[row]);
  }
  const parts = filter.text.match(/(?:"(?:\\.|[^"\\])*"|[^|])+/g) ?? [];
  const tests = parts.map((part) => part.trim()).filter(Boolean).map((part) => typedTest(part, values, unit));
  return tests.length === 1 ? tests[0] : (row) => !tests.length || tests.some((test) => test(row));
}

/** @param {string} text @param {Cell[]} values @param {Unit} unit @returns {Test} */
function typedTest(text, values, unit) {
  const range = rangeOf(text, unit);
  if (range) return columnTest({ kind: "range", ...range }, values);
  const sign = /^(<=|>=|!=|==?|<|>)\s*(.+)$/.exec(text);
  if (sign) {
    const quoted = /^"((?:\\.|[^"\\])*)"$/.exec(sign[2]);
    const right = /** @type {Token} */ (quoted ? { kind: "text", text: quoted[1].replace(/\\(.)/g, "$1") } : { kind: "word", text: sign[2] });
    measured(right, unit);
    try {
      return against(values, sign[1] === "==" ? "=" : sign[1], right, unit);
    } catch {
      return () => false; // less than nothing
    }
  }
  if (unit && BEGINS_AS_NUMBER.test(text)) return shownTest(text, values, unit);
  const value = Number(text);
  const words = text.toLowerCase();
  return (row) => {
    const own = values[row];
    if (own == null) return false;
    return typeof own === "number" && !Number.isNaN(value) ? own === value : String(own).toLowerCase().includes(words);
  };
}

/** The ends of `0.1..1`, `..1 GiB` or `100..200 MiB`; null of what is no range. @param {string} text @param {Unit} unit */
function rangeOf(text, unit) {
  const found = (unit ? /^([^<>=!]*?)\s*\.\.\s*(.*)$/ : /^(\S*?)\s*\.\.\s*(\S*)$/).exec(text);
  if (!found || !(found[1] || found[2])) return null;
  const last = /[a-z]+$/i.exec(found[2])?.[0] ?? "";
  const [low, high] = [NUMBER.test(found[1]) && unit ? `${found[1]} ${last}` : found[1], found[2]].map((end) => (end ? (measured({ kind: "word", text: end.trim() }, unit) ?? Number(end)) : null));
  return Number.isNaN(low) || Number.isNaN(high) ? null : { low: low ?? -Infinity, high: high ?? Infinity };
}

/** What is as large, or is shown as a text that begins so: "1.5 GiB", or "1.5". @param {string} text @param {Cell[]} values @param {"B" | "s"} unit @returns {Test} */
function shownTest(text, values, unit) {
  const size = quantity(text, unit);
  const begin = text.toLowerCase().replace(/\s+/g, " ");
  const isShown = (/** @type {number} */ own) => {
    const shown = withUnit(own, unit).toLowerCase();
    return shown.startsWith(begin) && !(/\d$/.test(begin) && /\d/.test(shown.charAt(begin.length)));
  };
  const fits = values.map((own) => typeof own === "number" && (own === size || isShown(own)));
  if (size === null && !fits.includes(true)) measured({ kind: "word", text }, unit); // which says what is wrong
  return (row) => fits[row];
}

/** What stands in the column's field, and means the same once it is edited. @param {ColumnFilter} filter @param {Unit} unit */
export function columnText(filter, unit) {
  if (filter.kind === "typed") return filter.text;
  if (filter.kind === "set") return filter.values.map((value) => `=${exactly(value)}`).join(" | ");
  return `${filter.low}..${filter.high}${unit && ` ${unit}`}`;
}

/** The same, shortly, to be read. @param {ColumnFilter} filter @param {Unit} unit */
export function columnWords(filter, unit) {
  if (filter.kind === "typed") return filter.text;
  if (filter.kind === "set") return filter.values.map((value) => (value == null ? "none" : String(value))).join(" | ");
  return unit ? `${withUnit(filter.low, unit)} .. ${withUnit(filter.high, unit)}` : `${number(filter.low)}..${number(filter.high)}`;
}

/** @param {Cell} value */
function exactly(value) {
  if (value == null) return "none";
  const isPlain = typeof value !== "string" || (/^[^|"\s\\](?:[^|"\\]*[^|"\s\\])?$/.test(value) && typeof literal({ kind: "word", text: value }) === "string");
  return isPlain ? String(value) : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
