import type { Shape, StringShape } from './shapes.ts';
import { showNumber } from './show.ts';

/** One bound of a shape, with its text. */
export interface Rule {
  readonly text: string;
  readonly isPattern: boolean;
  readonly holds: (value: unknown) => boolean;
}

const rulesByShape = new WeakMap<Shape, readonly Rule[]>();

/** The bounds that the model sets for values of a shape; those of its entries or members are not among them. */
export function rulesOf(shape: Shape): readonly Rule[] {
  const known = rulesByShape.get(shape);
  if (known !== undefined) return known;
  const rules = [...(shape.kind === 'string' ? stringRules(shape) : []), ...boundRules(shape)];
  rulesByShape.set(shape, rules);
  return rules;
}

function stringRules({ pattern, values }: StringShape): Rule[] {
  const rules: Rule[] = [];
  if (pattern !== null)
    rules.push({
      text: `Member must satisfy regular expression pattern: ${pattern.source}`,
      isPattern: true,
      holds: (value) => hasForm(pattern.regExp, String(value)),
    });
  if (values !== null)
    rules.push({
      text: `Member must satisfy enum value set: [${[...values].join(', ')}]`,
      isPattern: false,
      holds: (value) => values.has(String(value)),
    });
  return rules;
}

/** No value of the model that has a form may be longer; the engine's stack does not hold out for tens of millions. */
const formMaxChars = 65_536;

function hasForm(form: RegExp, text: string): boolean {
  return text.length <= formMaxChars && form.test(text);
}

function boundRules({ kind, min, max }: Shape): Rule[] {
  const isNumber = kind === 'integer' || kind === 'long' || kind === 'double';
  const what = isNumber ? 'value' : 'length';
  const measure = isNumber ? Number : sizeOf;
  const rule = (words: string, bound: number, holds: Rule['holds']): Rule => {
    const shown = isNumber ? showNumber(bound, kind) : String(bound);
    return { text: `Member must have ${what} ${words} than or equal to ${shown}`, isPattern: false, holds };
  };
  // written so that NaN breaks both
  const upper = max === undefined ? [] : [rule('less', max, (value) => measure(value) <= max)];
  const lower = min === undefined ? [] : [rule('greater', min, (value) => measure(value) >= min)];
  return [...upper, ...lower];
}

/** Characters of a text, bytes of a blob, entries of a list or map. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return charactersOf(value);
  if (value instanceof Uint8Array || Array.isArray(value)) return value.length;
  return Object.keys(Object(value)).length;
}

/** A pair of surrogates is one character. */
function charactersOf(text: string): number {
  let count = text.length;
  for (let at = 1; at < text.length; at++) {
    const isPair = (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
    if (isPair) count--;
  }
  return count;
}
