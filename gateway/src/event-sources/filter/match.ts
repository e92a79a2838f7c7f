import { type Bound, type Choice, fold, type Pattern } from './pattern.ts';

/**
 * Whether an event has what a pattern asks for. Pure.
 *
 * Lists in the event stand for each of their elements: a rule holds when it holds for one of them, and what a pattern says of one object must
 * hold for the same element. `exists: false` looks at the whole event: no element may have such a value.
 */
export function matches(pattern: Pattern, event: unknown): boolean {
  return holds(pattern, event, [], event);
}

/** @param path keys from `root` to `value` */
function holds(pattern: Pattern, value: unknown, path: readonly string[], root: unknown): boolean {
  if (Array.isArray(value) && value.length > 0) return value.some((each) => holds(pattern, each, path, root));
  const { members, anyOf } = pattern;
  return (
    members.every(({ key, rule }) => {
      const part = memberOf(value, key);
      const at = [...path, key];
      return isPattern(rule) ? holds(rule, part, at, root) : isOneOf(rule, part, at, root);
    }) && anyOf.every((alternatives) => alternatives.some((each) => holds(each, value, path, root)))
  );
}

function isPattern(rule: Pattern | readonly Choice[]): rule is Pattern {
  return 'members' in rule;
}

function isOneOf(choices: readonly Choice[], part: unknown, path: readonly string[], root: unknown): boolean {
  const values = scalarsOf(part);
  return choices.some((choice) =>
    choice.kind === 'exists' && !choice.wanted
      ? scalarsAt(root, path).length === 0
      : values.some((value) => fits(choice, value)),
  );
}

/** Whether a value, which is no list and no object, is what a choice says. */
function fits(choice: Choice, value: unknown): boolean {
  switch (choice.kind) {
    case 'equals':
      return value === choice.value;
    case 'exists':
      return choice.wanted;
    case 'prefix':
      return typeof value === 'string' && value.startsWith(choice.text);
    case 'suffix':
      return typeof value === 'string' && value.endsWith(choice.text);
    case 'equalsIgnoreCase':
      return typeof value === 'string' && fold(value) === choice.text;
    case 'numeric':
      return typeof value === 'number' && choice.bounds.every((bound) => isWithin(value, bound));
    case 'anythingBut':
      return !choice.of.some((each) => fits(each, value));
  }
}

function isWithin(value: number, { operator, than }: Bound): boolean {
  switch (operator) {
    case '=':
      return value === than;
    case '<':
      return value < than;
    case '<=':
      return value <= than;
    case '>':
      return value > than;
    case '>=':
      return value >= than;
  }
}

/** Own members only: no event has Object's. */
function memberOf(value: unknown, key: string): unknown {
  if (!isObject(value)) return undefined;
  return Object.hasOwn(value, key) ? value[key] : undefined;
}

/** What is at a path, whichever elements of lists are on the way. */
function scalarsAt(root: unknown, path: readonly string[]): readonly unknown[] {
  let values: readonly unknown[] = [root];
  for (const key of path) values = values.flatMap(flatten).map((value) => memberOf(value, key));
  return values.flatMap(scalarsOf);
}

/** A value, or all that a list and the lists in it hold; objects and what is not there are none. */
function scalarsOf(value: unknown): readonly unknown[] {
  return flatten(value).filter((each) => each === null || (typeof each !== 'object' && each !== undefined));
}

function flatten(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value.flat(Number.POSITIVE_INFINITY) : [value];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
