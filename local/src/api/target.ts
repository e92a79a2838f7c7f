import { isRecord } from './json.ts';
import type { KubeObject } from './object.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';
import { badRequest } from './status.ts';

/** The object or collection that a request is about. */
export interface Target {
  readonly type: ResourceType;
  /** '' for cluster-scoped objects and for requests over all namespaces. */
  readonly namespace: string;
  /** '' for the collection. */
  readonly name: string;
  /** '' for the object itself. */
  readonly subresource: string;
}

/**
 * Fills in apiVersion and kind of a built-in object from the URL, where a client left them out. Returns its argument.
 */
export function withKind({ type }: Target, body: unknown): unknown {
  if (type.custom === null && isRecord(body)) {
    body['apiVersion'] ??= apiVersionOf(type);
    body['kind'] ??= type.kind;
  }
  return body;
}

/**
 * Checks that a body is of the target's kind, namespace and name, and fills in the namespace.
 * @throws ApiError 400
 */
export function checkIdentity(target: Target, object: KubeObject): void {
  const { type } = target;
  if (object.kind !== type.kind || object.apiVersion !== apiVersionOf(type)) {
    throw badRequest(
      `${object.kind} in version "${object.apiVersion}" cannot be handled as a ${type.kind}: ` +
        `the object provided is unrecognized (must be of type ${type.kind} in ${apiVersionOf(type)})`,
    );
  }
  checkNamespace(target, object);
  const { name } = object.metadata;
  if (target.name !== '' && name !== '' && name !== target.name) {
    throw badRequest(`the name of the object (${name}) does not match the name on the URL (${target.name})`);
  }
  if (target.name !== '') object.metadata.name = target.name;
}

function checkNamespace({ type, namespace }: Target, { metadata }: KubeObject): void {
  if (!type.isNamespaced) {
    delete metadata.namespace;
    return;
  }
  if (metadata.namespace !== undefined && metadata.namespace !== '' && metadata.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  metadata.namespace = namespace;
}
