// The filter language of the command line (docs/reference/filters.md), for the rows of the page.

/** @typedef {(row: number) => boolean} Test */
/** @typedef {{ kind: "word" | "text" | "column" | "sign", text: string }} Token */
/** @typedef {{ column: (name: string) => Cell[] | null }} Source */

const TOKEN = /\s*(?:(<=|>=|!=|==|[<>=(),])|"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|`([^`]*)`|([^\s<>=!(),"'`]+))/y;
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Whether a text is meant as a filter, not as words to look for. @param {string} text */
export function isFilter(text) {
  return /[<>=]|\bin\b|^\s*not\b/.test(text);
}

/** @param {string} text @returns {Token[]} */
function tokens(text) {
  const found = [];
  TOKEN.lastIndex = 0;
  while (text.slice(TOKEN.lastIndex).trim()) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (!match) throw new Error(`"${text.slice(at).trim()}" is not understood`);
    const [, sign, double, single, column, word] = match;
    const quoted = double ?? single;
    if (sign) found.push({ kind: /** @type {const} */ ("sign"), text: sign === "==" ? "=" : sign });
    else if (quoted !== undefined) found.push({ kind: /** @type {const} */ ("text"), text: quoted.replace(/\\(.)/g, "$1") });
    else if (column !== undefined) found.push({ kind: /** @type {const} */ ("column"), text: column });
    else found.push({ kind: /** @type {const} */ ("word"), text: word });
  }
  return found;
}

/**
 * Compile a filter. Throws an Error that says what is wrong with it.
 *
 * @param {string} text
 * @param {Source} source
 * @returns {Test}
 */
export function compile(text, source) {
  const list = tokens(text);
  let at = 0;
  const is = (/** @type {string} */ word) => list[at]?.kind !== "text" && list[at]?.text.toLowerCase() === word;
  const accept = (/** @type {string} */ word) => (is(word) ? Boolean(++at) : false);
  const demand = (/** @type {string} */ word) => {
    if (!accept(word)) throw new Error(`expected "${word}"${list[at] ? `, got "${list[at].text}"` : " at the end"}`);
  };
  const next = (/** @type {string} */ what) => {
    const token = list[at++];
    if (!token || token.kind === "sign") throw new Error(`expected ${what}${token ? `, got "${token.text}"` : " at the end"}`);
    return token;
  };
  const columnOf = (/** @type {Token} */ token) => {
    const values = source.column(token.text);
    if (!values) throw new Error(`there is no column "${token.text}"`);
    return values;
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
    if (accept("not")) {
      const part = inverse();
      return (row) => !part(row);
    }
    if (accept("(")) {
      const part = either();
      demand(")");
      return part;
    }
    return comparison();
  }
  /** @returns {Test} */
  function comparison() {
    const left = next("a column");
    const isNot = is("not");
    if (isNot) at++;
    if (accept("in")) return isNot ? opposite(membership(left)) : membership(left);
    if (isNot) throw new Error('expected "in" after "not"');
    const values = columnOf(left);
    const sign = list[at]?.kind === "sign" && /[<>=]/.test(list[at].text) ? list[at++].text : "";
    if (!sign) return (row) => values[row] === true || values[row] === "true";
    const right = next("a value");
    if (right.kind === "column") {
      const others = columnOf(right);
      return (row) => compare(values[row], sign, others[row]);
    }
    return against(values, sign, right);
  }
  /** @param {Token} left @returns {Test} */
  function membership(left) {
    if (accept("(")) {
      const values = columnOf(left);
      const tests = [against(values, "=", next("a value"))];
      while (accept(",")) tests.push(against(values, "=", next("a value")));
      demand(")");
      return (row) => tests.some((test) => test(row));
    }
    const values = columnOf(next("a column"));
    return (row) => values[row] != null && String(values[row]).includes(left.text);
  }

  const test = either();
  if (at < list.length) throw new Error(`expected "and" or "or", got "${list[at].text}"`);
  return test;
}

/** @param {Test} test @returns {Test} */
function opposite(test) {
  return (row) => !test(row);
}

/** @param {Token} token @returns {Cell} */
function literal({ kind, text }) {
  if (kind === "text") return text;
  const small = text.toLowerCase();
  if (small === "null" || small === "none") return null;
  if (small === "true" || small === "false") return small === "true";
  return NUMBER.test(text) ? Number(text) : text; // "nan" and "inf" are texts, as they are in the columns
}

/** Compare values with one that was written; a word that looks like a number also means a text that is the same. @param {Cell[]} values @param {string} sign @param {Token} right @returns {Test} */
function against(values, sign, right) {
  const wanted = literal(right);
  if (wanted === null) return (row) => (values[row] == null) === (sign === "=");
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

/**
 * A filter of one column, as typed into its field: `<0.1`, `0.1..1`, `=adam`, `a | b`, or words it contains.
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
  const text = filter.text.trim();
  const range = /^(\S*?)\s*\.\.\s*(\S*)$/.exec(text);
  if (range && (range[1] || range[2]) && !Number.isNaN(Number(range[1])) && !Number.isNaN(Number(range[2]))) {
    const [low, high] = [range[1] ? Number(range[1]) : -Infinity, range[2] ? Number(range[2]) : Infinity];
    return columnTest({ kind: "range", low, high }, values);
  }
  const sign = /^(<=|>=|!=|==?|<|>)\s*(.+)$/.exec(text);
  if (sign) {
    return against(values, sign[1] === "==" ? "=" : sign[1], { kind: "word", text: sign[2] });
  }
  const value = Number(text);
  const words = text.toLowerCase().split("|").map((word) => word.trim()).filter(Boolean);
  return (row) => {
    const own = values[row];
    if (own == null) return false;
    if (typeof own === "number" && !Number.isNaN(value)) return own === value;
    const whole = String(own).toLowerCase();
    return words.some((word) => whole.includes(word));
  };
}

/** What stands in the column's field. @param {ColumnFilter} filter */
export function columnText(filter) {
  if (filter.kind === "typed") return filter.text;
  if (filter.kind === "set") return filter.values.map((value) => (value == null ? "none" : String(value))).join(" | ");
  const short = (/** @type {number} */ value) => (Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "");
  return `${short(filter.low)}..${short(filter.high)}`;
}
