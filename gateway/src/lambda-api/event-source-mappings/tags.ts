import { eventSourceMappings } from '@kappa/crds/client/kinds';

import type { ApiDeps, OperationCall } from '../call.ts';
import { mappingNotFound, requireMapping } from './find.ts';

type Tags = Readonly<Record<string, string>>;

/** Tags of a mapping. @throws ResourceNotFound */
export async function mappingTags(call: OperationCall<unknown>, uuid: string, deps: ApiDeps): Promise<Tags> {
  const { spec } = await requireMapping({ ...call, input: { UUID: uuid } }, deps);
  return spec.tags ?? {};
}

/**
 * Changes the tags of a mapping.
 *
 * @param edit what it throws ends the change
 * @throws ResourceNotFound
 */
export async function changeMappingTags(
  call: OperationCall<unknown>,
  uuid: string,
  edit: (tags: Tags) => Tags,
  deps: ApiDeps,
): Promise<void> {
  const found = await requireMapping({ ...call, input: { UUID: uuid } }, deps);
  const changed = await deps.objects.change(eventSourceMappings, found.metadata, (mapping) => {
    if (mapping.metadata.uid !== uuid) throw mappingNotFound();
    return { ...mapping, spec: { ...mapping.spec, tags: edit(mapping.spec.tags ?? {}) } };
  });
  if (changed === null) throw mappingNotFound();
}
