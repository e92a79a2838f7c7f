import { createHash, createHmac } from 'node:crypto';

/** An access key, as AWS's own tools have it in their environment. */
export interface AccessKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that end. */
  readonly sessionToken?: string;
  readonly region: string;
}

/** The key of the environment; null = there is none, so requests go unsigned, as local mode takes them. */
export function accessKeyOf(env: Readonly<Record<string, string | undefined>>): AccessKey | null {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, AWS_SESSION_TOKEN: token } = env;
  if (!(accessKeyId && secretAccessKey)) return null;
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  return { accessKeyId, secretAccessKey, region, ...(token && { sessionToken: token }) };
}

/**
 * Headers that sign a request without a body for the Lambda API.
 *
 * @see AWS Signature Version 4
 */
export function signedHeaders(method: string, url: URL, key: AccessKey, nowMs: number): Record<string, string> {
  const date = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${key.region}/lambda/aws4_request`;
  const token = key.sessionToken === undefined ? {} : { 'x-amz-security-token': key.sessionToken };
  const headers: Record<string, string> = { host: url.host, 'x-amz-date': date, ...token };
  const names = Object.keys(headers).sort();
  const canonical = [
    method,
    url.pathname.split('/').map(encode).join('/'), // encoded once more, as for all services but S3
    [...url.searchParams]
      .map(([name, value]) => `${encode(name)}=${encode(value)}`)
      .sort()
      .join('&'),
    ...names.map((name) => `${name}:${headers[name]}`),
    '',
    names.join(';'),
    digest(''),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', date, scope, digest(canonical)].join('\n');
  const signingKey = scope
    .split('/')
    .reduce<Buffer | string>((secret, part) => hmac(secret, part), `AWS4${key.secretAccessKey}`);
  const signature = hmac(signingKey, text).toString('hex');
  const credential = `Credential=${key.accessKeyId}/${scope}`;
  const { host: _host, ...sent } = headers; // fetch sends it
  return {
    ...sent,
    authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`,
  };
}

function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
