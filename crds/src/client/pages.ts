import { isJsonObject, type JsonObject } from '../parse-meta.ts';
import { KubernetesError } from './errors.ts';

/** One page of a list. */
export interface ListPage {
  readonly items: readonly unknown[];
  readonly version: string;
  readonly next: string | undefined;
}

/** @throws KubernetesError when it is not a list */
export function readPage(value: unknown): ListPage {
  if (!isJsonObject(value) || !isJsonObject(value['metadata']))
    throw new KubernetesError('the answer is not a list', 0, 'BadAnswer');
  const { resourceVersion, continue: next } = value['metadata'];
  const items = Array.isArray(value['items']) ? value['items'] : [];
  return {
    items,
    version: String(resourceVersion ?? ''),
    next: typeof next === 'string' && next !== '' ? next : undefined,
  };
}

/** @throws KubernetesError when it is not a watch event */
export function readEvent(line: string, path: string): { readonly type: unknown; readonly object: JsonObject } {
  try {
    const event: unknown = JSON.parse(line);
    if (isJsonObject(event) && isJsonObject(event['object'])) return { type: event['type'], object: event['object'] };
  } catch {
    // said below
  }
  throw new KubernetesError(`watch ${path}: a line is not an event`, 0, 'BadAnswer');
}
