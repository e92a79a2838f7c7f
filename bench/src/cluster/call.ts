import { Client } from 'undici';

/** An answer to one timed call. */
export interface TimedAnswer {
  /** From writing the request to the last byte of the answer. */
  readonly elapsedMs: number;
  readonly json: unknown;
}

/** Address of a function's URL at one gateway. */
export function functionUrl(gatewayIp: string, fn: string): string {
  return `http://${gatewayIp}:9000/fn/default/${fn}/`;
}

/** One POST over a connection that is open already. @throws Error on anything but a 200 with JSON */
export async function timeCall(url: string): Promise<TimedAnswer> {
  const { origin, pathname } = new URL(url);
  const client = new Client(origin, { headersTimeout: 60_000 });
  try {
    await (await client.request({ path: '/fn/default/none-of-this-name/', method: 'GET' })).body.text(); // opens it
    const startMs = performance.now();
    const headers = { 'content-type': 'application/json' };
    const { statusCode, body } = await client.request({ path: pathname, method: 'POST', headers, body: '{}' });
    const text = await body.text();
    const elapsedMs = performance.now() - startMs;
    if (statusCode !== 200) throw new Error(`${url}: ${statusCode} ${text.slice(0, 300)}`);
    return { elapsedMs, json: JSON.parse(text) };
  } finally {
    await client.close();
  }
}

/** The same for a counting function that nobody has called yet. @throws Error when its process had been called before, or another one answered */
export async function timeColdCall(gatewayIp: string, fn: string): Promise<number> {
  const { elapsedMs, json } = await timeCall(functionUrl(gatewayIp, fn));
  const { name, calls } = json as { readonly name: string; readonly calls: number };
  if (name !== fn || calls !== 1) throw new Error(`not the first call of ${fn}: ${JSON.stringify(json)}`);
  return elapsedMs;
}
