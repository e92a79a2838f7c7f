import { hash } from 'node:crypto';

import { ZipFile } from 'yazl';

import { BlobError, type Spooled } from '../../blobs/blob-store.ts';
import type { ApiDeps } from '../call.ts';

/** Blobs in memory, and links to them. */
export class TestBlobs {
  readonly stored = new Map<string, Buffer>();

  /** What handlers need of the store. */
  readonly deps: Pick<ApiDeps, 'blobs' | 'codeUrl'> = {
    blobs: {
      put: async (bytes) => {
        const zip = (Buffer.isBuffer(bytes) ? bytes : (bytes as Spooled).content()) as Buffer; // handlers of these tests hold what they store
        const sha256 = hash('sha256', zip);
        this.stored.set(sha256, zip);
        return { sha256, sizeBytes: zip.length };
      },
      get: async (sha256) => {
        const found = this.stored.get(sha256);
        if (found === undefined) throw new BlobError('NotFound', `no blob ${sha256}`);
        return found;
      },
      sizeOf: async (sha256) => this.stored.get(sha256)?.length ?? null,
    },
    codeUrl: (origin, sha256) => `${origin}/code/${sha256}`,
  };
}

/** A zip of text files. */
export async function zipOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, text] of Object.entries(files)) zip.addBuffer(Buffer.from(text), name);
  zip.end();
  return Buffer.concat(await Array.fromAsync(zip.outputStream, (piece) => Buffer.from(piece)));
}
