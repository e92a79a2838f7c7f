/**
 * `NotFound`: no such blob. `Corrupt`: the stored bytes are not what their name says. `DigestMismatch`: what was put is
 * not what the caller said. `TooLarge`: above the store's limit. `BadDigest`: not a sha256 in lower-case hex.
 */
export type BlobErrorCode = 'NotFound' | 'Corrupt' | 'DigestMismatch' | 'TooLarge' | 'BadDigest';

/** A failure of the blob store that a caller can act on. */
export class BlobError extends Error {
  readonly code: BlobErrorCode;

  constructor(code: BlobErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BlobError';
    this.code = code;
  }
}

/** @throws BlobError BadDigest; a digest becomes a path, so nothing else may pass */
export function checkDigest(sha256: string): void {
  if (!/^[0-9a-f]{64}$/.test(sha256))
    throw new BlobError('BadDigest', `not a sha256 in lower-case hex: ${JSON.stringify(sha256)}`);
}
