import { createHash } from 'node:crypto';
import type { FunctionConfiguration } from '@aws-sdk/client-lambda';
import type { FunctionObject } from '@kappa/crds/function';
import type { FunctionVersionObject } from '@kappa/crds/function-version';

import { roleArnOf } from '../../iam/role-name.ts';
import { LATEST } from '../../registry/routing.ts';
import type { ApiDeps } from '../call.ts';
import { revisionIdOf } from '../revision.ts';
import { literalVariables } from './environment.ts';
import { imageConfigResponse, isImage } from './image.ts';
import { type ShownLayer, shownLayers } from './layers.ts';
import { keptMembers } from './settings.ts';
import { type StateMembers, stateOf } from './state.ts';

/** What an answer says of a function's version. */
export type Configuration = Omit<FunctionConfiguration, keyof StateMembers> & Partial<StateMembers>;

/** Under which name the answer shows it. */
export interface Shown {
  readonly functionName: string;
  /** With the qualifier that is shown. */
  readonly arn: string;
}

/** Lambda's configuration of `$LATEST`. */
export async function latestConfiguration(fn: FunctionObject, shown: Shown, deps: ApiDeps): Promise<Configuration> {
  const { metadata, spec, status } = fn;
  return {
    ...settingsOf(spec, shown, deps.region),
    ...layersMember(await shownLayers(fn, deps)),
    ...(await codeOf(fn, deps)),
    LastModified: instantText(status?.lastModified ?? new Date(metadata.creationTimestampMs ?? 0).toISOString()),
    Version: LATEST,
    RevisionId: revisionIdOf(metadata),
    ...stateOf(fn, deps.directory),
  };
}

/** Lambda's configuration of a published version. */
export function versionConfiguration(version: FunctionVersionObject, shown: Shown, region: string): Configuration {
  const { metadata, spec } = version;
  return {
    ...settingsOf(spec, shown, region),
    ...layersMember((spec.layers ?? []).map(({ arn, sizeBytes }) => ({ Arn: arn, CodeSize: sizeBytes }))),
    CodeSha256: shownDigest(spec),
    CodeSize: spec.code.sizeBytes,
    LastModified: instantText(new Date(metadata.creationTimestampMs ?? 0).toISOString()),
    Version: spec.version,
    RevisionId: revisionIdOf(metadata),
    State: 'Active',
    LastUpdateStatus: 'Successful',
  };
}

function layersMember(layers: ShownLayer[]): Configuration {
  return layers.length === 0 ? {} : { Layers: layers };
}

/** As lists show it: without states, as AWS has it. */
export function inList(configuration: Configuration): Configuration {
  const {
    State: _state,
    StateReason: _stateReason,
    StateReasonCode: _stateReasonCode,
    LastUpdateStatus: _lastUpdateStatus,
    LastUpdateStatusReason: _lastUpdateStatusReason,
    LastUpdateStatusReasonCode: _lastUpdateStatusReasonCode,
    RuntimeVersionConfig: _runtimeVersion,
    ...rest
  } = configuration;
  return rest;
}

type Settings = Pick<
  FunctionVersionObject['spec'],
  | 'runtime'
  | 'handler'
  | 'description'
  | 'memoryMiB'
  | 'timeoutSeconds'
  | 'environment'
  | 'logging'
  | 'role'
  | 'serviceAccountName'
  | 'architectures'
  | 'ephemeralStorageMiB'
  | 'deadLetterTarget'
  | 'compatibility'
  | 'imageConfig'
> & { readonly code: { readonly image?: object } };

/** The same for `$LATEST` and for versions. A role that kubectl left out is shown as one of no name. */
function settingsOf(spec: Settings, { functionName, arn }: Shown, region: string): Configuration {
  const kept = new Map(Object.entries(spec.compatibility ?? {}).map(([member, json]) => [member, parsed(json)]));
  const variables = literalVariables(spec.environment);
  const { deadLetterTarget = '' } = spec;
  return {
    FunctionName: functionName,
    FunctionArn: arn,
    ...(spec.runtime !== undefined && { Runtime: spec.runtime }),
    Role: roleArnOf(spec, arn.split(':')[4] ?? '') ?? '',
    ...(spec.handler !== undefined && { Handler: spec.handler }),
    Description: spec.description,
    Timeout: spec.timeoutSeconds,
    MemorySize: spec.memoryMiB,
    ...(Object.keys(variables).length > 0 && { Environment: { Variables: variables } }),
    ...(deadLetterTarget !== '' && { DeadLetterConfig: { TargetArn: deadLetterTarget } }),
    PackageType: spec.code.image === undefined ? 'Zip' : 'Image',
    ...imageConfigResponse(spec.imageConfig),
    Architectures: [...(spec.architectures ?? (['x86_64'] as const))],
    EphemeralStorage: { Size: spec.ephemeralStorageMiB ?? 512 },
    TracingConfig: { Mode: 'PassThrough' },
    ...Object.fromEntries(keptMembers.flatMap((member) => (kept.has(member) ? [[member, kept.get(member)]] : []))),
    ...(kept.has('VpcConfig') && { VpcConfig: { ...Object(kept.get('VpcConfig')), VpcId: '' } }),
    SnapStart: { ApplyOn: 'None', ...Object(kept.get('SnapStart')), OptimizationStatus: 'Off' },
    LoggingConfig: {
      LogFormat: spec.logging.format,
      ...(spec.logging.format === 'JSON' && {
        ApplicationLogLevel: spec.logging.applicationLevel ?? 'INFO',
        SystemLogLevel: spec.logging.systemLevel ?? 'INFO',
      }),
      LogGroup: `/aws/lambda/${functionName}`,
      ...Object(kept.get('LoggingConfig')),
    },
    ...(spec.runtime !== undefined && {
      RuntimeVersionConfig: { RuntimeVersionArn: runtimeVersionArn(spec.runtime, region) },
    }),
  };
}

/** Of the code that is stored: also before the controller has looked at it. Code behind a URL is known only afterwards. */
async function codeOf({ spec, status }: FunctionObject, { blobs }: ApiDeps): Promise<Configuration> {
  const sha256 = spec.code.zip?.sha256;
  const known = { CodeSha256: status?.codeSha256 ?? '', CodeSize: status?.codeSizeBytes ?? 0 };
  if (isImage(spec)) return { ...known, CodeSha256: Buffer.from(known.CodeSha256, 'base64').toString('hex') };
  if (sha256 === undefined || base64Of(sha256) === known.CodeSha256) return known;
  return { CodeSha256: base64Of(sha256), CodeSize: (await blobs.sizeOf(sha256)) ?? 0 };
}

/** Digests of images are shown as registries write them. */
function shownDigest({ code }: FunctionVersionObject['spec']): string {
  return code.image === undefined ? base64Of(code.sha256) : code.sha256;
}

/** Lambda's form of a digest. @param sha256 hex */
export function base64Of(sha256: string): string {
  return Buffer.from(sha256, 'hex').toString('base64');
}

/** Lambda writes `2026-11-22T02:16:16.000+0000`. @param iso with a Z */
export function instantText(iso: string): string {
  return iso.replace(/(\.\d+)?Z$/, (_zone, fraction: string | undefined) => `${fraction ?? '.000'}+0000`);
}

/** Stands for the runtime as a whole: this install does not count its builds. */
function runtimeVersionArn(runtime: string, region: string): string {
  return `arn:aws:lambda:${region}::runtime:${createHash('sha256').update(runtime).digest('hex')}`;
}

/** A member that kubectl wrote and that is no JSON is not shown. */
function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
