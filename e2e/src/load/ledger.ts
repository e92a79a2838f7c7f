import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One run of a function as the function itself reported it; kept outside of the system under test. */
export interface Run {
  /** The function that ran, as its code knows it. */
  readonly fn: string;
  /** Name of its pod. */
  readonly pod: string;
  /** Life of its process: a new one after each init. */
  readonly instance: string;
  /** Lambda's request id. */
  readonly requestId: string;
  /** The number that the caller gave its request. */
  readonly number: number;
  /** Milliseconds on the ledger's clock; `endMs` is null while it runs, or when it never said that it ended. */
  readonly beginMs: number;
  endMs: number | null;
}

/**
 * Notes begin and end of every run of the functions under test. It listens on an address that functions see as the internet, so nothing of
 * Kappa stands between a function and its entry.
 */
export class Ledger {
  /** In the order of their beginning. */
  readonly runs: Run[] = [];
  /** Where functions report to. */
  readonly url: string;
  readonly #open = new Map<string, Run>();
  readonly #server: ReturnType<typeof createServer>;

  private constructor(server: ReturnType<typeof createServer>, host: string) {
    this.#server = server;
    this.url = `http://${host}:${(server.address() as AddressInfo).port}`;
  }

  /** @param host address of this machine that pods reach */
  static async start(host: string): Promise<Ledger> {
    const server = createServer({ keepAliveTimeout: 600_000 });
    await new Promise<void>((done) => server.listen(0, host, done));
    const ledger = new Ledger(server, host);
    server.on('request', (req, res) => {
      void ledger.#note(req).then(() => res.end('noted'));
    });
    return ledger;
  }

  /** Runs that have begun and not ended. */
  get runningCount(): number {
    return this.#open.size;
  }

  /** Forgets everything, for the next scenario. Runs still open are forgotten, too. */
  clear(): void {
    this.runs.length = 0;
    this.#open.clear();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #note(req: IncomingMessage): Promise<void> {
    const nowMs = performance.now();
    let text = '';
    for await (const chunk of req) text += String(chunk);
    const { what, fn, pod, instance, requestId, number } = JSON.parse(text) as Run & { what: 'begin' | 'end' };
    const key = `${instance}/${requestId}`;
    if (what === 'begin') {
      const run: Run = { fn, pod, instance, requestId, number, beginMs: nowMs, endMs: null };
      this.runs.push(run);
      this.#open.set(key, run);
      return;
    }
    const run = this.#open.get(key);
    if (run !== undefined) run.endMs = nowMs;
    this.#open.delete(key);
  }
}

/**
 * Code of a function that reports to the ledger. Its event is a function URL's or a plain one; body or event: `{number, holdMs}`.
 *
 * @param ledgerUrl where it reports to
 * @param release in its answers, so that callers see which code has run
 */
export function ledgerFunctionCode(fn: string, ledgerUrl: string, release = ''): string {
  return `
import http from 'node:http';
import { hostname } from 'node:os';
import { randomUUID } from 'node:crypto';
const instance = randomUUID();
const agent = new http.Agent({ keepAlive: true });
const note = (entry) => new Promise((resolve, reject) => {
  const req = http.request('${ledgerUrl}', { method: 'POST', agent, timeout: 5000 }, (res) => { res.resume(); res.on('end', resolve); });
  req.on('error', reject);
  req.on('timeout', () => req.destroy(new Error('the ledger does not answer')));
  req.end(JSON.stringify(entry));
});
export const handler = async (event, context) => {
  const { number, holdMs } = event.requestContext ? JSON.parse(event.body) : event;
  const entry = { fn: '${fn}', pod: hostname(), instance, requestId: context.awsRequestId, number };
  await note({ what: 'begin', ...entry });
  if (holdMs > 0) await new Promise((resolve) => setTimeout(resolve, holdMs));
  await note({ what: 'end', ...entry });
  return { ...entry, release: '${release}' + (process.env.RELEASE ?? '') };
};
`;
}
