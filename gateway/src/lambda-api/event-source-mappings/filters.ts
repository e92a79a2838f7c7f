import { InvalidParameterValue } from '../../errors.ts';
import { InvalidPattern, type Pattern, parsePattern } from '../../event-sources/filter/pattern.ts';
import type { SourceKind } from './sources.ts';

/** Filters of one mapping; Lambda has 5 and raises that to 10 on demand. */
const MAX_FILTERS = 10;
/** Members of a record that are always JSON to Lambda: it refuses a pattern that takes them for a text. */
const jsonMembers: Readonly<Partial<Record<SourceKind, string>>> = { kinesis: 'data', dynamodb: 'dynamodb' };

/** @throws InvalidParameterValue for too many of them, and for what is no event pattern for records of that source */
export function checkFilters(filters: readonly { readonly Pattern?: string | undefined }[], kind: SourceKind): void {
  if (filters.length > MAX_FILTERS)
    throw new InvalidParameterValue(`A mapping has at most ${MAX_FILTERS} filters, not ${filters.length}.`);
  for (const [at, { Pattern: text = '' }] of filters.entries()) {
    const refuse = (why: string) =>
      new InvalidParameterValue(`Invalid filter pattern definition. Filter ${at + 1}: ${why}.`);
    const pattern = patternOf(text, refuse);
    const member = jsonMembers[kind];
    if (member !== undefined && takesForText(pattern, member)) throw refuse(`${member} must be an object`);
  }
}

function patternOf(text: string, refuse: (why: string) => Error): Pattern {
  try {
    return parsePattern(text);
  } catch (err) {
    throw err instanceof InvalidPattern ? refuse(err.message) : err;
  }
}

function takesForText({ members, anyOf }: Pattern, member: string): boolean {
  return (
    members.some(({ key, rule }) => key === member && Array.isArray(rule)) ||
    anyOf.some((alternatives) => alternatives.some((each) => takesForText(each, member)))
  );
}
