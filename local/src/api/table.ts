import type { KubeObject } from './object.ts';
import type { View } from './render.ts';
import { apiVersionOf, type ResourceType } from './resource.ts';
import { tableFor } from './schema/table.ts';

/** Objects as a `meta.k8s.io/v1` Table. @param metadata of the list */
export function tableOf(
  type: ResourceType,
  objects: readonly KubeObject[],
  { includeObject }: View,
  nowMs: number,
  metadata: Record<string, unknown>,
): Record<string, unknown> {
  const columns =
    type.custom === null ? {} : { additionalPrinterColumns: type.custom.version['additionalPrinterColumns'] };
  return tableFor({ apiVersion: apiVersionOf(type), kind: type.kind, ...columns }, objects, nowMs, {
    includeObject,
    metadata,
  });
}
