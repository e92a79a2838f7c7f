import type { IncomingMessage } from 'node:http';

import type { Claim, Principal } from '../../auth/authenticator.ts';
import { BlobError, type Spooled } from '../../blobs/blob-store.ts';
import { RequestTooLarge } from '../../errors.ts';
import { CallerGone } from '../../http/answer.ts';
import { declaredBytes, overCapacity } from '../../http/body.ts';
import type { BufferBudget } from '../../http/buffer-budget.ts';
import { TakeOut } from './take-out.ts';
import { SMALL_UPLOAD_BYTES, type Uploads } from './uploads.ts';

/** How a request that may bring code is read. */
export interface UploadBounds {
  /** Where the code is in the body. */
  readonly path: readonly string[];
  /** Largest body, bytes. */
  readonly limitBytes: number;
  /** Most bytes of the body beside the code. */
  readonly maxRestBytes: number;
  readonly budget: BufferBudget;
  readonly uploads: Uploads;
  /** What to throw above either bound. */
  readonly tooLarge: () => Error;
}

/** A request that may have brought code. */
export interface UploadRequest {
  readonly principal: Principal;
  /** The body, with an empty text in place of the code. */
  readonly bytes: Buffer;
  /** The code; null = the body has none. */
  readonly zip: Spooled | null;
  /** Once or more often, when the code is not needed any more. */
  readonly release: () => void;
}

/**
 * Reads a request with code in base64: decoded, hashed and put aside piece by piece as it arrives, so that neither the memory nor the time
 * between two pieces grows with it. A large one waits for its turn before a byte of it is read.
 *
 * @throws LambdaError 403 before anything else that is wrong with the body; CallerGone
 */
export async function readUpload(req: IncomingMessage, claim: Claim, bounds: UploadBounds): Promise<UploadRequest> {
  const { limitBytes, budget, uploads, tooLarge } = bounds;
  const declared = declaredBytes(req);
  if (declared > limitBytes) throw tooLarge();
  const isSmall = declared >= 0 && declared <= SMALL_UPLOAD_BYTES;
  const heldBytes = (isSmall ? declared : SMALL_UPLOAD_BYTES) + bounds.maxRestBytes;
  if (!budget.take(heldBytes)) throw overCapacity();
  const spool = uploads.open();
  const ends: (() => void)[] = [() => budget.give(heldBytes), () => void spool.discard().catch(() => undefined)];
  const release = (): void => {
    for (const end of ends.splice(0)) end();
  };
  try {
    const endTurn = isSmall ? () => undefined : await uploads.turn();
    ends.push(endTurn);
    const taken = new TakeOut({ path: bounds.path, maxRestBytes: bounds.maxRestBytes, tooLarge });
    const problem = await readPieces(req, claim, { spool, taken, bounds });
    const principal = claim.confirm(); // nothing was done for the caller before
    if (problem !== null) throw problem.error;
    if (!taken.hasFound) endTurn(); // it may want another one, for code from S3
    return { principal, bytes: taken.rest(), zip: taken.hasFound ? await spool.end() : null, release };
  } catch (err) {
    release();
    req.resume(); // what still comes is thrown away, so that the answer gets through
    throw err;
  }
}

interface Reading {
  readonly spool: ReturnType<Uploads['open']>;
  readonly taken: TakeOut;
  readonly bounds: UploadBounds;
}

/** The first thing that is wrong with the body; null = nothing. It is told only to those who have signed it. */
async function readPieces(
  req: IncomingMessage,
  claim: Claim,
  reading: Reading,
): Promise<{ readonly error: unknown } | null> {
  const { bounds } = reading;
  let problem: { readonly error: unknown } | null = null;
  let seenBytes = 0;
  try {
    // One piece at a time, 64 KiB or so; with `destroyOnReturn` a refusal would reset the connection.
    const pieces: AsyncIterable<Buffer> = req.iterator({ destroyOnReturn: false });
    for await (const piece of pieces) {
      seenBytes += piece.length;
      if (seenBytes > bounds.limitBytes) throw bounds.tooLarge();
      claim.push(piece);
      if (problem === null) problem = await keep(piece, reading);
    }
  } catch (err) {
    if (req.destroyed && !req.complete) throw new CallerGone();
    throw err;
  }
  return problem;
}

async function keep(piece: Buffer, { spool, taken, bounds }: Reading): Promise<{ readonly error: unknown } | null> {
  try {
    for (const decoded of taken.push(piece)) await spool.write(decoded);
    return null;
  } catch (error) {
    const isTooLarge = error instanceof BlobError && error.code === 'TooLarge';
    return { error: isTooLarge ? zipTooLarge(bounds.uploads.maxZipBytes) : error };
  }
}

/** In Lambda's words. */
export function zipTooLarge(maxBytes: number): RequestTooLarge {
  return new RequestTooLarge(`Zipped size must be smaller than ${maxBytes} bytes`);
}
