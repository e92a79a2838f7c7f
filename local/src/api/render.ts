import { record } from './json.ts';
import { listObject, type Page } from './lister.ts';
import { type Answer, negotiate } from './negotiation.ts';
import type { KubeObject } from './object.ts';
import { tableOf } from './table.ts';
import type { Target } from './target.ts';

/** How objects of a request are to be shown. */
export interface View {
  readonly answer: Answer;
  readonly includeObject: 'None' | 'Metadata' | 'Object';
}

/** Reads Accept and includeObject. @throws ApiError 406 */
export function parseView(accept: string | undefined, query: URLSearchParams): View {
  const include = query.get('includeObject');
  return {
    answer: negotiate(accept),
    includeObject: include === 'None' || include === 'Object' ? include : 'Metadata',
  };
}

/** One object in the negotiated form. */
export function renderObject(view: View, target: Target, object: KubeObject, nowMs: number): unknown {
  if (view.answer.as === 'Table')
    return tableOf(target.type, [object], view, nowMs, { resourceVersion: object.metadata.resourceVersion });
  if (view.answer.as !== '') return partialObject(object);
  return object;
}

/** A page of a list in the negotiated form. */
export function renderList(view: View, target: Target, page: Page, nowMs: number): unknown {
  const list = listObject(target, page);
  if (view.answer.as === 'Table') {
    return tableOf(target.type, page.objects, view, nowMs, record(list['metadata']));
  }
  if (view.answer.as === '') return list;
  return {
    apiVersion: 'meta.k8s.io/v1',
    kind: 'PartialObjectMetadataList',
    metadata: list['metadata'],
    items: page.objects.map(partialObject),
  };
}

function partialObject({ metadata }: KubeObject): Record<string, unknown> {
  return { apiVersion: 'meta.k8s.io/v1', kind: 'PartialObjectMetadata', metadata };
}
