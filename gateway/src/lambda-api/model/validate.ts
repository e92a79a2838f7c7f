import { hidden, violation } from '../errors.ts';
import { rulesOf } from './rules.ts';
import type { Shape, StructureShape } from './shapes.ts';
import { showValue } from './show.ts';

/**
 * Compares a converted input with the bounds of the model.
 *
 * @returns violations in AWS's words, in the order of the model; empty when it is acceptable
 */
export function violationsOf(shape: StructureShape, input: Fields): readonly string[] {
  const found: string[] = [];
  checkStructure(shape, input, '', found);
  return found;
}

/**
 * The runtime of a function: Lambda itself checks it, after everything else, and with a text of its own.
 *
 * @returns null when it is one of the model's or missing
 */
export function runtimeViolation(shape: StructureShape, { Runtime: value }: Fields): string | null {
  const member = shape.members.find(({ label, shape: type }) => isRuntime(type, label));
  if (value === undefined || member?.shape.kind !== 'string' || member.shape.values?.has(String(value))) return null;
  const known = [...(member.shape.values ?? [])].join(', ');
  return `Value ${value} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [${known}] or be a valid ARN`;
}

function isRuntime(shape: Shape, path: string): boolean {
  return path === 'runtime' && shape.name === 'Runtime';
}

/** A converted structure or map: nothing but own members. */
type Fields = Readonly<Record<string, unknown>>;

function checkStructure(shape: StructureShape, value: Fields, path: string, found: string[]): void {
  for (const { name, label, isRequired, shape: type } of shape.members) {
    const member = value[name];
    const at = path === '' ? label : `${path}.${label}`;
    if (isRuntime(type, at)) continue;
    if (member !== undefined) check(type, member, at, found);
    else if (isRequired) found.push(violation(type.isSensitive ? hidden : null, at, notNull));
  }
}

function check(shape: Shape, value: unknown, path: string, found: string[]): void {
  if (shape.kind === 'structure') {
    checkStructure(shape, fieldsOf(value), path, found);
    return;
  }
  const report = (constraint: string): void => {
    found.push(violation(shape.isSensitive ? hidden : showValue(value, shape), path, constraint));
  };
  for (const rule of rulesOf(shape)) if (!rule.holds(value)) report(rule.text);
  if (shape.kind === 'list') checkEntries(shape.member, entriesOf(value), path, { report, found });
  if (shape.kind === 'map') checkMap(shape.key, shape.value, fieldsOf(value), report);
}

interface Findings {
  readonly report: (constraint: string) => void;
  readonly found: string[];
}

/** Structures of a list are named by place; for everything else AWS blames the list, once, with all that an entry must be. */
function checkEntries(member: Shape, entries: readonly unknown[], path: string, { report, found }: Findings): void {
  if (member.kind === 'structure' && !entries.includes(null)) {
    for (const [at, entry] of entries.entries()) check(member, entry, `${path}.${at + 1}.member`, found);
    return;
  }
  if (!entries.every((entry) => isAcceptable(member, entry)))
    report(`Member must satisfy constraint: [${nestedTexts(member).join(', ')}]`);
}

function checkMap(key: Shape, value: Shape, map: Fields, report: Findings['report']): void {
  if (!Object.keys(map).every((name) => isAcceptable(key, name)))
    report(`Map keys must satisfy constraint: [${textsOf(key).join(', ')}]`);
  if (!Object.values(map).every((entry) => isAcceptable(value, entry)))
    report(`Map value must satisfy constraint: [${nestedTexts(value).join(', ')}]`);
}

function isAcceptable(shape: Shape, value: unknown): boolean {
  if (value === null) return false;
  const found: string[] = [];
  check(shape, value, '', found);
  return found.length === 0;
}

/** All that an entry of a list or a value of a map must be. A key is never null, and AWS does not say it there. */
function nestedTexts(shape: Shape): readonly string[] {
  return [...textsOf(shape), notNull];
}

/** Here the bounds come first, in a value of its own the pattern does. */
function textsOf(shape: Shape): readonly string[] {
  const rules = rulesOf(shape).toSorted((a, b) => Number(a.isPattern) - Number(b.isPattern));
  const inner =
    shape.kind === 'list' ? [`Member must satisfy constraint: [${nestedTexts(shape.member).join(', ')}]`] : [];
  return [...rules.map((rule) => rule.text), ...inner];
}

const notNull = 'Member must not be null';

function fieldsOf(value: unknown): Fields {
  if (isFields(value)) return value;
  throw new Error('convert made no object of a structure or map');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function entriesOf(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error('convert made no array of a list');
}
