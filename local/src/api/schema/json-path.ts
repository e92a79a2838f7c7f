import { deepEqual, isObject } from './json.ts';

/** One step of a path, from a value to the values below it. */
type Step = (value: unknown) => readonly unknown[];

/** A parsed path. Finds nothing rather than failing when the object is shaped differently. */
export type JsonPath = (root: unknown) => readonly unknown[];

/** A path that cannot be parsed. */
export class JsonPathError extends Error {}

/**
 * Parses the simple JSONPath of printer columns and scale subresources: fields, `['field']`, `\.` in names, positions,
 * `[*]`, `.*` and filters such as `[?(@.type=="Ready")]`.
 *
 * @throws JsonPathError for anything else
 * @see https://kubernetes.io/docs/reference/kubectl/jsonpath/
 */
export function parseJsonPath(text: string): JsonPath {
  const steps: Step[] = [];
  let rest = text.trim().replace(/^\$/, '');
  while (rest !== '') {
    const [step, length] = nextStep(rest, text);
    steps.push(step);
    rest = rest.slice(length);
  }
  return (root) => steps.reduce<readonly unknown[]>((values, step) => values.flatMap(step), [root]);
}

const field = /^\.?((?:[^.[\]\\]|\\.)+)/;
const bracket = /^\.?\[\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(-?\d+)|(\*))\s*\]/;
const filter = /^\.?\[\?\(\s*@((?:\.|\[)[^=!<>)]*?)\s*(?:(==|!=|<=|>=|<|>)\s*("[^"]*"|'[^']*'|[^\s)]+)\s*)?\)\]/;

function nextStep(rest: string, whole: string): [Step, number] {
  const filtered = filter.exec(rest);
  if (filtered !== null) return [filterStep(filtered), filtered[0].length];
  const inBrackets = bracket.exec(rest);
  if (inBrackets !== null) return [bracketStep(inBrackets), inBrackets[0].length];
  const named = field.exec(rest);
  const name = named?.[1];
  if (named === null || name === undefined || rest.startsWith('..')) {
    throw new JsonPathError(`cannot parse JSONPath ${whole} at ${rest}`);
  }
  const step = name === '*' ? everyStep : fieldStep(name.replace(/\\(.)/g, '$1'));
  return [step, named[0].length];
}

function bracketStep([, single, double, index]: RegExpExecArray): Step {
  const name = single ?? double;
  if (name !== undefined) return fieldStep(name.replace(/\\(.)/g, '$1'));
  if (index === undefined) return everyStep;
  return (value) => {
    const item: unknown = Array.isArray(value) ? value.at(Number(index)) : undefined;
    return item === undefined ? [] : [item];
  };
}

function fieldStep(name: string): Step {
  return (value) => (isObject(value) && Object.hasOwn(value, name) ? [value[name]] : []);
}

function everyStep(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isObject(value) ? Object.values(value) : [];
}

function filterStep([, path = '', operator, literal]: RegExpExecArray): Step {
  const find = parseJsonPath(path);
  const wanted = literal === undefined ? undefined : parseLiteral(literal);
  const passes = (item: unknown): boolean => {
    const [found] = find(item);
    return operator === undefined ? found !== undefined : found !== undefined && holds(found, operator, wanted);
  };
  return (value) => everyStep(value).filter(passes);
}

function parseLiteral(literal: string): unknown {
  if (/^["']/.test(literal)) return literal.slice(1, -1);
  if (literal === 'true' || literal === 'false') return literal === 'true';
  return Number.isNaN(Number(literal)) ? literal : Number(literal);
}

function holds(found: unknown, operator: string, wanted: unknown): boolean {
  if (operator === '==') return deepEqual(found, wanted);
  if (operator === '!=') return !deepEqual(found, wanted);
  if (typeof found !== 'number' || typeof wanted !== 'number') return false;
  if (operator === '<') return found < wanted;
  if (operator === '>') return found > wanted;
  return operator === '<=' ? found <= wanted : found >= wanted;
}
