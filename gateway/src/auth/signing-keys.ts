import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';

import type { Credential } from './credential.ts';

/** A secret of which signing keys are derived: an access key, or the credentials of a session. */
export interface SigningSecret {
  readonly secretAccessKey: string;
}

/** Around midnight, and where one key signs for several services, some scopes take turns. */
const MAX_SCOPES = 4;

/** What was derived, for as long as its secret is known. */
const derived = new WeakMap<SigningSecret, Map<string, KeyObject>>();

/**
 * The key that signs for one day, region and service; derived once.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Derive a signing key
 */
export function signingKey(
  secret: SigningSecret,
  { date, region, service }: Omit<Credential, 'accessKeyId'>,
): KeyObject {
  const scope = `${date}/${region}/${service}`;
  const keys = derived.get(secret) ?? new Map<string, KeyObject>();
  const known = keys.get(scope);
  if (known !== undefined) return known;
  const made = [date, region, service, 'aws4_request'].reduce<Buffer>(
    (last, step) => createHmac('sha256', last).update(step).digest(),
    Buffer.from(`AWS4${secret.secretAccessKey}`),
  );
  const key = createSecretKey(made);
  if (keys.size >= MAX_SCOPES) keys.clear();
  derived.set(secret, keys.set(scope, key));
  return key;
}
