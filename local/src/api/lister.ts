import type { KubeObject } from './object.ts';
import { keyOf } from './object.ts';
import { apiVersionOf } from './resource.ts';
import { type Matches, parseSelectors } from './selectors.ts';
import { ApiError, badRequest, expired } from './status.ts';
import type { Store } from './store.ts';
import type { Target } from './target.ts';

/** A page of a list: objects in the target's version, sorted by namespace and name. */
export interface Page {
  readonly objects: readonly KubeObject[];
  readonly resourceVersion: string;
  /** Token of the next page, '' after the last. */
  readonly continue: string;
  readonly remaining: number | undefined;
}

interface ContinueToken {
  /** Version of the first page: all pages show the same moment. */
  readonly version: number;
  /** Key of the last object shown. */
  readonly after: string;
}

/** Lists the target's collection. @throws ApiError 400, 410 */
export function listPage(store: Store, target: Target, query: URLSearchParams): Page {
  const { type, namespace } = target;
  const matches = parseSelectors(query, type);
  const limit = parseLimit(query.get('limit'));
  const token = parseContinue(query);
  const version = token?.version ?? exactVersion(store, query) ?? store.version;
  const wanted = (object: KubeObject): boolean =>
    (namespace === '' || object.metadata.namespace === namespace) && isNamed(target, object) && matches(object);
  const all = objectsAt(store, target, version).filter(wanted);
  const sorted = all.map((object) => ({ key: keyOf(object), object })).sort((a, b) => compare(a.key, b.key));
  const rest = token === null ? sorted : sorted.filter(({ key }) => key > token.after);
  const shown = limit === 0 ? rest : rest.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = shown.length < rest.length && last !== undefined;
  return {
    objects: shown.map(({ object }) => type.fromStorage(object)),
    resourceVersion: String(version),
    continue: hasMore ? encodeToken({ version, after: last.key }) : '',
    remaining: hasMore ? rest.length - shown.length : undefined,
  };
}

/** The stored objects of a target that its selectors match, unsorted: what deletecollection works on. */
export function listMatching(store: Store, { type, namespace }: Target, query: URLSearchParams): readonly KubeObject[] {
  const matches: Matches = parseSelectors(query, type);
  return [...store.list(type.storage, namespace === '' ? null : namespace)].filter(matches);
}

/** The list object that kinds and versions are written around. */
export function listObject({ type }: Target, page: Page): Record<string, unknown> {
  const metadata = {
    resourceVersion: page.resourceVersion,
    ...(page.continue === '' ? {} : { continue: page.continue }),
    ...(page.remaining === undefined ? {} : { remainingItemCount: page.remaining }),
  };
  const items = type.custom === null ? page.objects.map(withoutKind) : page.objects;
  return { apiVersion: apiVersionOf(type), kind: type.listKind, metadata, items };
}

/** In lists of built-in kinds the list alone says what its items are. */
function withoutKind({ apiVersion: _apiVersion, kind: _kind, ...rest }: KubeObject): Record<string, unknown> {
  return rest;
}

function isNamed(target: Target, object: KubeObject): boolean {
  return target.name === '' || object.metadata.name === target.name;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** The objects as they were at `version`: now, less what the history says happened since. @throws ApiError 410 */
function objectsAt(store: Store, { type }: Target, version: number): KubeObject[] {
  const now = [...store.list(type.storage, null)];
  if (version === store.version) return now;
  const history = store.history(type.storage);
  const first = history.positionAfter(version);
  if (first === null)
    throw expired('The provided continue parameter or resourceVersion is too old to display a consistent list result');
  const objects = new Map(now.map((object) => [keyOf(object), object]));
  for (let position = history.end - 1; position >= first; position -= 1) {
    const change = history.at(position);
    if (change === undefined) continue;
    if (change.before === null) objects.delete(keyOf(change.object));
    else objects.set(keyOf(change.object), change.before);
  }
  return [...objects.values()];
}

/** The version that the query insists on, null when now will do. @throws ApiError 400, 504 */
function exactVersion(store: Store, query: URLSearchParams): number | null {
  const text = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan')
    throw badRequest(`resourceVersionMatch: Unsupported value: ${match}`);
  if (text === '') {
    if (match !== '')
      throw badRequest(
        'resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      );
    return null;
  }
  const version = parseVersion(text);
  if (match === 'Exact' && version === 0)
    throw badRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"',
    );
  if (version > store.version) throw tooLargeVersion(version, store.version);
  return match === 'Exact' ? version : null;
}

/** Reads a resource version of this server. @throws ApiError 400 */
export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text))
    throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: must be a number of this server`);
  return Number(text);
}

/** 504: a version that does not exist yet; the client is to try again. */
export function tooLargeVersion(version: number, current: number): ApiError {
  const message = 'Too large resource version';
  return new ApiError(504, 'Timeout', `Timeout: Too large resource version: ${version}, current: ${current}`, {
    causes: [{ reason: 'ResourceVersionTooLarge', message }],
    retryAfterSeconds: 1,
  });
}

function parseLimit(text: string | null): number {
  const limit = Number(text ?? 0);
  if (!Number.isInteger(limit) || limit < 0)
    throw badRequest('limit: Invalid value: must be a whole number, 0 or more');
  return limit;
}

function encodeToken(token: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: 'kappa/v1', rv: token.version, start: token.after })).toString('base64url');
}

function parseContinue(query: URLSearchParams): ContinueToken | null {
  const text = query.get('continue') ?? '';
  if (text === '') return null;
  if ((query.get('resourceVersion') ?? '0') !== '0')
    throw badRequest('specifying resource version is not allowed when using continue');
  try {
    const token: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
    if (typeof token === 'object' && token !== null && 'rv' in token && 'start' in token) {
      if (typeof token.rv === 'number' && typeof token.start === 'string')
        return { version: token.rv, after: token.start };
    }
  } catch {
    // said below
  }
  throw badRequest('continue key is not valid');
}
