import { type Bound, type Choice, fold, type Member, type Pattern } from './pattern.ts';

/** What is the same for all of one event. */
interface Whole {
  readonly event: unknown;
  /** Of members of the pattern: no element has a value there. Found once, since each element of a list asks. */
  readonly absent: Map<Member, boolean>;
}

/**
 * Whether an event has what a pattern asks for. Pure. Takes time by the size of the event times that of the pattern; no event is too deep.
 *
 * Lists in the event stand for each of their elements: a rule holds when it holds for one of them, and what a pattern says of one object must
 * hold for the same element. `exists: false` looks at the whole event: no element may have such a value.
 */
export function matches(pattern: Pattern, event: unknown): boolean {
  return holds(pattern, event, { event, absent: new Map() });
}

function holds(pattern: Pattern, value: unknown, whole: Whole): boolean {
  if (Array.isArray(value) && value.length > 0) return flatten(value).some((each) => holds(pattern, each, whole));
  const { members, anyOf } = pattern;
  return (
    members.every((member) => {
      const part = memberOf(value, member.key);
      const { rule } = member;
      return isPattern(rule) ? holds(rule, part, whole) : isOneOf(rule, part, () => isAbsent(member, whole));
    }) && anyOf.every((alternatives) => alternatives.some((each) => holds(each, value, whole)))
  );
}

function isPattern(rule: Pattern | readonly Choice[]): rule is Pattern {
  return 'members' in rule;
}

function isOneOf(choices: readonly Choice[], part: unknown, isNowhere: () => boolean): boolean {
  const values = scalarsOf(part);
  return choices.some((choice) =>
    choice.kind === 'exists' && !choice.wanted ? isNowhere() : values.some((value) => fits(choice, value)),
  );
}

function isAbsent(member: Member, { event, absent }: Whole): boolean {
  const known = absent.get(member);
  if (known !== undefined) return known;
  const found = scalarsAt(event, member.path).length === 0;
  absent.set(member, found);
  return found;
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

/**
 * Without recursion: lists may be in lists as often as a record has room for. An empty one stays, as an element that has nothing. The order is
 * lost, which nobody asks for.
 */
function flatten(value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) return [value];
  const flat: unknown[] = [];
  const left: unknown[] = [value];
  while (left.length > 0) {
    const each = left.pop();
    if (!Array.isArray(each) || each.length === 0) flat.push(each);
    else for (const inner of each) left.push(inner);
  }
  return flat;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
