/** A segment of a route's path. */
export type PatternSegment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'param'; readonly name: string }
  /** The last one only: takes all that is left, at least one segment. */
  | { readonly kind: 'greedy'; readonly name: string };

/** The segments of a path as manifests write it, e.g. `/pets/{id}`; the CRD has checked its form. */
export function parsePattern(path: string): readonly PatternSegment[] {
  return path
    .split('/')
    .filter((text) => text !== '')
    .map((text) => {
      if (!text.startsWith('{')) return { kind: 'literal', text };
      if (text.endsWith('+}')) return { kind: 'greedy', name: text.slice(1, -2) };
      return { kind: 'param', name: text.slice(1, -1) };
    });
}

/**
 * The segments of a request's path, percent-decoded, without empty ones: `//a/` is `/a`. One path has one reading here, whatever the
 * function's framework makes of it later: else a route without an authorizer could be a way round one with an authorizer. So `.` and `..`,
 * however they are written, are not taken.
 *
 * @param path begins with a slash, without the query
 * @returns null when it cannot be decoded, or has such a segment
 */
export function readPath(path: string): readonly string[] | null {
  const segments: string[] = [];
  for (const raw of path.split('/')) {
    if (raw === '') continue;
    const text = decoded(raw);
    if (text === null || hasDots(text)) return null;
    segments.push(text);
  }
  return segments.length > MAX_SEGMENTS ? null : segments;
}

/** More than any route can have (Kappa's own). */
const MAX_SEGMENTS = 1024;

function decoded(raw: string): string | null {
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    return null;
  }
}

/** Also behind a slash that was encoded, behind one of Windows, and before a `;`. */
function hasDots(text: string): boolean {
  return text.includes('.') && /(^|[/\\])\.\.?($|[/\\;])/.test(text);
}

/**
 * Path parameters of a request that matches.
 *
 * @returns null when the pattern has none; a slash inside a segment of `{x+}` stays encoded, so that it is none between segments
 */
export function paramsOf(
  pattern: readonly PatternSegment[],
  segments: readonly string[],
): Readonly<Record<string, string>> | null {
  if (pattern.every(({ kind }) => kind === 'literal')) return null;
  const params: Record<string, string> = Object.create(null); // without a prototype: a name may be __proto__
  for (const [at, segment] of pattern.entries()) {
    if (segment.kind === 'literal') continue;
    params[segment.name] =
      segment.kind === 'param'
        ? (segments[at] ?? '')
        : segments
            .slice(at)
            .map((text) => text.replaceAll('/', '%2F'))
            .join('/');
  }
  return params;
}
