import { InvalidParameterValue } from '../../errors.ts';

/** Filters of one mapping; Lambda has 5 and raises that to 10 on demand. */
const MAX_FILTERS = 10;
/** Words of a pattern's leaves that Lambda knows. */
const operators: ReadonlySet<string> = new Set([
  'exists',
  'prefix',
  'suffix',
  'equals-ignore-case',
  'anything-but',
  'numeric',
]);

/** @throws InvalidParameterValue for too many of them, and for what is no event pattern */
export function checkFilters(filters: readonly { readonly Pattern?: string | undefined }[]): void {
  if (filters.length > MAX_FILTERS)
    throw new InvalidParameterValue(`A mapping has at most ${MAX_FILTERS} filters, not ${filters.length}.`);
  if (!filters.every(({ Pattern }) => isPatternText(Pattern ?? '')))
    throw new InvalidParameterValue('Invalid filter pattern definition.');
}

function isPatternText(text: string): boolean {
  try {
    return isPattern(JSON.parse(text));
  } catch {
    return false;
  }
}

/** An object whose leaves are lists of what may be there. */
function isPattern(value: unknown): boolean {
  if (!isObject(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([key, part]) => isPart(key, part));
}

function isPart(key: string, value: unknown): boolean {
  if (!Array.isArray(value)) return isPattern(value);
  return value.length > 0 && value.every((choice) => (key === '$or' ? isPattern(choice) : isChoice(choice)));
}

function isChoice(value: unknown): boolean {
  if (!isObject(value)) return !Array.isArray(value);
  const [operator = '', ...more] = Object.keys(value);
  return more.length === 0 && operators.has(operator);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
