import type { AliasObject } from '@kappa/crds/alias';
import type {
  FunctionEventInvokeEntry,
  FunctionHttpCors,
  FunctionHttpRoute,
  FunctionObject,
  FunctionPermission,
} from '@kappa/crds/function';
import type { FunctionVersionEnvironmentEntry, FunctionVersionObject } from '@kappa/crds/function-version';
import { imagePoolName, imageRuntime, poolImageOf } from '@kappa/crds/image-pool';
import { limitQueueDefaultCalls, limitQueueDefaultSeconds } from '@kappa/crds/limits';
import { functionNameOf } from '@kappa/crds/names';

import type { LimitQueueRules } from '../dispatch/limits.ts';
import type { TargetImage } from '../dispatch/types.ts';

/** What the gateway keeps of a Function: no code, no managed fields, so that thousands cost little. */
export interface FunctionView {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Lambda's name. */
  readonly functionName: string;
  readonly generation: number;
  /** 0 = the controller has never looked at it. */
  readonly observedGeneration: number;
  /** metadata.name of the FunctionVersion that `$LATEST` means. */
  readonly latestVersion: string | null;
  readonly state: 'Pending' | 'Active' | 'Failed';
  readonly stateReason: string;
  /** null = no limit of its own. */
  readonly reserved: number | null;
  /** Calls above a limit wait; null = they are refused. */
  readonly limitQueue: LimitQueueRules | null;
  /** Of `$LATEST`. */
  readonly provisioned: number;
  /** Of published versions and aliases. */
  readonly provisionedByQualifier: readonly QualifiedExecutions[];
  readonly http: HttpView | null;
  /** Routes of HTTP APIs; absent = none. */
  readonly routes?: readonly FunctionHttpRoute[];
  /** Epoch milliseconds, whole seconds. */
  readonly createdMs: number;
  readonly permissions: readonly FunctionPermission[];
  /** Loops of invocations through it are wanted. */
  readonly mayLoop: boolean;
  /** How asynchronous invocations are handled, by qualifier. */
  readonly eventInvoke: readonly FunctionEventInvokeEntry[];
  /** ARN of the dead-letter queue; null = there is none. */
  readonly deadLetterTarget: string | null;
}

/** Execution environments that are kept for a published version, or for those that an alias means. */
export interface QualifiedExecutions {
  readonly qualifier: string;
  readonly executions: number;
}

/** The URL that spec.http of a Function or an Alias gives it. */
export interface HttpView {
  readonly auth: 'None' | 'AwsIam' | 'Policy';
  readonly cors: FunctionHttpCors | null;
  readonly invokeMode: 'Buffered' | 'ResponseStream';
  /** When Lambda's API made and changed it, ISO 8601; null = it did not. */
  readonly created: string | null;
  readonly lastModified: string | null;
}

/** A layer version as a FunctionVersion has it. */
export interface LayerView {
  readonly arn: string;
  /** Hex digest. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What the gateway keeps of a version's image. */
export interface ImageView extends TargetImage {
  /** Name of its Pool. */
  readonly pool: string;
}

/** What the gateway keeps of a FunctionVersion. */
export interface VersionView {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** metadata.name of the Function. */
  readonly functionObjectName: string;
  /** `$LATEST` or digits. */
  readonly version: string;
  /** `image` where the code is one. */
  readonly runtime: string;
  /** Of an image the first word of CMD, if there is one; else empty. */
  readonly handler: string;
  /** Absent = the code is a zip. */
  readonly image?: ImageView;
  readonly memoryMiB: number;
  readonly timeoutSeconds: number;
  readonly perInstance: number;
  readonly idleTimeoutSeconds: number;
  readonly codeSha256: string;
  readonly codeBytes: number;
  readonly layers: readonly LayerView[];
  readonly logFormat: 'Text' | 'JSON';
  /** What a JSON log leaves out; absent = INFO. */
  readonly applicationLogLevel?: string;
  readonly systemLogLevel?: string;
  /** What its processes do between calls; absent = Frozen. */
  readonly idle?: 'Frozen' | 'Running';
  readonly environment: readonly FunctionVersionEnvironmentEntry[];
  /** ARN as it stands in the version; absent = none. */
  readonly role?: string;
  /** The ServiceAccount, where the version says that instead. */
  readonly serviceAccountName?: string;
}

/** What the gateway keeps of an Alias. */
export interface AliasView {
  readonly namespace: string;
  /** metadata.name. */
  readonly name: string;
  readonly uid: string;
  readonly generation: number;
  /** Epoch milliseconds, whole seconds. */
  readonly createdMs: number;
  /** metadata.name of the Function. */
  readonly functionObjectName: string;
  /** The alias's own name, as callers say it. */
  readonly alias: string;
  readonly version: string;
  /** `weight` is 0..1. */
  readonly additional: { readonly version: string; readonly weight: number } | null;
  readonly description: string;
  readonly http: HttpView | null;
}

/** The view of a Function. */
export function viewFunction(fn: FunctionObject): FunctionView {
  const { metadata, spec, status } = fn;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    functionName: functionNameOf(fn),
    generation: metadata.generation,
    observedGeneration: status?.observedGeneration ?? 0,
    latestVersion: status?.latestVersion ?? null,
    state: status?.state ?? 'Pending',
    stateReason: status?.stateReason ?? '',
    reserved: spec.concurrency.reserved ?? null,
    limitQueue: viewLimitQueue(spec.concurrency),
    provisioned: spec.concurrency.provisioned,
    provisionedByQualifier: (spec.concurrency.provisionedByQualifier ?? []).map(({ qualifier, executions }) => ({
      qualifier,
      executions,
    })),
    http: viewHttp(spec.http),
    ...(spec.http?.routes !== undefined && spec.http.routes.length > 0 && { routes: spec.http.routes }),
    createdMs: metadata.creationTimestampMs ?? 0,
    permissions: spec.permissions ?? [],
    mayLoop: spec.recursiveLoop === 'Allow',
    eventInvoke: spec.eventInvoke ?? [],
    deadLetterTarget: spec.deadLetterTarget || null, // the API empties it
  };
}

function viewLimitQueue(concurrency: FunctionObject['spec']['concurrency']): LimitQueueRules | null {
  const { onLimit, maxQueueSeconds = limitQueueDefaultSeconds, maxQueued = limitQueueDefaultCalls } = concurrency;
  return onLimit === 'Queue' ? { maxWaitMs: maxQueueSeconds * 1000, maxCount: maxQueued } : null;
}

/** The view of spec.http; null = there is no URL. */
export function viewHttp(http: FunctionObject['spec']['http']): HttpView | null {
  if (http?.auth === undefined) return null;
  const { auth, invokeMode, cors = null, created = null, lastModified = null } = http;
  return { auth, invokeMode, cors, created, lastModified };
}

/** The view of a FunctionVersion. */
export function viewVersion({ metadata, spec }: FunctionVersionObject): VersionView {
  return {
    uid: metadata.uid,
    namespace: metadata.namespace,
    name: metadata.name,
    functionObjectName: spec.functionName,
    version: spec.version,
    runtime: spec.runtime ?? imageRuntime,
    handler: spec.handler ?? '',
    ...viewImage(metadata.namespace, spec),
    memoryMiB: spec.memoryMiB,
    timeoutSeconds: spec.timeoutSeconds,
    perInstance: spec.perInstance,
    idleTimeoutSeconds: spec.idleTimeoutSeconds,
    codeSha256: spec.code.sha256,
    codeBytes: spec.code.sizeBytes,
    layers: (spec.layers ?? []).map(({ arn, sha256, sizeBytes }) => ({ arn, sha256, bytes: sizeBytes })),
    logFormat: spec.logging.format,
    environment: spec.environment,
    ...(spec.logging.applicationLevel !== undefined && { applicationLogLevel: spec.logging.applicationLevel }),
    ...(spec.logging.systemLevel !== undefined && { systemLogLevel: spec.logging.systemLevel }),
    ...(spec.idle !== undefined && { idle: spec.idle }),
    ...(spec.role !== undefined && { role: spec.role }),
    ...(spec.serviceAccountName !== undefined && { serviceAccountName: spec.serviceAccountName }),
  };
}

/** Each part of the image's own start command may have another one in its place. */
function viewImage(
  namespace: string,
  spec: FunctionVersionObject['spec'],
): Pick<VersionView, 'image'> | Pick<VersionView, 'image' | 'handler'> {
  const { code, imageConfig = {} } = spec;
  const ofPool = poolImageOf(namespace, spec);
  if (ofPool === null || code.image === undefined) return {};
  const { workingDirectory, entryPoint = code.image.entryPoint, command = code.image.command } = imageConfig;
  const process = [...entryPoint, ...command];
  const image = { pool: imagePoolName(ofPool), process, ...(workingDirectory !== undefined && { workingDirectory }) };
  return { image, handler: command[0] ?? '' }; // AWS's images have it there
}

/** The view of an Alias; weights become 0..1. */
export function viewAlias({ metadata, spec }: AliasObject): AliasView {
  const second = spec.additionalVersion;
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    uid: metadata.uid,
    generation: metadata.generation,
    createdMs: metadata.creationTimestampMs ?? 0,
    functionObjectName: spec.functionName,
    alias: spec.name,
    version: spec.functionVersion,
    additional: second === undefined ? null : { version: second.functionVersion, weight: second.weightPercent / 100 },
    description: spec.description,
    http: viewHttp(spec.http),
  };
}
