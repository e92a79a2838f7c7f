import express, { type Router } from 'express';

import type { BlobStore } from '../blobs/blob-store.ts';
import { LambdaError } from '../errors.ts';
import { type CodeLinks, codePath } from '../lambda-api/code-url.ts';
import { blobToCaller } from './blob-routes.ts';

/** `GET /code/sha256/<hex>?expires=…&signature=…`: the zip of a function, for whoever has a link from GetFunction. */
export function codeRoutes(blobs: Pick<BlobStore, 'get'>, links: CodeLinks): Router {
  const router = express.Router();
  router.get(`${codePath}/:sha256`, async (req, res) => {
    const { sha256 } = req.params;
    const { expires, signature } = req.query;
    if (!links.holds(sha256, String(expires), String(signature))) throw expired();
    const bytes = await blobs.get(sha256).catch(blobToCaller);
    res.set('Cache-Control', 'private, no-store').type('application/zip').send(bytes);
  });
  return router;
}

/** One answer for all that does not hold: it tells nobody whether a blob is there. */
function expired(): LambdaError {
  return new LambdaError('AccessDeniedException', 'The link has expired or is not one of this install.', {
    status: 403,
    fault: 'caller',
  });
}
