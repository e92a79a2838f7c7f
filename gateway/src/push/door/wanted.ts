import { matches } from '../../event-sources/filter/match.ts';
import { parsePattern } from '../../event-sources/filter/pattern.ts';
import type { PushMapping } from '../push-mapping.ts';
import type { IsWanted } from './pushed-event.ts';

const made = new WeakMap<PushMapping, IsWanted>();

/** The filters of a mapping: without one everything is wanted, else what matches one. @throws InvalidPattern */
export function wantedBy(mapping: PushMapping): IsWanted {
  const known = made.get(mapping);
  if (known !== undefined) return known;
  const patterns = mapping.filters.map((text) => parsePattern(text));
  const isWanted: IsWanted = (event) => patterns.length === 0 || patterns.some((pattern) => matches(pattern, event));
  made.set(mapping, isWanted);
  return isWanted;
}

/** What is wrong with its filters; null = nothing. */
export function filterProblem(mapping: PushMapping): string | null {
  try {
    wantedBy(mapping);
    return null;
  } catch (err) {
    return `A filter cannot be read: ${err instanceof Error ? err.message : String(err)}`;
  }
}
