import type { ApiDeps } from '../call.ts';
import { Uploads } from './uploads.ts';

/** Uploads with Lambda's bounds. @param blobDir where large ones wait; without one they are held in memory */
export function testUploads(blobDir = '/dev/full'): Pick<ApiDeps, 'codeLimits' | 'uploads'> {
  const codeLimits = { zippedBytes: 52_428_800, unpackedBytes: 262_144_000 };
  const schedule = (ms: number, then: () => void) => {
    const timer = setTimeout(then, ms).unref();
    return () => clearTimeout(timer);
  };
  return { codeLimits, uploads: new Uploads({ blobDir, maxZipBytes: codeLimits.zippedBytes, schedule }) };
}
