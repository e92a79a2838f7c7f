import { isIP } from 'node:net';
import { isPublicAddress, publicLookup } from '@kappa/crds/public-address';
import type { Dispatcher } from 'undici';

/** One answer of a registry, its body whole. */
export interface RegistryResponse {
  readonly status: number;
  /** Names in lower case; of several values the first. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Asks with GET; throws when there is no answer in time, it is too large, or the address may not be asked. Redirects are not followed. */
export type RegistryGet = (url: URL, headers: Readonly<Record<string, string>>) => Promise<RegistryResponse>;

/** Rules for addresses of registries. */
export interface RegistryRules {
  /** Origins that the operator names: they may be private and plain http. Others are spoken to by https at public addresses. */
  readonly origins: readonly string[];
}

/** Manifests and configurations; the specification asks registries to take manifests of 4 MiB. */
const maxBytes = 4 * 1024 * 1024;

/**
 * Makes a {@link RegistryGet} over undici for what has to be over by its signal. The name of an image must not make the controller speak to what only the controller can reach.
 * Fails closed.
 */
export function registryGet({ origins }: RegistryRules): (signal: AbortSignal) => RegistryGet {
  let agents: { readonly open: Dispatcher; readonly guarded: Dispatcher } | undefined;
  return (signal) => async (url, headers) => {
    const { Agent, request } = await import('../undici.ts');
    agents ??= { open: new Agent(), guarded: new Agent({ connect: { lookup: publicLookup } }) };
    const isNamed = origins.includes(url.origin);
    if (!isNamed) requirePublic(url);
    const dispatcher = isNamed ? agents.open : agents.guarded;
    const answer = await request(url, { headers, signal, dispatcher });
    answer.body.on('error', () => undefined); // the end of a body that is not read to its end is said as an error, too
    try {
      const body = await readBounded(answer.body, url);
      return { status: answer.statusCode, headers: firstOf(answer.headers), body };
    } finally {
      answer.body.destroy();
    }
  };
}

function requirePublic({ protocol, hostname, host }: URL): void {
  if (protocol !== 'https:') throw new Error(`${host} is asked by https only`);
  const address = hostname.replace(/^\[|\]$/g, '');
  if (isIP(address) !== 0 && !isPublicAddress(address)) throw new Error(`${host} is not on the public internet`);
}

function firstOf(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, (Array.isArray(value) ? value[0] : value) ?? '']),
  );
}

async function readBounded(body: AsyncIterable<Buffer>, { host }: URL): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw new Error(`${host} answered more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
