import { Agent, request as startRequest } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** One request of a load as its caller saw it. */
export interface Sample {
  /** Unique within a load. */
  readonly number: number;
  /** The function that was called. */
  readonly fn: string;
  /** Milliseconds on this process's clock. */
  readonly startMs: number;
  readonly endMs: number;
  /** 0 = no HTTP answer. */
  readonly status: number;
  /** Connections tried. */
  readonly attempts: number;
  /** The answer, when it is a ledger function's. */
  readonly answer: {
    readonly fn: string;
    readonly number: number;
    readonly requestId: string;
    readonly pod: string;
    /** Of the code and the configuration that have run. */
    readonly release?: string;
  } | null;
  readonly requestId: string;
  /** Text of what went wrong; empty when nothing did. */
  readonly problem: string;
}

/** A load: open loop, so that a slow answer delays no later request. */
export interface LoadOptions {
  /** Where the gateway is, e.g. `http://10.96.0.17`. */
  readonly endpoint: string;
  /** Functions of namespace default, called in turn. */
  readonly functions: readonly string[];
  readonly ratePerSecond: number;
  /** Requests in all, at most. */
  readonly count: number;
  /** The function holds its pod so long. */
  readonly holdMs?: number;
  /** An answer that takes longer is a failure. */
  readonly timeoutMs?: number;
  /** Ends the load early. */
  readonly signal?: AbortSignal;
}

/**
 * The caller that every AWS SDK is: a connection that could not be made within half a second is tried again on another one; a request
 * that was sent is never sent again.
 */
const connectTimeoutMs = 500;
const maxAttempts = 20;

/**
 * A caller gives up connections that it has not used for so long. One that it keeps for longer may lead to a gateway whose node is gone, and
 * what is sent over it then is lost, whatever the platform does.
 */
const idleConnectionMs = 3_000;

/** Sends `count` requests at a fixed rate and answers what became of each, in the order of their start. */
export async function runLoad(options: LoadOptions): Promise<readonly Sample[]> {
  const agent = new Agent({ keepAlive: true, maxFreeSockets: 8, timeout: idleConnectionMs });
  const startMs = performance.now();
  const calls: Promise<Sample>[] = [];
  try {
    for (let number = 0; number < options.count && options.signal?.aborted !== true; number += 1) {
      const aheadMs = startMs + (number * 1000) / options.ratePerSecond - performance.now();
      if (aheadMs > 1) await pause(aheadMs);
      calls.push(callOnce(agent, options, number));
    }
    return await Promise.all(calls);
  } finally {
    agent.destroy();
  }
}

/** Sends `count` requests at the same moment. */
export function runBurst(options: Omit<LoadOptions, 'ratePerSecond'>): Promise<readonly Sample[]> {
  const agent = new Agent({ keepAlive: false });
  return Promise.all(Array.from({ length: options.count }, (_, number) => callOnce(agent, options, number)));
}

async function callOnce(agent: Agent, options: Omit<LoadOptions, 'ratePerSecond'>, number: number): Promise<Sample> {
  const fn = options.functions[number % options.functions.length] ?? '';
  const startMs = performance.now();
  for (let attempts = 1; ; attempts += 1) {
    const outcome = await send(agent, `${options.endpoint}/fn/default/${fn}/`, options, number);
    if (outcome.isUnsent && attempts < maxAttempts) {
      await pause(20);
      continue;
    }
    const { status, text, requestId, problem } = outcome;
    return {
      number,
      fn,
      startMs,
      endMs: performance.now(),
      status,
      attempts,
      answer: status === 200 ? parseAnswer(text) : null,
      requestId,
      problem: status === 200 ? '' : `${status} ${problem} ${text.slice(0, 300)}`,
    };
  }
}

interface HttpOutcome {
  /** No connection came about: nobody has seen the request. */
  readonly isUnsent: boolean;
  readonly status: number;
  readonly text: string;
  readonly requestId: string;
  readonly problem: string;
}

function send(
  agent: Agent,
  url: string,
  options: Pick<LoadOptions, 'holdMs' | 'timeoutMs'>,
  number: number,
): Promise<HttpOutcome> {
  return new Promise((resolve) => {
    let isConnected = false;
    const timeoutMs = options.timeoutMs ?? 30_000;
    const failed = (problem: string): void =>
      resolve({ isUnsent: !isConnected, status: 0, text: '', requestId: '', problem });
    const req = startRequest(url, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }, (res) => {
      let text = '';
      res.setEncoding('utf8');
      res.on('data', (piece: string) => (text += piece));
      res.on('error', (error) => failed(error.message));
      res.on('end', () => {
        clearTimeout(timer);
        const requestId = String(res.headers['x-amzn-requestid'] ?? '');
        const problem = String(res.headers['x-kappa-error'] ?? res.headers['x-amzn-errortype'] ?? '');
        resolve({ isUnsent: false, status: res.statusCode ?? 0, text, requestId, problem });
      });
    });
    const timer = setTimeout(() => req.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    req.on('socket', (socket) => {
      if (!socket.connecting) {
        isConnected = true;
        return;
      }
      const connecting = setTimeout(() => req.destroy(new Error('no connection')), connectTimeoutMs);
      socket.once('connect', () => {
        isConnected = true;
        clearTimeout(connecting);
      });
      socket.once('close', () => clearTimeout(connecting));
    });
    req.on('error', (error) => {
      clearTimeout(timer);
      failed(error.message);
    });
    req.end(JSON.stringify({ number, holdMs: options.holdMs ?? 0 }));
  });
}

function parseAnswer(text: string): Sample['answer'] {
  try {
    return JSON.parse(text) as Sample['answer'];
  } catch {
    return null;
  }
}
