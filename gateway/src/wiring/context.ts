import { randomUUID } from 'node:crypto';

import { functionArn } from '@kappa/crds/names';
import { type Logger, pino } from 'pino';

import type { GatewayConfig } from '../config.ts';
import type { DispatchClock } from '../dispatch/options.ts';
import { problemLog } from './problem-log.ts';

/** What every part of the process is given: settings, time, a name, a voice, and the word that it ends. */
export interface Context {
  readonly config: Readonly<GatewayConfig>;
  /** This gateway in this life of its process: its name and eight hex digits. */
  readonly gatewayId: string;
  /** The ARN of a function of this install. @param region default: the install's own */
  readonly arnOf: (accountId: string, name: string, region?: string) => string;
  readonly log: Logger;
  /** @see problemLog */
  readonly problem: ReturnType<typeof problemLog>;
  /** Tells errors of one kind with the same message; `area` keeps kinds with the same text apart. */
  readonly teller: (area: string, message: string) => (error: unknown) => void;
  /** The process cannot do its work: says so and ends it at once. */
  readonly fail: (error: unknown, fields: object, message: string) => never;
  readonly clock: DispatchClock;
  readonly life: Life;
}

/** How far the process is on its way to its end. */
export class Life {
  #isEnding = false;
  readonly #watching = new AbortController();

  /** Ready no more; connections are closed with their next answer. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  /** Ends informers, and with them what is kept of the cluster. */
  get signal(): AbortSignal {
    return this.#watching.signal;
  }

  failReadiness(): void {
    this.#isEnding = true;
  }

  stopWatching(): void {
    this.#watching.abort(new Error('the gateway ends'));
  }
}

/** Everything that is there before the first part is. */
export function makeContext(config: Readonly<GatewayConfig>): Context {
  const log = pino({ name: 'gateway', base: {}, level: config.logLevel });
  const problem = problemLog(log, clock.nowMs);
  return {
    config,
    gatewayId: `${config.name === '' ? 'gateway' : config.name}.${randomUUID().slice(0, 8)}`,
    arnOf: (accountId, name, region = config.region) => functionArn({ region, accountId, name }),
    log,
    problem,
    teller: (area, message) => (error) => problem(`${area} ${textOf(error)}`, { problem: textOf(error) }, message),
    fail: (error, fields, message) => {
      log.fatal({ problem: textOf(error), ...fields }, message);
      process.exit(1);
    },
    clock,
    life: new Life(),
  };
}

/** An error in words. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The process's own time; its timers do not keep the process alive. */
const clock: DispatchClock = {
  nowMs: () => performance.now(),
  after: (ms, then) => {
    const timer = setTimeout(then, ms).unref();
    return () => clearTimeout(timer);
  },
  every: (ms, then) => {
    const timer = setInterval(then, ms).unref();
    return () => clearInterval(timer);
  },
  soon: (then) => void setImmediate(then),
};
