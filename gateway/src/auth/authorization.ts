import { headerValues, type RequestHead } from './canonical-request.ts';
import { incomplete, missingToken } from './sigv4-error.ts';

/** What the Authorization header of a signed request says. Nothing of it is believed yet. */
export interface Authorization {
  readonly accessKeyId: string;
  /** `yyyymmdd`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Lower case, in the order of the header. */
  readonly signedHeaders: readonly string[];
  /** 64 lower-case hex digits. */
  readonly signature: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const maxLength = 4096;

/** @throws LambdaError MissingAuthenticationToken, IncompleteSignature */
export function parseAuthorization(head: RequestHead): Authorization {
  const [header, ...more] = headerValues(head.rawHeaders, 'authorization');
  const isPresigned = /[?&]X-Amz-(Signature|Algorithm|Credential)=/i.test(head.target);
  if (header === undefined) {
    throw missingToken(isPresigned ? 'Presigned requests are not supported: sign the headers' : undefined);
  }
  if (more.length > 0) throw incomplete('There is more than one Authorization header.');
  if (isPresigned) throw incomplete('The request is signed both in its headers and in its query.');
  if (header.length > maxLength) throw incomplete('The Authorization header is too long.');
  const [scheme = ''] = header.split(' ', 1);
  if (scheme !== algorithm) throw incomplete(`Unsupported AWS 'algorithm': only ${algorithm} is taken.`);
  return parseFields(fieldsOf(header.slice(scheme.length)));
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const part of text.split(',')) {
    const [name = '', value] = part.trim().split('=', 2);
    if (value === undefined) throw incomplete('Invalid key=value pair (missing equal-sign) in Authorization header.');
    if (fields.has(name)) throw incomplete('Authorization header has the same parameter twice.');
    fields.set(name, value);
  }
  return fields;
}

function parseFields(fields: ReadonlyMap<string, string>): Authorization {
  const field = (name: string): string => {
    const value = fields.get(name);
    if (value === undefined || value === '') throw incomplete(`Authorization header requires '${name}' parameter.`);
    return value;
  };
  const credential = field('Credential').split('/');
  const [accessKeyId = '', date = '', region = '', service = '', terminator = ''] = credential;
  const isWhole = credential.length === 5 && accessKeyId !== '' && terminator === 'aws4_request';
  if (!isWhole || !/^\d{8}$/.test(date)) {
    throw incomplete(
      'Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/aws4_request.',
    );
  }
  const signature = field('Signature');
  if (!/^[0-9a-f]{64}$/.test(signature)) throw incomplete("'Signature' is not a sha256 in lower-case hex.");
  return { accessKeyId, date, region, service, signedHeaders: parseNames(field('SignedHeaders')), signature };
}

function parseNames(text: string): readonly string[] {
  const names = text.split(';');
  if (names.some((name) => !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) || new Set(names).size !== names.length) {
    throw incomplete("'SignedHeaders' is not a list of different names in lower case.");
  }
  return names;
}
