import { createHash, createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';

/** What to send. */
export interface HttpRequest {
  readonly method?: string;
  /** With the query, as it goes over the wire. */
  readonly path: string;
  /** In place of the address that is connected to. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What came back. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** One request on a connection of its own; unlike `fetch`, any Host. @param endpoint `http://HOST:PORT` */
export async function send(
  endpoint: string,
  { method = 'GET', path, host, headers = {}, body = '' }: HttpRequest,
): Promise<HttpAnswer> {
  const { hostname, port } = new URL(endpoint);
  const all = { ...headers, host: host ?? `${hostname}:${port}`, 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, method, path, headers: all, agent: false }, (answer) => {
      buffer(answer).then(
        (bytes) => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: bytes.toString() }),
        reject,
      );
    });
    sent.on('error', reject).end(body);
  });
}

/** An access key. */
export interface Key {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The same, signed by AWS's library as a caller in us-east-1, of Lambda unless it is said otherwise. */
export async function sendSigned(
  endpoint: string,
  key: Key,
  given: HttpRequest,
  service = 'lambda',
): Promise<HttpAnswer> {
  const { hostname, port, host: ownHost } = new URL(endpoint);
  const { method = 'GET', path, host = ownHost, headers = {}, body = '' } = given;
  const signer = new SignatureV4({ service, region: 'us-east-1', credentials: key, sha256: Sha256 });
  const [at = '', search = ''] = path.split('?');
  const query = Object.fromEntries(new URLSearchParams(search));
  const toSign = { method, protocol: 'http:', hostname, port: Number(port), path: at, query, body };
  const signed = await signer.sign({ ...toSign, headers: { ...headers, host } });
  return send(endpoint, { method, path, host, headers: signed.headers, body });
}

/** What the signer wants of a hash. */
class Sha256 {
  readonly #hash: { update(data: string | Uint8Array): unknown; digest(): Buffer };

  constructor(secret?: unknown) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', Buffer.from(secret as Uint8Array));
  }

  update(data: unknown): void {
    this.#hash.update(typeof data === 'string' ? data : Buffer.from(data as Uint8Array));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    throw new Error('not used');
  }
}
