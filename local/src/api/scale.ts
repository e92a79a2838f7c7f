import { at, isRecord, type JsonObject, number, record, text } from './json.ts';
import { copy, type KubeObject } from './object.ts';
import type { ScalePaths } from './resource.ts';
import { fieldError } from './schema/field-error.ts';
import { badRequest, invalid } from './status.ts';

/** `.spec.a.b` → its steps. */
function steps(path: string): string[] {
  return path.split('.').filter((step) => step !== '');
}

/** An object as `autoscaling/v1 Scale` shows it. */
export function toScale(paths: ScalePaths, object: KubeObject): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const replicas = number(at(object, ...steps(paths.specReplicasPath))) ?? 0;
  const selector = paths.labelSelectorPath === undefined ? '' : text(at(object, ...steps(paths.labelSelectorPath)));
  const observed = number(at(object, ...steps(paths.statusReplicasPath))) ?? 0;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace === undefined ? {} : { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas },
    status: { replicas: observed, ...(selector === '' ? {} : { selector }) },
  };
}

/** A copy of `object` with the replicas that a Scale asks for. @throws ApiError 400, 422 */
export function withScale(paths: ScalePaths, object: KubeObject, scale: unknown): KubeObject {
  if (!isRecord(scale) || scale['kind'] !== 'Scale')
    throw badRequest('the object provided is unrecognized (must be of type Scale)');
  const replicas = at(scale, 'spec', 'replicas') ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    const resource = { group: 'autoscaling', plural: 'scales', kind: 'Scale' };
    throw invalid(resource, object.metadata.name, [
      fieldError('spec.replicas', 'Invalid', 'must be greater than or equal to 0', replicas),
    ]);
  }
  const next = copy(object);
  const path = steps(paths.specReplicasPath);
  const last = path.pop() ?? '';
  let parent: JsonObject = next;
  for (const step of path) {
    if (!isRecord(parent[step])) parent[step] = {};
    parent = record(parent[step]);
  }
  parent[last] = replicas;
  next.metadata.resourceVersion = text(at(scale, 'metadata', 'resourceVersion'));
  return next;
}
