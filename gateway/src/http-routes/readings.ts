import { isDeepStrictEqual } from 'node:util';

import type { FunctionHttpRoute } from '@kappa/crds/function';

import type { CompiledRoute, RouteSite } from './compiled-route.ts';
import type { PatternSegment } from './route-path.ts';
import type { RouteTable } from './table.ts';

/**
 * Whether a path that has met a route may be that of a guarded one for what runs behind it: frameworks differ in whether an encoded slash or a
 * backslash separates segments, and whether what follows a `;` belongs to one. So a path with such characters where its route takes any text
 * counts only when no reading of it meets another route whose authorizer has not been asked. Fails closed.
 */
export function isWayRound(table: Pick<RouteTable, 'match'>, asked: AskedPath, met: CompiledRoute): boolean {
  const { site, method, segments } = asked;
  if (!segments.some((text) => /[;/\\]/.test(text))) return false;
  return readings.some((parts) => {
    const other = table.match(site, method, readAgain(segments, met.pattern, parts))?.route;
    return other !== undefined && other !== met && asksMore(other.spec, met.spec);
  });
}

/** Where a route was looked for. */
export interface AskedPath {
  readonly site: RouteSite;
  readonly method: string;
  /** See readPath. */
  readonly segments: readonly string[];
}

/** What stands between the segments that one given is for a framework. */
type Reading = (text: string) => readonly string[];

const uncut: readonly Reading[] = [
  (text) => [text],
  (text) => text.split('/'),
  (text) => text.split('\\'),
  (text) => text.split(/[/\\]/),
];
const cut: readonly Reading[] = uncut.map((parts) => (text) => parts(text).map((part) => part.replace(/;.*/s, '')));
const readings: readonly Reading[] = [...uncut.slice(1), ...cut];

/** What the route names itself stays as it is: such a `;` is meant. */
function readAgain(segments: readonly string[], pattern: readonly PatternSegment[], parts: Reading): readonly string[] {
  return segments.flatMap((text, at) =>
    pattern[at]?.kind === 'literal' ? [text] : parts(text).filter((part) => part !== ''),
  );
}

/** A token that one route takes the other takes too, when they ask for the same; what a function says is for one route only. */
function asksMore({ authorizer: other }: FunctionHttpRoute, { authorizer: met }: FunctionHttpRoute): boolean {
  if (other === undefined) return false;
  return other.jwt === undefined || !isDeepStrictEqual(other, met);
}
