/**
 * `NotFound`: no such blob. `Corrupt`: the stored bytes are not what their name says. `DigestMismatch`: what was put is
 * not what the caller said. `TooLarge`: above the store's limit. `BadDigest`: not a sha256 in lower-case hex. `Unavailable`: the store
 * does not answer, or not as it should: the operator's to mend. Only `Unavailable` may go away by itself.
 */
export type BlobErrorCode = 'NotFound' | 'Corrupt' | 'DigestMismatch' | 'TooLarge' | 'BadDigest' | 'Unavailable';

/** After `Unavailable`: when to try again. */
const RETRY_AFTER_SECONDS = 1;

/** A failure of the blob store that a caller can act on. */
export class BlobError extends Error {
  readonly code: BlobErrorCode;
  /** Who has to act: whoever runs the `platform`, or the `caller` that asked for what there is not or sent what may not be. */
  readonly fault: 'platform' | 'caller';
  /** Whole seconds; only where waiting helps. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BlobError';
    this.code = code;
    this.fault = code === 'Unavailable' || code === 'Corrupt' ? 'platform' : 'caller';
    this.retryAfterSeconds = code === 'Unavailable' ? RETRY_AFTER_SECONDS : undefined;
  }
}

/** @throws BlobError BadDigest; a digest becomes a path, so nothing else may pass */
export function checkDigest(sha256: string): void {
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new BlobError('BadDigest', `not a sha256 in lower-case hex: ${JSON.stringify(sha256)}`);
}

/** Whether that can be the name of an install: whatever else lies among them is none. */
export function isInstall(name: string): boolean {
  return /^[0-9A-Za-z-]{1,64}$/.test(name);
}

/** @throws BlobError BadDigest; the name of an install becomes a path, too */
export function checkInstall(install: string): void {
  if (!isInstall(install)) throw new BlobError('BadDigest', `not the name of an install: ${JSON.stringify(install)}`);
}
