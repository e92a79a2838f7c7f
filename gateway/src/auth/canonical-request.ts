import type { IncomingMessage } from 'node:http';

/** The parts of a request that a signature covers, as they came over the wire. */
export interface RequestHead {
  readonly method: string;
  /** Request target of the request line, never decoded. */
  readonly target: string;
  /** Names and values in turn, as Node gives them. */
  readonly rawHeaders: readonly string[];
}

/** The head of a request as Node's server has it. */
export function headOf(req: IncomingMessage): RequestHead {
  return { method: req.method ?? '', target: req.url ?? '', rawHeaders: req.rawHeaders };
}

/**
 * The text that is hashed and signed. Everything comes from the raw request: a decoded path or merged headers would be another
 * text. Characters stand for bytes (latin1), as in Node's own strings of targets and headers.
 *
 * Worked example: `GET /a//b%20c?y=&x=1` becomes `GET`, `/a/b%2520c`, `x=1&y=`, … each on a line.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function canonicalRequest(head: RequestHead, signedHeaders: readonly string[], payloadSha256: string): string {
  const mark = head.target.indexOf('?');
  const path = mark < 0 ? head.target : head.target.slice(0, mark);
  let headers = '';
  for (const name of signedHeaders) headers += `${name}:${signedValue(head.rawHeaders, name)}\n`;
  return `${head.method}\n${canonicalPath(path)}\n${canonicalQuery(rawQueryOf(head.target))}\n${headers}\n${signedHeaders.join(';')}\n${payloadSha256}`;
}

/** The query of a request target as it came, without the question mark. */
export function rawQueryOf(target: string): string {
  const mark = target.indexOf('?');
  return mark < 0 ? '' : target.slice(mark + 1);
}

/** All values of a header, in their order. @param name in lower case */
export function headerValues(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = [];
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const found = rawHeaders[at];
    if (found?.length === name.length && found.toLowerCase() === name) values.push(rawHeaders[at + 1] ?? '');
  }
  return values;
}

/** The same as they are signed: in one text, without blanks that say nothing. */
function signedValue(rawHeaders: readonly string[], name: string): string {
  let text: string | null = null;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const found = rawHeaders[at];
    if (found?.length !== name.length || found.toLowerCase() !== name) continue;
    const value = folded(rawHeaders[at + 1] ?? '');
    text = text === null ? value : `${text},${value}`;
  }
  return text ?? '';
}

/** Normalised, then encoded once more: every service but S3 signs the path so. */
function canonicalPath(path: string): string {
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  const slash = segments.length > 0 && path.endsWith('/') ? '/' : '';
  return encoded(`/${segments.join('/')}${slash}`, true);
}

/**
 * Sorted by encoded name, then by encoded value. Decoded first, since clients encode different characters. The signature of a
 * presigned URL signs all parameters but itself.
 */
function canonicalQuery(query: string): string {
  if (query === '') return '';
  const pairs = query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=');
      const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)];
      return [encoded(unescaped(name), false), encoded(unescaped(value), false)] as const;
    })
    .filter(([name]) => name !== 'X-Amz-Signature');
  pairs.sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB));
  return pairs.map(([name, value]) => `${name}=${value}`).join('&');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

/** A name or value of a query. Bytes stay bytes: no UTF-8 is assumed, and a percent sign without two digits means itself. */
export function unescaped(text: string): string {
  if (!/[%+]/.test(text)) return text;
  return text
    .replaceAll('+', ' ')
    .replaceAll(/%([0-9a-fA-F]{2})/g, (_match, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

const plain = /^[\w.~-]*$/;
const plainPath = /^[\w.~/-]*$/;

function encoded(text: string, keepsSlash: boolean): string {
  if ((keepsSlash ? plainPath : plain).test(text)) return text;
  return text.replaceAll(/[^\w.~-]/g, (char) =>
    keepsSlash && char === '/' ? char : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
}

function folded(value: string): string {
  return foldable.test(value) ? value.trim().replaceAll(/[ \t]+/g, ' ') : value;
}

/** Blanks at an end, two in a row, or a tab. */
const foldable = /^\s|\s$| {2}|\t/;
