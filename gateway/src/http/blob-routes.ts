import express, { type Request, type Router } from 'express';

import { BlobError, type BlobStore } from '../blobs/blob-store.ts';
import { InvalidParameterValue, LambdaError, RequestTooLarge, ResourceNotFound, ServiceException } from '../errors.ts';
import { CallerGone } from './answer.ts';
import { declaredBytes } from './body.ts';

/** Uploads at the same time: each holds a file and a hash open, none holds the blob in memory. */
const MAX_UPLOADS = 16;

/**
 * `PUT | HEAD | GET /blobs/sha256/<hex>`: code zips by digest. An upload is streamed, bounded, and kept only when its
 * digest is the one in
 * the path. Nobody is asked who they are: mount it only where the server listens on loopback.
 *
 * @param maxBytes largest zip; the store has the same bound
 */
export function blobRoutes(blobs: Pick<BlobStore, 'put' | 'get' | 'has'>, maxBytes: number): Router {
  const router = express.Router();
  let uploads = 0;
  router.put('/sha256/:sha256', async (req, res) => {
    if (declaredBytes(req) > maxBytes) throw new RequestTooLarge(`a zip may have at most ${maxBytes} bytes`);
    if (uploads >= MAX_UPLOADS) throw busy();
    uploads += 1;
    try {
      const { sha256, sizeBytes } = await put(blobs, req, req.params.sha256);
      res.status(201).json({ sha256, sizeBytes });
    } finally {
      uploads -= 1;
    }
  });
  router.head('/sha256/:sha256', async (req, res) => {
    const isThere = await blobs.has(req.params.sha256).catch(blobToCaller);
    res.status(isThere ? 200 : 404).end();
  });
  router.get('/sha256/:sha256', async (req, res) => {
    const bytes = await blobs.get(req.params.sha256).catch(blobToCaller);
    res.type('application/zip').send(bytes);
  });
  return router;
}

async function put(blobs: Pick<BlobStore, 'put'>, req: Request, sha256: string) {
  try {
    return await blobs.put(req, sha256);
  } catch (err) {
    if (req.destroyed && !req.complete) throw new CallerGone();
    return blobToCaller(err);
  }
}

/** What a failure of the store means for the caller. */
export function blobToCaller(err: unknown): never {
  if (!(err instanceof BlobError)) throw err;
  if (err.code === 'NotFound') throw new ResourceNotFound(err.message);
  if (err.code === 'TooLarge') throw new RequestTooLarge(err.message);
  if (err.code === 'Corrupt') throw err;
  if (err.code === 'Unavailable')
    throw new ServiceException(err.message, { retryAfterSeconds: err.retryAfterSeconds ?? 1, cause: err });
  throw new InvalidParameterValue(err.message);
}

function busy(): LambdaError {
  return new LambdaError('ServiceException', 'too many uploads at the same time', {
    status: 503,
    fault: 'platform',
    retryAfterSeconds: 1,
  });
}
