import { createHash } from 'node:crypto';
import type { FunctionObject } from '@kappa/crds/function';
import type { SnapshotImage } from '@kappa/crds/version-snapshot';
import type { LayerFailure } from './resolve-layers.ts';
import { type SourceFile, zipFiles } from './zip-files.ts';

/** Where a function's code is: a blob by digest, or an image, or why it is not there. */
export type ResolvedCode =
  | {
      readonly kind: 'resolved';
      readonly sha256: string;
      readonly sizeBytes: number;
      /** Absent = it is a blob. */
      readonly image?: SnapshotImage;
    }
  | {
      readonly kind: 'failed';
      /** CamelCase, becomes the reason of the condition `CodeResolved`. */
      readonly reason: CodeFailure;
      /** For people: what was tried and what to do. */
      readonly message: string;
    };

/** Why code is not there. */
export type CodeFailure =
  | 'BlobMissing'
  | 'DigestMismatch'
  | 'TooLarge'
  | 'UrlRefused'
  | 'FetchFailed'
  | 'InvalidImage'
  | 'ImageAccessDenied'
  | 'ImagesUnsupported';

/** Failures that may go away without a change of the object: they are tried again. The others are only told. */
const recoverable: ReadonlySet<string> = new Set<LayerFailure>([
  'BlobMissing',
  'FetchFailed',
  'LayerMissing',
  'LayerForbidden',
  'InvalidImage',
  'ImageAccessDenied',
]);
/** How soon such a failure is looked at again. */
export const codeRetryMs = 5_000;
/** And one that somebody has to mend at the registry first. */
export const imageRetryMs = 60_000;
/** A registry that is away, or asks not to be asked, is asked after twice the time, and after so long at the latest. */
export const maxImageRetryMs = 300_000;

/** Whether trying again may help. @param reason of the condition `CodeResolved` or `LayersResolved` */
export function mayRecover(reason: string): boolean {
  return recoverable.has(reason);
}

/** The two things this needs of a blob store (door `@kappa/gateway/blobs`). */
export interface CodeBlobs {
  /** Size of a stored blob in bytes, or null. */
  sizeOf(sha256: string): Promise<number | null>;
  /** Stores bytes, answers their digest. */
  put(bytes: Buffer): Promise<{ readonly sha256: string; readonly sizeBytes: number }>;
  /** Brings a retired blob back; one that is not retired is left as it is. */
  reinstate(sha256: string): Promise<void>;
}

/** Downloads a URL; throws {@link FetchRefused} or any network error. At most `maxBytes` are read. */
export type FetchCode = (url: string, maxBytes: number) => Promise<Buffer>;

/** The URL may not be fetched or its answer is not acceptable; trying again does not help. */
export class FetchRefused extends Error {
  readonly reason: 'UrlRefused' | 'TooLarge';
  constructor(reason: FetchRefused['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

/** What {@link resolveCode} works with. */
export interface CodeSources {
  readonly blobs: CodeBlobs;
  readonly fetchCode: FetchCode;
  /** Largest package as a zip, bytes. */
  readonly maxZipBytes: number;
}

/** Brings a function's zip into the blob store and answers its digest. An expected failure is a value, not a throw. */
export async function resolveCode(code: FunctionObject['spec']['code'], sources: CodeSources): Promise<ResolvedCode> {
  if (code.inline !== undefined) return storeInline(code.inline.files, sources);
  if (code.url !== undefined) return storeFromUrl(code.url.url, code.url.sha256, sources);
  if (code.zip !== undefined) return findBlob(code.zip.sha256, sources);
  throw new Error(
    'code has none of inline, url, zip: the schema refuses such an object, and images are not resolved here',
  );
}

async function storeInline(files: readonly SourceFile[], { blobs }: CodeSources): Promise<ResolvedCode> {
  return { kind: 'resolved', ...(await blobs.put(await zipFiles(files))) };
}

async function findBlob(sha256: string, { blobs }: CodeSources): Promise<ResolvedCode> {
  const sizeBytes = (await blobs.sizeOf(sha256)) ?? (await broughtBack(sha256, blobs));
  if (sizeBytes !== null) return { kind: 'resolved', sha256, sizeBytes };
  const message = `no blob ${sha256} in the store: upload the zip first (kappa apply does, or PUT /blobs/sha256/${sha256} on the gateway)`;
  return { kind: 'failed', reason: 'BlobMissing', message };
}

/** Retired because nothing referred to it; now something does, and need not wait for the next collection. */
async function broughtBack(sha256: string, blobs: CodeBlobs): Promise<number | null> {
  await blobs.reinstate(sha256);
  return blobs.sizeOf(sha256);
}

async function storeFromUrl(url: string, sha256: string, sources: CodeSources): Promise<ResolvedCode> {
  const known = await sources.blobs.sizeOf(sha256);
  if (known !== null) return { kind: 'resolved', sha256, sizeBytes: known };
  const fetched = await fetchOrFailure(url, sources);
  if (!Buffer.isBuffer(fetched)) return fetched;
  const found = createHash('sha256').update(fetched).digest('hex');
  if (found !== sha256) {
    const message = `${url} has digest ${found}, but the manifest says ${sha256}: correct code.url.sha256 or the file`;
    return { kind: 'failed', reason: 'DigestMismatch', message };
  }
  return { kind: 'resolved', ...(await sources.blobs.put(fetched)) };
}

async function fetchOrFailure(url: string, { fetchCode, maxZipBytes }: CodeSources): Promise<Buffer | ResolvedCode> {
  try {
    return await fetchCode(url, maxZipBytes);
  } catch (error) {
    if (error instanceof FetchRefused) {
      return { kind: 'failed', reason: error.reason, message: error.message };
    }
    const cause = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', reason: 'FetchFailed', message: `fetching ${url} failed: ${cause}` };
  }
}
