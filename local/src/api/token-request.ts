import { type Authenticator, apiAudience } from './auth.ts';
import { at, isRecord, items, type JsonObject, number, text } from './json.ts';
import type { KubeObject } from './object.ts';
import { fieldError } from './schema/field-error.ts';
import { badRequest, invalid } from './status.ts';

const defaultSeconds = 3600;
const minSeconds = 600;
const maxSeconds = 2 ** 32;

/** Answers a TokenRequest for a service account. @throws ApiError 400, 422 */
export function answerTokenRequest(authenticator: Authenticator, account: KubeObject, body: unknown): JsonObject {
  if (!isRecord(body) || body['kind'] !== 'TokenRequest')
    throw badRequest('the object provided is unrecognized (must be of type TokenRequest)');
  const asked = items(at(body, 'spec', 'audiences'))
    .map(text)
    .filter((audience) => audience !== '');
  const audiences = asked.length === 0 ? [apiAudience] : asked;
  const expirationSeconds = number(at(body, 'spec', 'expirationSeconds')) ?? defaultSeconds;
  if (!Number.isInteger(expirationSeconds) || expirationSeconds < minSeconds || expirationSeconds > maxSeconds) {
    const why =
      expirationSeconds < minSeconds
        ? 'may not specify a duration less than 10 minutes'
        : 'may not specify a duration larger than 2^32 seconds';
    const resource = { group: 'authentication.k8s.io', plural: 'tokenrequests', kind: 'TokenRequest' };
    throw invalid(resource, '', [fieldError('spec.expirationSeconds', 'Invalid', why, expirationSeconds)]);
  }
  const ref = at(body, 'spec', 'boundObjectRef');
  const boundTo = isRecord(ref)
    ? { kind: text(ref['kind']), name: text(ref['name']), uid: text(ref['uid']) }
    : undefined;
  const { token, expiresAtMs } = authenticator.issueToken({
    namespace: account.metadata.namespace ?? '',
    serviceAccount: account.metadata.name,
    serviceAccountUid: account.metadata.uid,
    audiences,
    expirationSeconds,
    ...(boundTo === undefined ? {} : { boundTo }),
  });
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name: account.metadata.name, namespace: account.metadata.namespace, creationTimestamp: null },
    spec: { audiences, expirationSeconds, boundObjectRef: isRecord(ref) ? ref : null },
    status: { token, expirationTimestamp: new Date(expiresAtMs).toISOString().replace(/\.\d+Z$/, 'Z') },
  };
}
