import { request } from 'undici';
import { type FetchCode, FetchRefused } from './resolve-code.ts';

/** Rules for code URLs. */
export interface FetchRules {
  /** Plain http is for local mode only: what it brings is checked by digest, but where it goes is not. */
  readonly allowPlainHttp: boolean;
  /** For the whole download, milliseconds. */
  readonly timeoutMs: number;
}

/**
 * A {@link FetchCode} over undici. Redirects are not followed and credentials in the URL are refused, so that a manifest cannot
 * point the controller elsewhere than it says. Fails closed.
 */
export function codeFetcher({ allowPlainHttp, timeoutMs }: FetchRules): FetchCode {
  return async (url, maxBytes) => {
    const target = new URL(url);
    const isAllowed = target.protocol === 'https:' || (allowPlainHttp && target.protocol === 'http:');
    if (!isAllowed) throw new FetchRefused('UrlRefused', `code.url must be https: ${target.protocol} is refused`);
    if (target.username !== '' || target.password !== '') {
      throw new FetchRefused('UrlRefused', 'code.url must not carry credentials');
    }
    const signal = AbortSignal.timeout(timeoutMs);
    const { statusCode, body } = await request(target, { signal });
    try {
      if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
      return await readBounded(body, maxBytes);
    } finally {
      body.destroy();
    }
  };
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
