// The filter language of the command line (docs/reference/filters.md), for the rows of the page.
import { number } from "./format.js";

/** @typedef {(row: number) => boolean} Test */
/** @typedef {{ kind: "word" | "text" | "column" | "sign" | "mark", text: string }} Token */
/** @typedef {{ column: (name: string) => Cell[] }} Source which throws an Error where there is no such column */

const TOKEN = /\s*(?:(<=|>=|!=|==|[<>=])|([(),])|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|`([^`]+)`|([^\s<>=!(),"'`]+))/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
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
    if (!token || token.kind === "sign" || token.kind === "mark" || ["and", "or", "in", "not"].some(is)) throw lack(what);
    at++;
    return token;
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
    if (list[at]?.kind === "sign") {
      let sign = list[at++].text;
      let right = next("a value");
      if (left.kind === "text" || (left.kind === "word" && NUMBER.test(left.text))) {
        [left, sign, right] = [right, TURNED[sign] ?? sign, left]; // 0.1 < lr
      }
      const values = source.column(left.text);
      if (right.kind !== "column") return against(values, sign, right);
      const others = source.column(right.text);
      return (row) => compare(values[row], sign, others[row]);
    }
    const isNot = accept("not");
    if (accept("in")) return isNot ? opposite(membership(left)) : membership(left);
    if (isNot) throw lack('"in"');
    if (left.kind === "text") throw lack('"=", "<", "in" or the like');
    const values = source.column(left.text);
    if (isDoubtful && !values.some((value) => typeof value === "boolean")) throw lack("a sign");
    return (row) => compare(values[row], "=", true);
  }
  /** @param {Token} left @returns {Test} */
  function membership(left) {
    if (accept("(")) {
      const values = source.column(left.text);
      const tests = [against(values, "=", next("a value"))];
      while (accept(",")) tests.push(against(values, "=", next("a value")));
      if (!accept(")")) throw lack('"," or ")"');
      return (row) => tests.some((test) => test(row));
    }
    const values = source.column(next("a column, or values in parentheses").text);
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

/** @param {Token} token @returns {Cell} */
function literal({ kind, text }) {
  if (kind !== "word") return text;
  const small = text.toLowerCase();
  if (small === "null" || small === "none") return null;
  if (small === "true" || small === "false") return small === "true";
  return NUMBER.test(text) ? Number(text) : text; // "nan" and "inf" are texts, as they are in the columns
}

/** Compare values with one that was written; a word that looks like a number also means a text that is the same. @param {Cell[]} values @param {string} sign @param {Token} right @returns {Test} */
function against(values, sign, right) {
  const wanted = literal(right);
  if (wanted === null) {
    if (sign !== "=" && sign !== "!=") throw new Error("null can only be compared by = and !=");
    return (row) => (values[row] == null) === (sign === "=");
  }
  const isSame = (/** @type {number} */ row) => right.kind === "word" && values[row] === right.text;
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
 * @param {ColumnFilter} filter
 * @param {Cell[]} values
 * @returns {Test}
 */
export function columnTest(filter, values) {
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
  const tests = parts.map((part) => part.trim()).filter(Boolean).map((part) => typedTest(part, values));
  return tests.length === 1 ? tests[0] : (row) => !tests.length || tests.some((test) => test(row));
}

/** @param {string} text @param {Cell[]} values @returns {Test} */
function typedTest(text, values) {
  const range = /^(\S*?)\s*\.\.\s*(\S*)$/.exec(text);
  if (range && (range[1] || range[2]) && !Number.isNaN(Number(range[1])) && !Number.isNaN(Number(range[2]))) {
    const [low, high] = [range[1] ? Number(range[1]) : -Infinity, range[2] ? Number(range[2]) : Infinity];
    return columnTest({ kind: "range", low, high }, values);
  }
  const sign = /^(<=|>=|!=|==?|<|>)\s*(.+)$/.exec(text);
  if (sign) {
    const quoted = /^"((?:\\.|[^"\\])*)"$/.exec(sign[2]);
    const right = /** @type {Token} */ (quoted ? { kind: "text", text: quoted[1].replace(/\\(.)/g, "$1") } : { kind: "word", text: sign[2] });
    try {
      return against(values, sign[1] === "==" ? "=" : sign[1], right);
    } catch {
      return () => false; // less than nothing
    }
  }
  const value = Number(text);
  const words = text.toLowerCase();
  return (row) => {
    const own = values[row];
    if (own == null) return false;
    return typeof own === "number" && !Number.isNaN(value) ? own === value : String(own).toLowerCase().includes(words);
  };
}

/** What stands in the column's field, and means the same once it is edited. @param {ColumnFilter} filter */
export function columnText(filter) {
  if (filter.kind === "typed") return filter.text;
  if (filter.kind === "set") return filter.values.map((value) => `=${exactly(value)}`).join(" | ");
  return `${filter.low}..${filter.high}`;
}

/** The same, shortly, to be read. @param {ColumnFilter} filter */
export function columnWords(filter) {
  if (filter.kind === "typed") return filter.text;
  if (filter.kind === "set") return filter.values.map((value) => (value == null ? "none" : String(value))).join(" | ");
  return `${number(filter.low)}..${number(filter.high)}`;
}

/** @param {Cell} value */
function exactly(value) {
  if (value == null) return "none";
  const isPlain = typeof value !== "string" || (/^[^|"\s\\](?:[^|"\\]*[^|"\s\\])?$/.test(value) && typeof literal({ kind: "word", text: value }) === "string");
  return isPlain ? String(value) : `"${value.replace(/["\\]/g, "\\$&")}"`;
}
