/** What a resource path asks for. */
export interface RequestInfo {
  readonly group: string;
  readonly version: string;
  /** '' when the path names no namespace. */
  readonly namespace: string;
  readonly plural: string;
  /** '' for the collection. */
  readonly name: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

/** Reads `/api/v1/…` and `/apis/GROUP/VERSION/…`; null when the path is not that of a resource. */
export function parsePath(path: string): RequestInfo | null {
  const parts = path.split('/').filter((part) => part !== '');
  const root = parts.shift();
  if (root !== 'api' && root !== 'apis') return null;
  const group = root === 'api' ? '' : (parts.shift() ?? '');
  const version = parts.shift() ?? '';
  const rest = parts.map(decode);
  if (version === '' || rest.length === 0 || rest.includes(null)) return null;
  const names = rest.filter((part) => part !== null);
  const isInNamespace = names[0] === 'namespaces' && names.length > 2 && !isNamespaceSubresource(names);
  const namespace = isInNamespace ? (names[1] ?? '') : '';
  const [plural = '', name = '', ...subresource] = isInNamespace ? names.slice(2) : names;
  return { group, version, namespace, plural, name, subresource: subresource.join('/') };
}

function isNamespaceSubresource(names: readonly string[]): boolean {
  return names.length === 3 && (names[2] === 'status' || names[2] === 'finalize');
}

function decode(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
