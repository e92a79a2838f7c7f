import type { ImageConfig } from '@aws-sdk/client-lambda';
import { functions, functionVersions } from '@kappa/crds/client/kinds';
import type { FunctionObject } from '@kappa/crds/function';
import type { SnapshotCode } from '@kappa/crds/version-snapshot';

import { InvalidParameterValue, ResourceConflict } from '../../errors.ts';
import { type ApiDeps, comesTrue } from '../call.ts';
import type { CodeInput } from './code.ts';

type FunctionSpec = FunctionObject['spec'];

/** Whether a function is made from a container image; that never changes. */
export function isImage({ code }: Pick<FunctionSpec, 'code'>): boolean {
  return code.image !== undefined;
}

const uriPattern = /^[a-zA-Z0-9][a-zA-Z0-9._:/@-]{0,511}$/;

/**
 * The image of a request as code of a spec. Its registry is asked by the controller.
 *
 * @param deployedAt of an update: the tag is looked up again, also when it is the same
 * @throws InvalidParameterValue when there is none, or a zip beside it
 */
export function imageCode({ ImageUri: uri, ...others }: CodeInput, deployedAt?: string): FunctionSpec['code'] {
  if ([others.ZipFile, others.S3Bucket, others.S3Key, others.S3ObjectVersion].some((member) => member !== undefined))
    throw new InvalidParameterValue(
      'Please do not provide ZipFile or S3 parameters for a function whose package type is Image.',
    );
  if (uri === undefined)
    throw new InvalidParameterValue('Please provide ImageUri for a function whose package type is Image.');
  if (!uriPattern.test(uri))
    throw new InvalidParameterValue(`Source image ${uri} is not valid. Provide a valid source image.`);
  return { image: { uri, ...(deployedAt !== undefined && { deployedAt }) } };
}

/** `spec.imageConfig` for what a request says, which replaces all that was said before. */
export function imageConfigOf({
  EntryPoint,
  Command,
  WorkingDirectory,
}: ImageConfig): NonNullable<FunctionSpec['imageConfig']> {
  return {
    ...(EntryPoint !== undefined && EntryPoint.length > 0 && { entryPoint: EntryPoint }),
    ...(Command !== undefined && Command.length > 0 && { command: Command }),
    ...(WorkingDirectory !== undefined && WorkingDirectory !== '' && { workingDirectory: absolute(WorkingDirectory) }),
  };
}

function absolute(path: string): string {
  if (path.startsWith('/')) return path;
  throw new InvalidParameterValue(`ImageConfig.WorkingDirectory must be an absolute path: ${path}`);
}

/** How an answer shows `spec.imageConfig`. */
export function imageConfigResponse(config: FunctionSpec['imageConfig']) {
  const { entryPoint, command, workingDirectory } = config ?? {};
  const shown = {
    ...(entryPoint !== undefined && { EntryPoint: [...entryPoint] }),
    ...(command !== undefined && { Command: [...command] }),
    ...(workingDirectory !== undefined && { WorkingDirectory: workingDirectory }),
  };
  return Object.keys(shown).length === 0 ? {} : { ImageConfigResponse: { ImageConfig: shown } };
}

/** A version of an image that was just named is waited for so long: its registry is asked, and a pod started. */
const RESOLVE_MS = 30_000;

/**
 * What the image of a function stands for, once the controller knows it and has tried it.
 *
 * @throws ResourceConflict when it cannot be had, takes too long, or another one was deployed meanwhile
 */
export async function resolvedImage({ metadata, spec }: FunctionObject, deps: ApiDeps): Promise<SnapshotCode> {
  const { namespace, name, generation } = metadata;
  let status: FunctionObject['status'];
  const isOver = await comesTrue(deps, RESOLVE_MS, async () => {
    const fn = await deps.objects.find(functions, namespace, name);
    status = fn?.status;
    return (status?.observedGeneration ?? 0) >= generation && status?.lastUpdateStatus !== 'InProgress';
  });
  const { uri = '', deployedAt } = spec.code.image ?? {};
  if (!isOver)
    throw new ResourceConflict(
      `No version is published yet: image ${uri} takes long to start. Publish it when the function is Active.`,
    );
  const code = status?.lastUpdateStatus === 'Successful' ? await servedImage({ metadata, status }, deps) : null;
  if (code !== null && (code.image?.uri !== uri || code.image.deployedAt !== deployedAt))
    throw new ResourceConflict(
      'No version is published: the code of the function was changed meanwhile. Publish it again.',
    );
  if (code !== null) return code;
  throw new ResourceConflict(
    `No version is published: ${status?.lastUpdateStatusReason ?? `image ${uri} cannot be had`}`,
  );
}

/** The image that `$LATEST` runs; null = none yet. */
export async function servedImage(
  { metadata, status }: Pick<FunctionObject, 'metadata'> & { readonly status?: FunctionObject['status'] | undefined },
  { objects }: Pick<ApiDeps, 'objects'>,
): Promise<SnapshotCode | null> {
  if (status?.latestVersion === undefined) return null;
  const latest = await objects.find(functionVersions, metadata.namespace, status.latestVersion);
  return latest?.spec.code.image === undefined ? null : latest.spec.code;
}
