import { InvalidParameterValue } from '../errors.ts';

/** Entries of one page at most, whatever the caller asks for; as in Lambda. */
export const PAGE_SIZE = 50;

/** Which page a request is about. */
export interface PageInput {
  readonly Marker?: string | undefined;
  readonly MaxItems?: number | undefined;
}

/**
 * One page of a list that is held as a whole.
 *
 * @param sorted by `nameOf`, so that a page goes on where the last one ended also when entries came and went
 * @param compare of two names
 */
export function pageOf<Entry>(
  sorted: readonly Entry[],
  { Marker, MaxItems }: PageInput,
  nameOf: (entry: Entry) => string,
  compare: (a: string, b: string) => number,
): { readonly entries: readonly Entry[]; readonly NextMarker?: string } {
  const last = Marker === undefined || Marker === '' ? null : readMarker(Marker);
  const rest = last === null ? sorted : sorted.filter((entry) => compare(nameOf(entry), last) > 0);
  const entries = rest.slice(0, pageSize(MaxItems));
  const end = entries.at(-1);
  if (end === undefined || entries.length === rest.length) return { entries };
  return { entries, NextMarker: makeMarker(nameOf(end)) };
}

/** Entries of the page. */
export function pageSize(maxItems: number | undefined): number {
  return Math.min(maxItems ?? PAGE_SIZE, PAGE_SIZE);
}

/** Opaque to callers. */
export function makeMarker(text: string): string {
  return Buffer.from(text).toString('base64url');
}

/** @throws InvalidParameterValue when it is none of `makeMarker` */
export function readMarker(marker: string): string {
  const text = Buffer.from(marker, 'base64url').toString();
  if (text === '' || makeMarker(text) !== marker) throw new InvalidParameterValue('The Marker is not valid.');
  return text;
}
