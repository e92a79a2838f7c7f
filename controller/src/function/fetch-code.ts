import { isIP } from 'node:net';
import { AddressRefused, isPublicAddress, publicLookup } from '@kappa/crds/public-address';
import type { Dispatcher } from 'undici';
import { type FetchCode, FetchRefused } from './resolve-code.ts';

/** Rules for code URLs. */
export interface FetchRules {
  /** Plain http and addresses that are not public: for local mode, where functions reach them anyway. */
  readonly allowLocal: boolean;
  /** For the whole download, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A {@link FetchCode} over undici. A manifest must not make the controller speak to what only the controller can reach: https to public addresses only,
 * no redirects, no credentials in the URL. Fails closed.
 */
export function codeFetcher({ allowLocal, timeoutMs }: FetchRules): FetchCode {
  let dispatcher: Dispatcher | undefined;
  return async (url, maxBytes) => {
    const { Agent, request } = await import('../undici.ts');
    dispatcher ??= new Agent(allowLocal ? {} : { connect: { lookup: publicLookup } });
    const target = checkTarget(new URL(url), allowLocal);
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await request(target, { signal, dispatcher }).catch(refuseAddress);
    body.on('error', () => undefined); // the end of a body that is not read to its end is said as an error, too
    try {
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      return await readBounded(body, maxBytes);
    } finally {
      body.destroy();
    }
  };
}

function checkTarget(target: URL, allowLocal: boolean): URL {
  if (target.username !== '' || target.password !== '') {
    throw new FetchRefused('UrlRefused', 'code.url must not carry credentials');
  }
  const isAllowed = target.protocol === 'https:' || (allowLocal && target.protocol === 'http:');
  if (!isAllowed) throw new FetchRefused('UrlRefused', `code.url must be https: ${target.protocol} is refused`);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  if (!allowLocal && isIP(host) !== 0 && !isPublicAddress(host)) {
    throw new FetchRefused('UrlRefused', `code.url must be on the public internet: ${host} is refused`);
  }
  return target;
}

function refuseAddress(error: unknown): never {
  if (error instanceof AddressRefused) throw new FetchRefused('UrlRefused', `code.url: ${error.message}`);
  throw error;
}

async function readBounded(body: AsyncIterable<Buffer>, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new FetchRefused('TooLarge', `the package is larger than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
