import { record } from './json.ts';
import { type KubeObject, kubeTime } from './object.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';
import { trackUpdate } from './schema/apply-patch.ts';

/** An ordinary write, for the books of who owns which field. Objects are in stored form. */
export interface Tracked {
  readonly type: ResourceType;
  readonly before: KubeObject | null;
  readonly after: KubeObject;
  readonly manager: string;
  readonly nowMs: number;
  readonly subresource: string;
}

/** Brings `after.metadata.managedFields` up to date, in place. */
export function trackManager({ type, before, after, manager, nowMs, subresource }: Tracked): void {
  const tracked = trackUpdate({
    before: before === null ? null : type.fromStorage(before),
    after: type.fromStorage(after),
    manager,
    operation: 'Update',
    nowIso: kubeTime(nowMs),
    subresource,
    apiVersion: apiVersionOf(type),
    schema: type.schema,
  });
  const managedFields = record(tracked['metadata'])['managedFields'];
  if (Array.isArray(managedFields)) after.metadata.managedFields = managedFields;
  else delete after.metadata.managedFields;
}
