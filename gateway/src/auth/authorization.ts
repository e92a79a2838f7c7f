import { headerValues, type RequestHead } from './canonical-request.ts';
import { type Authorization, algorithm, parseCredential, parseNames, parseSignature } from './credential.ts';
import { isPresigned, parsePresigned } from './presigned.ts';
import { incomplete, missingToken } from './sigv4-error.ts';

const maxLength = 4096;
/** A session token of this install has some hundred characters. */
const maxTokenLength = 4096;

/** @throws LambdaError MissingAuthenticationToken, IncompleteSignature */
export function parseAuthorization(head: RequestHead): Authorization {
  const found = onlyHeader(head, 'authorization');
  const authorization = isPresigned(head.target) ? fromQuery(head, found) : fromHeader(head, found);
  if ((authorization.sessionToken?.length ?? 0) > maxTokenLength) throw incomplete('The session token is too long.');
  return authorization;
}

function fromQuery(head: RequestHead, header: string | null): Authorization {
  if (header !== null) throw incomplete('The request is signed both in its headers and in its query.');
  if (onlyHeader(head, 'x-amz-security-token') !== null)
    throw incomplete('The session token must be in the query, too.');
  const authorization = parsePresigned(head.target);
  const ofHeader = onlyHeader(head, 'x-amz-content-sha256');
  return ofHeader === null ? authorization : { ...authorization, contentSha256: ofHeader };
}

function fromHeader(head: RequestHead, header: string | null): Authorization {
  if (header === null) throw missingToken();
  if (header.length > maxLength) throw incomplete('The Authorization header is too long.');
  const space = header.indexOf(' ');
  if ((space < 0 ? header : header.slice(0, space)) !== algorithm)
    throw incomplete(`Unsupported AWS 'algorithm': only ${algorithm} is taken.`);
  const field = fieldsOf(header.slice(algorithm.length));
  const credential = parseCredential(field('Credential'));
  const signature = parseSignature(field('Signature'));
  const signedAt = onlyHeader(head, 'x-amz-date');
  if (signedAt === null) throw incomplete("Authorization header requires existence of a 'X-Amz-Date' header.");
  return {
    ...credential,
    signedHeaders: parseNames(field('SignedHeaders')),
    signature,
    signedAt,
    expiresSeconds: null,
    sessionToken: onlyHeader(head, 'x-amz-security-token'),
    contentSha256: onlyHeader(head, 'x-amz-content-sha256'),
  };
}

/** @returns null when there is none. @throws LambdaError IncompleteSignature when there are several */
function onlyHeader({ rawHeaders }: RequestHead, name: string): string | null {
  const [value, ...more] = headerValues(rawHeaders, name);
  if (more.length > 0) throw incomplete(`There is more than one '${name}' header.`);
  return value ?? null;
}

function fieldsOf(text: string): (name: string) => string {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const trimmed = part.trim();
    const equals = trimmed.indexOf('=');
    if (equals < 0) throw incomplete('Invalid key=value pair (missing equal-sign) in Authorization header.');
    const name = trimmed.slice(0, equals);
    if (fields.has(name)) throw incomplete('Authorization header has the same parameter twice.');
    fields.set(name, trimmed.slice(equals + 1));
  }
  return (name) => {
    const value = fields.get(name);
    if (value === undefined || value === '') throw incomplete(`Authorization header requires '${name}' parameter.`);
    return value;
  };
}
