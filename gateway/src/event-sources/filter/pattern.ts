/** An event pattern, compiled: all of `members` must hold, and of each list in `anyOf` one. */
export interface Pattern {
  readonly members: readonly Member[];
  /** From `$or`. */
  readonly anyOf: readonly (readonly Pattern[])[];
}

export interface Member {
  readonly key: string;
  /** Keys from the event to its value, `key` included. */
  readonly path: readonly string[];
  /** Into an object, or what a value may be: one of these. */
  readonly rule: Pattern | readonly Choice[];
}

/** One thing that a value may be. */
export type Choice =
  | { readonly kind: 'equals'; readonly value: string | number | boolean | null }
  | { readonly kind: 'exists'; readonly wanted: boolean }
  | { readonly kind: 'prefix' | 'suffix' | 'equalsIgnoreCase'; readonly text: string }
  | { readonly kind: 'numeric'; readonly bounds: readonly Bound[] }
  /** None of `of` holds. */
  | { readonly kind: 'anythingBut'; readonly of: readonly Choice[] };

export interface Bound {
  readonly operator: '=' | '<' | '<=' | '>' | '>=';
  readonly than: number;
}

/** It is no pattern that Lambda takes. The message is for the one who wrote it. */
export class InvalidPattern extends Error {
  override readonly name = 'InvalidPattern';
}

/** Deeper ones are refused: matching is recursive. A pattern of 4,096 characters could have 800 levels. */
const MAX_DEPTH = 50;
/** No member of an alternative may be called so: Event Ruler would read a list of such objects as operators. */
const reserved: ReadonlySet<string> = new Set([
  ...['exactly', 'equals-ignore-case', 'prefix', 'suffix', 'anything-but', 'exists', 'wildcard', 'numeric', 'cidr'],
  ...['=', '<', '<=', '>', '>=', 'regex', 'not-wildcard', 'not-equals-ignore-case', 'date-after', 'date-on-or-after'],
  ...['date-before', 'date-on-or-before', 'in-date-range', 'ip-address-in-range', 'ip-address-not-in-range'],
]);

/** Where in a pattern something is. */
interface Place {
  /** Names of members from the outermost. */
  readonly path: readonly string[];
  readonly depth: number;
  /** Below a `$or`. */
  readonly isAlternative: boolean;
}

/**
 * Reads a filter's pattern.
 *
 * @param text JSON, at most 4,096 characters (the manifest and the API check that)
 * @throws InvalidPattern
 * @see Amazon EventBridge user guide, comparison operators; without `wildcard`, `cidr` and `prefix` of any case, which Lambda does not take
 */
export function parsePattern(text: string): Pattern {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InvalidPattern('it is not JSON');
  }
  return patternOf(value, { path: [], depth: 0, isAlternative: false });
}

function patternOf(value: unknown, place: Place): Pattern {
  const { path, depth, isAlternative } = place;
  const name = path.join('.');
  if (!isObject(value)) throw new InvalidPattern(`${where(name)} must be an object`);
  if (depth > MAX_DEPTH) throw new InvalidPattern(`it is deeper than ${MAX_DEPTH} levels`);
  const entries = Object.entries(value);
  if (entries.length === 0) throw new InvalidPattern(`${where(name)} must not be empty`);
  const members: Member[] = [];
  const anyOf: (readonly Pattern[])[] = [];
  for (const [key, part] of entries) {
    if (isAlternative && reserved.has(key)) throw new InvalidPattern(`no member below $or may be called ${key}`);
    const at = [...path, key];
    if (key === '$or' && isAlternatives(part))
      anyOf.push(part.map((each) => patternOf(each, { path, depth: depth + 1, isAlternative: true })));
    else if (Array.isArray(part)) members.push({ key, path: at, rule: choicesOf(part, at.join('.')) });
    else members.push({ key, path: at, rule: patternOf(part, { path: at, depth: depth + 1, isAlternative }) });
  }
  return { members, anyOf };
}

/** Any other `$or` is a member of that name: with fewer objects, with values, with operators. */
function isAlternatives(part: unknown): part is readonly Readonly<Record<string, unknown>>[] {
  if (!Array.isArray(part) || part.length < 2) return false;
  return part.every((each) => isObject(each) && !Object.keys(each).some((key) => reserved.has(key)));
}

function choicesOf(parts: readonly unknown[], path: string): readonly Choice[] {
  if (parts.length === 0) throw new InvalidPattern(`${where(path)} must not be an empty list`);
  return parts.map((part) => choiceOf(part, path));
}

function choiceOf(part: unknown, path: string): Choice {
  if (isScalar(part)) return { kind: 'equals', value: part };
  if (!isObject(part)) throw new InvalidPattern(`${where(path)} has a list in a list`);
  const [entry, ...more] = Object.entries(part);
  if (entry === undefined || more.length > 0)
    throw new InvalidPattern(`${where(path)} needs exactly one operator in each object`);
  return operatorOf(entry[0], entry[1], path);
}

function operatorOf(operator: string, value: unknown, path: string): Choice {
  switch (operator) {
    case 'exists':
      if (typeof value !== 'boolean') throw new InvalidPattern(`exists in ${where(path)} must be true or false`);
      return { kind: 'exists', wanted: value };
    case 'prefix':
    case 'suffix':
      return { kind: operator, text: textOf(operator, value, path) };
    case 'equals-ignore-case':
      return { kind: 'equalsIgnoreCase', text: fold(textOf(operator, value, path)) };
    case 'numeric':
      return { kind: 'numeric', bounds: boundsOf(value, path) };
    case 'anything-but':
      return { kind: 'anythingBut', of: exceptionsOf(value, path) };
    default:
      throw new InvalidPattern(`${where(path)} has an operator that is not known: ${operator}`);
  }
}

/** The same for texts that differ in capital letters only: `STRASSE` and `straße`. */
export function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}

function textOf(operator: string, value: unknown, path: string): string {
  if (typeof value === 'string') return value;
  throw new InvalidPattern(`${operator} in ${where(path)} must be a text`);
}

/** A text, a number, a list of the one or the other; or the prefixes, suffixes or texts of any case that a value may not have. */
function exceptionsOf(value: unknown, path: string): readonly Choice[] {
  if (isObject(value)) return exceptOperator(value, path);
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const values = parts.filter((part) => typeof part === 'string' || typeof part === 'number');
  const isOneType = new Set(values.map((each) => typeof each)).size === 1;
  if (values.length !== parts.length || !isOneType)
    throw new InvalidPattern(`anything-but in ${where(path)} must be texts, or numbers`);
  return values.map((each): Choice => ({ kind: 'equals', value: each }));
}

function exceptOperator(value: Readonly<Record<string, unknown>>, path: string): readonly Choice[] {
  const [entry, ...more] = Object.entries(value);
  const [operator = '', operand] = entry ?? [];
  if (more.length > 0 || !['prefix', 'suffix', 'equals-ignore-case'].includes(operator))
    throw new InvalidPattern(`anything-but in ${where(path)} takes prefix, suffix or equals-ignore-case, one of them`);
  const operands: readonly unknown[] = Array.isArray(operand) ? operand : [operand];
  if (operands.length === 0 || (operator !== 'equals-ignore-case' && operands.includes('')))
    throw new InvalidPattern(`anything-but ${operator} in ${where(path)} must not be empty`);
  return operands.map((each) => operatorOf(operator, each, path));
}

/** `=` alone, one bound, or a lower one and then an upper one. */
function boundsOf(value: unknown, path: string): readonly Bound[] {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [];
  const bounds: Bound[] = [];
  for (let at = 0; at < parts.length; at += 2) bounds.push(boundOf(parts[at], parts[at + 1], path));
  const [first, second, third] = bounds;
  const isRange = first?.operator.startsWith('>') === true && second?.operator.startsWith('<') === true;
  if (first === undefined || third !== undefined || (second !== undefined && !isRange))
    throw new InvalidPattern(`numeric in ${where(path)} must be a list like [">", 0, "<=", 5]`);
  if (second !== undefined && second.than <= first.than)
    throw new InvalidPattern(`numeric in ${where(path)} needs a lower end that is less than the upper one`);
  return bounds;
}

function boundOf(operator: unknown, than: unknown, path: string): Bound {
  const known = (['=', '<', '<=', '>', '>='] as const).find((each) => each === operator);
  if (known === undefined) throw new InvalidPattern(`numeric in ${where(path)} has no operator ${String(operator)}`);
  if (typeof than !== 'number') throw new InvalidPattern(`numeric in ${where(path)} compares with a number only`);
  return { operator: known, than };
}

function where(path: string): string {
  return path === '' ? 'a pattern' : path;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isScalar(value: unknown): value is string | number | boolean | null {
  return value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
