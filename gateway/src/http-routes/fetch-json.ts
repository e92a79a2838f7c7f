import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';

import { isPublicAddress, publicLookup } from '@kappa/crds/public-address';

/** Reads a JSON document of an issuer. Rejects with an Error in words. */
export type FetchJson = (url: string) => Promise<unknown>;

/** Rules for documents of issuers. */
export interface FetchJsonRules {
  /** Origins that may be plain http and at addresses that are not public, e.g. `http://keycloak.auth.svc:8080`; `*` = all. */
  readonly privateOrigins: readonly string[];
  /** For a whole document, milliseconds. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

/**
 * A {@link FetchJson}. A manifest must not make the gateway speak to what only the gateway can reach: https to public addresses only, unless
 * the install names the origin; no redirects, no credentials in the URL. Fails closed.
 */
export function jsonFetcher(rules: FetchJsonRules): FetchJson {
  return async (url) => {
    if (!URL.canParse(url)) throw new Error(`${url.slice(0, 200)} is no URL`);
    const target = new URL(url);
    const isPrivate = rules.privateOrigins.includes('*') || rules.privateOrigins.includes(target.origin);
    checkTarget(target, isPrivate);
    const request = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const signal = AbortSignal.timeout(rules.timeoutMs);
    const headers = { accept: 'application/json', 'user-agent': 'kappa' };
    const options = { headers, signal, agent: false, ...(isPrivate ? {} : { lookup: publicLookup }) };
    const inWords = (err: unknown): never => {
      if (signal.aborted) throw new Error(`${url} did not answer within ${rules.timeoutMs} ms`, { cause: err });
      throw new Error(`${url} cannot be reached: ${textOf(err)}`, { cause: err });
    };
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      request(target, options, resolve).on('error', reject).end();
    }).catch(inWords);
    try {
      if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
      const text = await readBounded(answer, rules.maxBytes).catch(inWords);
      if (text === null) throw new Error(`${url} is larger than ${rules.maxBytes} bytes`);
      return parse(text, url);
    } finally {
      answer.destroy();
    }
  };
}

function checkTarget({ protocol, hostname, username, password, origin }: URL, isPrivate: boolean): void {
  if (username !== '' || password !== '') throw new Error('the URL of an issuer must not carry credentials');
  if (protocol !== 'https:' && protocol !== 'http:') throw new Error(`${protocol} is no protocol of an issuer`);
  if (isPrivate) return;
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'https:' && (isIP(host) === 0 || isPublicAddress(host))) return;
  throw new Error(
    `${origin} is not https on the public internet, and the install does not let this issuer be reached otherwise (gateway.privateIssuers of the chart)`,
  );
}

/** Null = it is larger. */
async function readBounded(answer: AsyncIterable<Buffer>, maxBytes: number): Promise<string | null> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of answer) {
    bytes += piece.length;
    if (bytes > maxBytes) return null;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

/** Errors of several addresses have no message of their own. */
function textOf(err: unknown): string {
  if (!(err instanceof Error)) return String(err);
  return err.message === '' && 'code' in err ? String(err.code) : err.message;
}

function parse(text: string, url: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${url} is not JSON`);
  }
}
