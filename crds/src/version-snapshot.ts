import { createHash } from 'node:crypto';
import type { FunctionObject } from './function.ts';
import type { FunctionVersionObject } from './function-version.ts';
import { functionLabel, labelValue } from './labels.ts';
import { functionNameOf } from './names.ts';
import type { ManifestMeta } from './object-meta.ts';

type FunctionVersionSpec = FunctionVersionObject['spec'];

/** A zip in the blob store, or an image. */
export interface SnapshotCode {
  /** Of the zip, or of the image's manifest: 64 lower-case hex digits. */
  readonly sha256: string;
  /** 0 for an image. */
  readonly sizeBytes: number;
  /** Absent = it is a zip. */
  readonly image?: SnapshotImage;
}

/** An image as its registry described it. */
export type SnapshotImage = NonNullable<FunctionVersionSpec['code']['image']>;

/** A layer version as a function has it. */
export type SnapshotLayer = NonNullable<FunctionVersionSpec['layers']>[number];

/**
 * The immutable snapshot of a function as it is now, as the controller makes it for `$LATEST` and the Lambda API for published
 * versions. Two snapshots of one function have the same `revision` exactly when nothing that is part of them has changed.
 *
 * @param code what `fn.spec.code` stands for
 * @param layers what `fn.spec.layers` stands for
 */
export function makeVersionSpec(
  fn: FunctionObject,
  code: SnapshotCode,
  layers: readonly SnapshotLayer[] = [],
): FunctionVersionSpec {
  const { spec } = fn;
  const content = {
    functionName: fn.metadata.name,
    lambdaName: functionNameOf(fn),
    version: '$LATEST',
    ...(spec.runtime !== undefined && { runtime: spec.runtime }),
    ...(spec.handler !== undefined && { handler: spec.handler }),
    code: {
      sha256: code.sha256,
      sizeBytes: code.sizeBytes,
      ...(code.image !== undefined && { image: code.image }),
    },
    memoryMiB: spec.memoryMiB,
    timeoutSeconds: spec.timeoutSeconds,
    environment: spec.environment,
    perInstance: spec.concurrency.perInstance,
    logging: spec.logging,
    idleTimeoutSeconds: spec.idleTimeoutSeconds,
    description: spec.description,
    ...keptOf(spec),
    ...(layers.length > 0 && { layers: layers.map(({ arn, sha256, sizeBytes }) => ({ arn, sha256, sizeBytes })) }),
  };
  return { ...content, revision: revisionOf(fn.metadata.uid, content) };
}

/** Member of `spec.compatibility` that says something of each version by itself: no part of a snapshot, and no reason for a new one. */
export const runtimeManagementMember = 'RuntimeManagement';

/** Fields that most functions do not have: absent ones leave no trace, so that revisions from before they existed stay. */
function keptOf(spec: FunctionObject['spec']): Partial<FunctionVersionSpec> {
  const { role, serviceAccountName, architectures, ephemeralStorageMiB, deadLetterTarget, idle, imageConfig } = spec;
  const compatibility = ofAllVersions(spec.compatibility);
  return {
    ...(role === undefined ? {} : { role }),
    ...(serviceAccountName === undefined ? {} : { serviceAccountName }),
    ...(architectures === undefined ? {} : { architectures }),
    ...(ephemeralStorageMiB === undefined ? {} : { ephemeralStorageMiB }),
    ...(deadLetterTarget === undefined ? {} : { deadLetterTarget }),
    ...(idle === undefined ? {} : { idle }),
    ...(imageConfig === undefined || Object.keys(imageConfig).length === 0 ? {} : { imageConfig }),
    ...(compatibility === undefined ? {} : { compatibility }),
  };
}

function ofAllVersions(kept: FunctionObject['spec']['compatibility']): typeof kept {
  if (kept?.[runtimeManagementMember] === undefined) return kept;
  const { [runtimeManagementMember]: _ofOne, ...others } = kept;
  return Object.keys(others).length === 0 ? undefined : others;
}

/**
 * First 10 hex digits of a sha256 over everything that a pod of this version depends on. The function's uid is part of it, so that a function
 * deleted and made again never meets a snapshot that is about to be collected with its old owner.
 */
function revisionOf(uid: string, content: Omit<FunctionVersionSpec, 'revision'>): string {
  return createHash('sha256')
    .update(JSON.stringify([uid, content]))
    .digest('hex')
    .slice(0, 10);
}

/** Metadata of a FunctionVersion or an Alias that Kappa makes: it belongs to its function and goes with it. */
export function childMetadata(fn: FunctionObject, name: string): ManifestMeta {
  const owner = {
    apiVersion: 'kappa.dev/v1alpha1',
    kind: 'Function',
    name: fn.metadata.name,
    uid: fn.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  return {
    name,
    namespace: fn.metadata.namespace,
    labels: { [functionLabel]: labelValue(fn.metadata.name) },
    ownerReferences: [owner],
  };
}
