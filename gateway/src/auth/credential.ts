import { incomplete } from './sigv4-error.ts';

/** What a signed request says of its signature, in the Authorization header or in the query. Nothing of it is believed yet. */
export interface Authorization extends Credential {
  /** Lower case, in the order of the request. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
  /** As it came: `yyyymmddThhmmssZ` when it is right. */
  readonly signedAt: string;
  /** How long a presigned URL holds, 1..604,800; null = the header form, which holds for as long as clocks may be apart. */
  readonly expiresSeconds: number | null;
  /** Of session credentials; null = those of an access key. */
  readonly sessionToken: string | null;
  /** The payload's hash as the request has it; null = it is to be taken from the body. */
  readonly contentSha256: string | null;
}

/** Whose key signed, and for what. */
export interface Credential {
  readonly accessKeyId: string;
  /** `yyyymmdd`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The only algorithm. */
export const algorithm = 'AWS4-HMAC-SHA256';

/** @throws LambdaError IncompleteSignature */
export function parseCredential(text: string): Credential {
  const parts = text.split('/');
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = parts;
  const isWhole = parts.length === 5 && accessKeyId !== '' && terminator === 'aws4_request';
  if (isWhole && /^\d{8}$/.test(date)) return { accessKeyId, date, region, service };
  throw incomplete(
    'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request.',
  );
}

/** @throws LambdaError IncompleteSignature */
export function parseSignature(text: string): string {
  if (/^[0-9a-f]{64}$/.test(text)) return text;
  throw incomplete("'Signature' is not a sha256 in lower-case hex.");
}

const nameList = /^[a-z0-9!#$%&'*+.^_`|~-]+(?:;[a-z0-9!#$%&'*+.^_`|~-]+)*$/;

/** The signed headers. @throws LambdaError IncompleteSignature */
export function parseNames(text: string): readonly string[] {
  const names = text.split(';');
  if (!nameList.test(text) || new Set(names).size !== names.length) {
    throw incomplete("'SignedHeaders' is not a list of different names in lower case.");
  }
  return names;
}
