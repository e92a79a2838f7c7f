import { functions, functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';
import { functionLabel, labelValue, lastVersionAnnotation } from '@kappa/crds/labels';
import { childMetadata, makeVersionSpec, type SnapshotCode, type SnapshotLayer } from '@kappa/crds/version-snapshot';

import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps } from '../call.ts';
import { lambdaException } from '../errors.ts';
import { keyOf } from '../functions/find.ts';
import { whenSight } from '../functions/state.ts';

/**
 * Publishes what a function is now as a numbered version. Nothing changed since the newest version: that one is the answer, as in Lambda.
 * Numbers are never given twice, not even after a deletion: the function's annotation is raised before the version is made, by a write that
 * fails when another one did so at the same time.
 *
 * @param code what `fn.spec.code` stands for
 * @param description null = the function's
 * @param layers what `fn.spec.layers` stands for
 * @throws LambdaError ResourceConflict when the function is gone or cannot be written
 */
export async function publishVersion(
  fn: FunctionObject,
  code: SnapshotCode,
  description: string | null,
  deps: ApiDeps,
  layers: readonly SnapshotLayer[] = [],
): Promise<FunctionVersionObject> {
  const spec = makeVersionSpec(fn, code, layers);
  let newest: FunctionVersionObject | undefined;
  let number = '';
  const raised = await deps.objects.change(functions, fn.metadata, async (current) => {
    newest = (await publishedVersions(current, deps)).at(-1);
    if (newest?.spec.revision === spec.revision) return current;
    const last = Number(current.metadata.annotations[lastVersionAnnotation] ?? 0);
    number = String(Math.max(Number.isSafeInteger(last) ? last : 0, Number(newest?.spec.version ?? 0)) + 1);
    const annotations = { ...current.metadata.annotations, [lastVersionAnnotation]: number };
    return { ...current, metadata: { ...current.metadata, annotations } };
  });
  if (raised === null) throw gone(fn);
  if (newest?.spec.revision === spec.revision) return newest;
  const version = await createVersion(
    fn,
    { ...spec, version: number, ...(description !== null && { description }) },
    deps,
  );
  const { uid } = version.metadata;
  await whenSight(deps, () => deps.directory.look(keyOf(fn.metadata)).versions.some((seen) => seen.uid === uid));
  return version;
}

/** Published versions of a function, the oldest first. Those of an earlier function of the same name do not count. */
export async function publishedVersions(
  { metadata }: FunctionObject,
  { objects }: Pick<ApiDeps, 'objects'>,
): Promise<readonly FunctionVersionObject[]> {
  const { namespace, name, uid } = metadata;
  const labelSelector = `${functionLabel}=${labelValue(name)}`;
  const found = await objects.list(functionVersions, { namespace, labelSelector });
  return found
    .filter(({ spec }) => spec.functionName === name && spec.version !== LATEST)
    .filter((version) => isOwnedBy(version, uid))
    .sort((a, b) => Number(a.spec.version) - Number(b.spec.version));
}

/** One that kubectl made may have no owner. */
export function isOwnedBy({ metadata }: FunctionVersionObject, uid: string): boolean {
  return metadata.ownerReferences.length === 0 || metadata.ownerReferences.some((owner) => owner.uid === uid);
}

/** A version of an earlier function of the same name, which is about to be collected, is in the way at most once. */
async function createVersion(
  fn: FunctionObject,
  spec: FunctionVersionObject['spec'],
  { objects }: ApiDeps,
): Promise<FunctionVersionObject> {
  const metadata = childMetadata(fn, versionObjectName(fn.metadata.name, spec.version));
  for (const isFirst of [true, false]) {
    const made = await objects.create(functionVersions, { metadata, spec });
    if (made !== null) return made;
    const old = await objects.find(functionVersions, fn.metadata.namespace, metadata.name ?? '');
    if (!isFirst || (old !== null && isOwnedBy(old, fn.metadata.uid))) break;
    if (old !== null)
      await objects.remove(functionVersions, fn.metadata.namespace, old.metadata.name, old.metadata.uid);
  }
  throw gone(fn);
}

/** metadata.name of the FunctionVersion that the Lambda API makes. */
export function versionObjectName(functionObjectName: string, version: string): string {
  return `${functionObjectName}-v${version}`;
}

function gone({ metadata }: FunctionObject): Error {
  return lambdaException(
    'ResourceConflictException',
    `Function ${metadata.name} has been changed or deleted by others at the same time: try again`,
  );
}
