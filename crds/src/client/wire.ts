import type { Manifest, ManifestMeta } from '../object-meta.ts';
import { apiVersionOf, type Kind } from './kinds.ts';

/** What may be written to `/status` of an object that reads as T. */
export interface StatusManifest<T> {
  readonly metadata: ManifestMeta;
  readonly status: T extends { readonly status?: infer S } ? NonNullable<S> : never;
}

/**
 * An object as it is sent: `apiVersion` and `kind` from the kind, of metadata only what a writer may say. So an object that
 * was read can be written back as it is; what is empty is left out.
 */
export function toWire<T>(kind: Kind<T>, object: Manifest<T> | StatusManifest<T>): object {
  return { ...object, apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: metaToWire(object.metadata) };
}

function metaToWire(meta: ManifestMeta): object {
  const { name, generateName, namespace, labels, annotations, ownerReferences, finalizers, resourceVersion, uid } =
    meta;
  const all = { name, generateName, namespace, labels, annotations, ownerReferences, finalizers, resourceVersion, uid };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => !isEmpty(value)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === '') return true;
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}
