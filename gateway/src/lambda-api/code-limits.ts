/** Bounds of packages: the install's settings. */
export interface CodeLimits {
  /** Largest zip, bytes. */
  readonly zippedBytes: number;
  /** Code and layers together, unpacked, bytes. */
  readonly unpackedBytes: number;
}

/** Largest body that can bring such a zip in base64; for Lambda's 50 MiB the 69,905,067 bytes that were measured there. */
export function codeRequestBytes(zippedBytes: number): number {
  return Math.ceil((zippedBytes * 4) / 3);
}
