import type { ListTagsRequest, TagResourceRequest, UntagResourceRequest } from '@aws-sdk/client-lambda';
import { functions } from '@kappa/crds/client/kinds';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { type MappingReference, parseMappingArn } from '../event-source-mappings/arn.ts';
import { changeMappingTags, mappingTags } from '../event-source-mappings/tags.ts';
import { functionNotFound, placeOf, requireFunction } from '../functions/find.ts';
import { whenSeen } from '../functions/state.ts';

type Tags = Readonly<Record<string, string>>;
/** Tags of one resource. */
const MAX_TAGS = 50;

/** TagResource: adds tags, and gives new values to those that are there. */
export async function tagResource(call: OperationCall<TagResourceRequest>, deps: ApiDeps): Promise<object> {
  const { Tags: added = {} } = call.input;
  await changeTags(call, deps, (tags) => ({ ...tags, ...added }));
  return {};
}

/** UntagResource; a tag that is not there is fine. */
export async function untagResource(call: OperationCall<UntagResourceRequest>, deps: ApiDeps): Promise<object> {
  const gone = new Set(call.input.TagKeys);
  await changeTags(call, deps, (tags) => Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))));
  return {};
}

/** ListTags. */
export async function listTags(call: OperationCall<ListTagsRequest>, deps: ApiDeps): Promise<{ Tags: Tags }> {
  const mapping = mappingOf(call);
  if (mapping !== null) return { Tags: await mappingTags(call, mapping.uuid, deps) };
  refuseQualifier(call);
  const { spec } = await requireFunction(call, deps);
  return { Tags: spec.tags ?? {} };
}

/** @throws InvalidParameterValue for tags that no resource may have */
export function checkTags(tags: Tags): void {
  const keys = Object.keys(tags);
  if (keys.length > MAX_TAGS) throw new InvalidParameterValue('Number of tags exceeds resource tag limit.');
  if (keys.some((key) => key === '' || key.length > 128))
    throw new InvalidParameterValue('The key of a tag must have 1 to 128 characters.');
  if (keys.some((key) => key.toLowerCase().startsWith('aws:')))
    throw new InvalidParameterValue('aws: prefixed tag key names are not allowed for external use.');
  if (Object.values(tags).some((value) => value.length > 256))
    throw new InvalidParameterValue('The value of a tag must have at most 256 characters.');
}

type TagsCall = OperationCall<{ readonly Resource: string | undefined }>;

async function changeTags(call: TagsCall, deps: ApiDeps, edit: (tags: Tags) => Tags): Promise<void> {
  const checked = (before: Tags): Tags => {
    const tags = edit(before);
    checkTags(tags);
    return tags;
  };
  const mapping = mappingOf(call);
  if (mapping !== null) {
    await changeMappingTags(call, mapping.uuid, checked, deps);
    return;
  }
  refuseQualifier(call);
  const changed = await deps.objects.change(functions, await placeOf(call, deps), (fn) => ({
    ...fn,
    spec: { ...fn.spec, tags: checked(fn.spec.tags ?? {}) },
  }));
  if (changed === null) throw functionNotFound(call.fn);
  await whenSeen(changed, deps);
}

function mappingOf({ input }: TagsCall): MappingReference | null {
  return parseMappingArn(input.Resource ?? '');
}

function refuseQualifier({ fn }: OperationCall<unknown>): void {
  if (fn.qualifier === null) return;
  throw new InvalidParameterValue(
    'Tags on function aliases and versions are not supported. Please specify a function ARN.',
  );
}
