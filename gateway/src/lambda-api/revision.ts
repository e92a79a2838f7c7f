import { createHash } from 'node:crypto';
import type { ObjectMeta } from '@kappa/crds/object-meta';

import { lambdaException } from './errors.ts';

/** RevisionId of an object: in the form of a UUID, another one after each change of its spec. */
export function revisionIdOf({ uid, generation }: Pick<ObjectMeta, 'uid' | 'generation'>): string {
  const hex = createHash('sha256').update(`${uid} ${generation}`).digest('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-');
}

/**
 * @param given by the caller; undefined = any will do
 * @throws PreconditionFailed when the object has another one
 */
export function requireRevision(given: string | undefined, meta: Pick<ObjectMeta, 'uid' | 'generation'>): void {
  if (given === undefined || given === revisionIdOf(meta)) return;
  throw lambdaException(
    'PreconditionFailedException',
    'The RevisionId provided does not match the latest RevisionId. Call the GetFunction/GetAlias API to retrieve the latest RevisionId',
  );
}
