import { type KeyObject, X509Certificate } from 'node:crypto';
import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import { publicLookup } from '@kappa/crds/public-address';
import { LRUCache } from 'lru-cache';

import { LambdaError } from '../../errors.ts';
import type { EndpointVariables } from '../../registry/endpoints.ts';

/** AWS's own hosts of SNS. */
const awsHost = /^sns\.[a-z]{2}(-[a-z]+)+-\d\.amazonaws\.com(\.cn)?$/;
/** AWS's certificates: such a host answers other questions too. */
const awsCertificate = /^\/SimpleNotificationService-[0-9a-f]+\.pem$/;
/** A certificate or the answer to a confirmation has a few KiB. */
const MAX_BYTES = 64 * 1024;
const TIMEOUT_MS = 5_000;
/** Questions that are under way at a time: anybody may send messages that name certificates. */
const MAX_ASKED = 20;
/** Of one namespace: its senders do not keep the messages of others waiting. */
const MAX_ASKED_IN_NAMESPACE = 5;
/** What could not be read is not asked for again so soon; at most so many are remembered. */
const FAILED_MS = 5_000;
const MAX_FAILED = 100;
/** Certificates that are remembered, and for how long. */
const MAX_KEYS = 100;
const KEY_MS = 3_600_000;

const CERTIFICATE = 'the certificate of the message';
const CONFIRMATION = 'the confirmation of the subscription';

/** What {@link SnsService} works with. */
export interface SnsServiceDeps {
  /** Where a namespace finds AWS's services. */
  readonly endpointsOf: (namespace: string) => EndpointVariables;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/**
 * Asks the service of a topic for what its messages name. A sender must not make the gateway speak to whom it likes: a URL is taken only when its host
 * is AWS's, or the server that the install or the namespace says SNS is. Where one is said, that server is asked whatever host the URL has, as all
 * of AWS's clients do; AWS itself is asked by https, at public addresses only. Redirects are not followed. Fails closed.
 */
export class SnsService {
  readonly #deps: SnsServiceDeps;
  readonly #keys = new LRUCache<string, { readonly key: KeyObject; readonly untilMs: number }>({ max: MAX_KEYS });
  /** What could not be read lately. */
  readonly #failed = new LRUCache<string, { readonly error: unknown; readonly untilMs: number }>({ max: MAX_FAILED });
  /** What is being read: messages that name the same certificate wait for it together. */
  readonly #reading = new Map<string, Promise<KeyObject>>();
  /** Namespaces of the questions that are under way. */
  #asked: readonly string[] = [];

  constructor(deps: SnsServiceDeps) {
    this.#deps = deps;
  }

  /** The public key of a certificate. @throws LambdaError 403 for a host that is not allowed; 503 when it cannot be read */
  async keyOf(namespace: string, url: string): Promise<KeyObject> {
    const target = this.#targetOf(namespace, url);
    if (!namesCertificate(target)) throw refused('SigningCertURL names no certificate');
    const nowMs = this.#deps.now();
    const name = `${target.at.href} ${target.host}`;
    const known = this.#keys.get(name);
    if (known !== undefined && nowMs < known.untilMs) return known.key;
    const failed = this.#failed.get(name);
    if (failed !== undefined && nowMs < failed.untilMs) throw failed.error;
    const reading = this.#reading.get(name);
    if (reading !== undefined) return reading;
    this.#checkRoom(namespace, CERTIFICATE);
    const begun = this.#read(namespace, target, name).finally(() => this.#reading.delete(name));
    this.#reading.set(name, begun);
    return begun;
  }

  /** Says yes to a subscription. @throws as {@link keyOf} */
  async confirm(namespace: string, url: string): Promise<void> {
    const target = this.#targetOf(namespace, url);
    if (target.at.searchParams.get('Action') !== 'ConfirmSubscription')
      throw refused('SubscribeURL is no confirmation of a subscription');
    this.#checkRoom(namespace, CONFIRMATION);
    await this.#ask(namespace, target, CONFIRMATION);
  }

  async #read(namespace: string, target: Target, name: string): Promise<KeyObject> {
    try {
      const pem = await this.#ask(namespace, target, CERTIFICATE);
      const nowMs = this.#deps.now();
      const { publicKey: key, validToDate } = readCertificate(pem, nowMs);
      this.#keys.set(name, { key, untilMs: Math.min(nowMs + KEY_MS, validToDate.getTime()) });
      return key;
    } catch (error) {
      this.#failed.set(name, { error, untilMs: this.#deps.now() + FAILED_MS });
      throw error;
    }
  }

  #checkRoom(namespace: string, what: string): void {
    const own = this.#asked.filter((asking) => asking === namespace);
    if (this.#asked.length >= MAX_ASKED || own.length >= MAX_ASKED_IN_NAMESPACE)
      throw unreachable(what, new Error('too many are asked for at once'));
  }

  async #ask(namespace: string, target: Target, what: string): Promise<Buffer> {
    this.#asked = [...this.#asked, namespace];
    try {
      return await fetchBytes(target);
    } catch (cause) {
      throw unreachable(what, cause);
    } finally {
      this.#asked = this.#asked.toSpliced(this.#asked.indexOf(namespace), 1);
    }
  }

  #targetOf(namespace: string, text: string): Target {
    const variables = this.#deps.endpointsOf(namespace);
    const endpoint = variables['AWS_ENDPOINT_URL_SNS'] ?? variables['AWS_ENDPOINT_URL'];
    const own = endpoint === undefined ? null : new URL(endpoint);
    const url = URL.canParse(text) ? new URL(text) : null;
    const isAws = url?.protocol === 'https:' && url.port === '' && awsHost.test(url.hostname);
    if (url === null || url.username !== '' || !(isAws || (own !== null && url.host === own.host)))
      throw refused(
        `${url?.host.slice(0, 100) || 'the URL'} is neither a host of SNS nor the one that AWS_ENDPOINT_URL_SNS names (docs/neighbours.md)`,
      );
    return { at: own === null ? url : pathAt(own, url), host: url.host, isAws, isPublic: own === null };
  }
}

interface Target {
  readonly at: URL;
  /** As the sender has it: servers tell services apart by it. */
  readonly host: string;
  /** That host is AWS's. */
  readonly isAws: boolean;
  readonly isPublic: boolean;
}

/** What the URL asks for, of that server. Not by resolving it: a path that begins with two slashes would name another server. */
function pathAt(server: URL, { pathname, search }: URL): URL {
  const at = new URL(server);
  at.pathname = pathname;
  at.search = search;
  return at;
}

function namesCertificate({ at, isAws }: Target): boolean {
  return isAws ? awsCertificate.test(at.pathname) && at.search === '' : at.pathname.endsWith('.pem');
}

function fetchBytes({ at, host, isPublic }: Target): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const send = at.protocol === 'http:' ? requestPlain : requestSecure;
  const options = {
    headers: { host },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(isPublic && { lookup: publicLookup }),
  };
  send(at, options, (answer) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    answer.on('data', (piece: Buffer) => {
      bytes += piece.length;
      pieces.push(piece);
      if (bytes > MAX_BYTES) answer.destroy(new Error(`more than ${MAX_BYTES} bytes`));
    });
    answer.on('error', reject);
    answer.on('end', () => {
      if (answer.statusCode === 200) resolve(Buffer.concat(pieces));
      else reject(new Error(`${host} answered ${answer.statusCode}`));
    });
  })
    .on('error', reject)
    .end();
  return promise;
}

function readCertificate(pem: Buffer, nowMs: number): X509Certificate {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pem);
  } catch {
    throw refused('SigningCertURL has no certificate');
  }
  if (nowMs < certificate.validFromDate.getTime() || nowMs > certificate.validToDate.getTime())
    throw refused('the certificate of the message is not valid now');
  return certificate;
}

function refused(why: string): LambdaError {
  return new LambdaError('AccessDeniedException', `The message is refused: ${why}.`, { status: 403, fault: 'caller' });
}

/** SNS sends it again. */
function unreachable(what: string, cause: unknown): LambdaError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LambdaError('ServiceException', `${what} could not be read (${why}). Send the message again.`, {
    status: 503,
    fault: 'platform',
    retryAfterSeconds: 5,
    cause,
  });
}
