import type { ListVersionsByFunctionRequest, PublishVersionRequest } from '@aws-sdk/client-lambda';
import type { FunctionObject } from '@kappa/crds/function';
import type { SnapshotCode } from '@kappa/crds/version-snapshot';

import { InvalidParameterValue, ResourceConflict } from '../../errors.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { type Configuration, inList, latestConfiguration, versionConfiguration } from '../functions/configuration.ts';
import { requireFunction } from '../functions/find.ts';
import { isImage, resolvedImage } from '../functions/image.ts';
import { keptLayers } from '../functions/layers.ts';
import { settled } from '../functions/state.ts';
import { pageOf } from '../paging.ts';
import { requireRevision } from '../revision.ts';
import { publishedVersions, publishVersion } from './publish.ts';

/** PublishVersion. */
export async function publish(call: OperationCall<PublishVersionRequest>, deps: ApiDeps): Promise<Configuration> {
  const { input, fn: named } = call;
  if (named.qualifier !== null)
    throw new InvalidParameterValue('The function name must not have a qualifier: $LATEST is what is published.');
  const found = await requireFunction(call, deps);
  requireRevision(input.RevisionId, found.metadata);
  const fn = await settled(found, named.arn, deps);
  const code = isImage(fn.spec) ? await resolvedImage(fn, deps) : servedCode(fn);
  requireDigest(input.CodeSha256, fn);
  const version = await publishVersion(fn, code, input.Description ?? null, deps, await keptLayers(fn, deps));
  const shown = { functionName: named.name, arn: `${named.arn}:${version.spec.version}` };
  return versionConfiguration(version, shown, deps.region);
}

/** What ListVersionsByFunction answers. */
export interface VersionsAnswer {
  readonly Versions: Configuration[];
  readonly NextMarker?: string;
}

/** ListVersionsByFunction: `$LATEST`, then the published versions by number. */
export async function listVersions(
  call: OperationCall<ListVersionsByFunctionRequest>,
  deps: ApiDeps,
): Promise<VersionsAnswer> {
  const { name: functionName, arn } = call.fn;
  const fn = await requireFunction(call, deps);
  const shown = (version: string) => ({ functionName, arn: `${arn}:${version}` });
  const latest = await latestConfiguration(fn, shown(LATEST), deps);
  const published = (await publishedVersions(fn, deps)).map((version) =>
    versionConfiguration(version, shown(version.spec.version), deps.region),
  );
  const { entries, ...next } = pageOf([latest, ...published], call.input, versionOf, byNumber);
  return { Versions: entries.map(inList), ...next };
}

function versionOf({ Version = LATEST }: Configuration): string {
  return Version;
}

/** `$LATEST` is the first. */
function byNumber(a: string, b: string): number {
  const number = (version: string) => (version === LATEST ? 0 : Number(version));
  return number(a) - number(b);
}

/** @throws ResourceConflict when the last change cannot be served: then there is nothing to publish */
function servedCode({ status }: FunctionObject): SnapshotCode {
  const { codeSha256, codeSizeBytes, lastUpdateStatus, lastUpdateStatusReason = '' } = status ?? {};
  if (codeSha256 !== undefined && codeSizeBytes !== undefined && lastUpdateStatus === 'Successful')
    return { sha256: Buffer.from(codeSha256, 'base64').toString('hex'), sizeBytes: codeSizeBytes };
  throw new ResourceConflict(
    `The operation cannot be performed at this time. The last update of the function failed: ${lastUpdateStatusReason}`,
  );
}

function requireDigest(given: string | undefined, { spec, status }: FunctionObject): void {
  const digest = status?.codeSha256 ?? '';
  const current = isImage(spec) ? Buffer.from(digest, 'base64').toString('hex') : digest;
  if (given === undefined || given === '' || given === current) return;
  throw new InvalidParameterValue(
    `CodeSHA256 (${given}) is different from current CodeSHA256 in $LATEST (${current}). Please try again with the CodeSHA256 in $LATEST.`,
  );
}
