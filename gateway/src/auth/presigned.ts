import { rawQueryOf, unescaped } from './canonical-request.ts';
import { type Authorization, algorithm, parseCredential, parseNames, parseSignature } from './credential.ts';
import { incomplete } from './sigv4-error.ts';

/** A presigned URL holds for at most a week, as on AWS. */
const maxExpiresSeconds = 604_800;
/** What must be there, each once, by exactly these names. */
const required = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Date',
  'X-Amz-Expires',
  'X-Amz-SignedHeaders',
  'X-Amz-Signature',
] as const;
const token = 'X-Amz-Security-Token';
/** The SDK for JavaScript moves the header of this name to the query, in small letters. */
const contentSha256 = 'X-Amz-Content-Sha256';
const known: ReadonlyMap<string, string> = new Map(
  [...required, token, contentSha256].map((name) => [name.toLowerCase(), name]),
);
const telling = /[?&]X-Amz-(?:Signature|Algorithm|Credential)=/i;

/** Whether a request target says that it is signed in its query; then nothing else may sign it. */
export function isPresigned(target: string): boolean {
  return telling.test(target);
}

/**
 * What a presigned URL says. Nothing of it is believed yet.
 *
 * @throws LambdaError IncompleteSignature
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html Add the signature to the query string
 */
export function parsePresigned(target: string): Authorization {
  const fields = fieldsOf(rawQueryOf(target));
  const field = (name: (typeof required)[number]): string => {
    const value = fields.get(name);
    if (value !== undefined && value !== '') return value;
    throw incomplete(`AWS query-string parameters must include ${required.map((each) => `'${each}'`).join(', ')}.`);
  };
  if (field('X-Amz-Algorithm') !== algorithm)
    throw incomplete(`Unsupported AWS 'algorithm': only ${algorithm} is taken.`);
  const expires = field('X-Amz-Expires');
  const expiresSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : 0;
  if (expiresSeconds < 1 || expiresSeconds > maxExpiresSeconds)
    throw incomplete(`'X-Amz-Expires' must be 1 to ${maxExpiresSeconds} seconds. Got '${expires.slice(0, 20)}'.`);
  return {
    ...parseCredential(field('X-Amz-Credential')),
    signedHeaders: parseNames(field('X-Amz-SignedHeaders')),
    signature: parseSignature(field('X-Amz-Signature')),
    signedAt: field('X-Amz-Date'),
    expiresSeconds,
    sessionToken: fields.get(token) ?? null,
    contentSha256: fields.get(contentSha256) ?? null,
  };
}

/** Only those that say something about the signature. A second one, or one in other letters, would be another request to other eyes. */
function fieldsOf(query: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=');
    const name = unescaped(equals < 0 ? pair : pair.slice(0, equals));
    const right = known.get(name.toLowerCase());
    if (right === undefined) continue;
    if (right !== name && right !== contentSha256)
      throw incomplete(`'${right}' is written in other letters: '${name.slice(0, 40)}'.`);
    if (fields.has(right)) throw incomplete(`The query has '${right}' twice.`);
    fields.set(right, equals < 0 ? '' : unescaped(pair.slice(equals + 1)));
  }
  return fields;
}
