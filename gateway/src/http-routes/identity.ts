/**
 * What an identity source names in a request; null = it is not there, or empty. A header that came twice is none: callers and what stands
 * before the gateway might mean different ones.
 *
 * @param source `$request.header.NAME` or `$request.querystring.NAME`
 * @param query without the question mark
 */
export function readIdentity(source: string, rawHeaders: readonly string[], query: string): string | null {
  const [, place, name = ''] = /^\$request\.(header|querystring)\.(.+)$/.exec(source) ?? [];
  const values =
    place === 'header' ? headerValues(rawHeaders, name.toLowerCase()) : new URLSearchParams(query).getAll(name);
  const [value] = values;
  return values.length !== 1 || value === undefined || value === '' ? null : value;
}

function headerValues(rawHeaders: readonly string[], lower: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === lower) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}
