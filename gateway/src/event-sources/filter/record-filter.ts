import type { Filterable, RecordFilter } from '../record.ts';
import type { SourceTraits } from '../source.ts';
import { matches } from './match.ts';
import { InvalidPattern, type Pattern, parsePattern } from './pattern.ts';

/**
 * Makes the filter of a mapping: a record passes when one of the patterns matches. Without patterns all pass.
 *
 *   data of the record  | pattern for that member | what happens
 *   text                | list                    | compared as a text
 *   JSON                | object                  | looked into
 *   any                 | nothing                 | only the rest of the record counts
 *   text                | object                  | drop, or metadataOnly: as if the pattern said nothing of it
 *   JSON                | list                    | drop, or metadataOnly
 *
 * JSON is what parses to an object or a list; a number or a text in quotes is text. Under `$or` the same rules hold, since each alternative
 * stands for a pattern of its own.
 *
 * @throws InvalidPattern with the number of the filter, from 1
 */
export function recordFilter(
  patterns: readonly string[],
  { dataKeys, onMismatch }: Pick<SourceTraits, 'dataKeys' | 'onMismatch'>,
): RecordFilter {
  if (patterns.length === 0) return () => true;
  const compiled = patterns.flatMap((text, at) => alternativesOf(patternOf(text, at), dataKeys));
  return (record) => {
    const { metadata, data } = record.filterable();
    const parsed = parseData(data);
    return compiled.some((pattern) => passes(pattern, { metadata, data }, parsed, onMismatch));
  };
}

function patternOf(text: string, at: number): Pattern {
  try {
    return parsePattern(text);
  } catch (error) {
    throw error instanceof InvalidPattern ? new InvalidPattern(`filter ${at + 1}: ${error.message}`) : error;
  }
}

/**
 * A pattern whose `$or` at the top is about data has one pattern for each alternative, so that each is of one form for each member.
 * Worked: `{"$or": [{"body": ["a"]}, {"body": {"b": [1]}}]}` is two patterns, of which a text fits only the first.
 */
function alternativesOf(pattern: Pattern, dataKeys: readonly string[]): readonly Pattern[] {
  const at = pattern.anyOf.findIndex((alternatives) => alternatives.some((each) => speaksOf(each, dataKeys)));
  const found = pattern.anyOf[at];
  if (found === undefined) return [pattern];
  const rest = pattern.anyOf.toSpliced(at, 1);
  return found.flatMap(({ members, anyOf }) =>
    alternativesOf({ members: [...pattern.members, ...members], anyOf: [...rest, ...anyOf] }, dataKeys),
  );
}

function speaksOf({ members, anyOf }: Pattern, keys: readonly string[]): boolean {
  return members.some(({ key }) => keys.includes(key)) || anyOf.some((each) => each.some((one) => speaksOf(one, keys)));
}

function passes(
  pattern: Pattern,
  { metadata, data }: Filterable,
  parsed: ReadonlyMap<string, object>,
  onMismatch: SourceTraits['onMismatch'],
): boolean {
  const mismatched = pattern.members.filter(
    ({ key, rule }) => Object.hasOwn(data, key) && Array.isArray(rule) === parsed.has(key),
  );
  if (mismatched.length > 0 && onMismatch === 'drop') return false;
  const members = pattern.members.filter((member) => !mismatched.includes(member));
  return matches({ ...pattern, members }, { ...metadata, ...data, ...Object.fromEntries(parsed) });
}

/** Members whose text is JSON. */
function parseData(data: Filterable['data']): ReadonlyMap<string, object> {
  const parsed = new Map<string, object>();
  for (const [key, text] of Object.entries(data)) {
    const value = jsonOf(text);
    if (value !== null) parsed.set(key, value);
  }
  return parsed;
}

function jsonOf(text: string): object | null {
  if (!/^\s*[[{]/.test(text)) return null; // cheaper than an exception for each text
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
