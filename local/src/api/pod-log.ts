import { statSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { parseBoolean } from './caller.ts';
import type { Exchange } from './http-exchange.ts';
import { at, items, text } from './json.ts';
import { LogStream, tailOffset } from './log-stream.ts';
import type { KubeObject } from './object.ts';
import { badRequest } from './status.ts';
import type { Store } from './store.ts';

/** What pod logs need of the world. */
export interface PodLogDeps {
  readonly store: Store;
  readonly stateDir: string;
  readonly now: () => number;
  /** Calls `run` a few times a second until the returned function is called; used only while somebody follows a log. */
  readonly repeat: (run: () => void) => () => void;
}

interface LogOptions {
  readonly tailLines: number | undefined;
  readonly limitBytes: number | undefined;
  /** Epoch milliseconds. */
  readonly sinceMs: number | undefined;
  readonly hasTimestamps: boolean;
}

/** Serves `pods/NAME/log` from the file that the process node writes for each pod. */
export class PodLogs {
  readonly #deps: PodLogDeps;

  constructor(deps: PodLogDeps) {
    this.#deps = deps;
  }

  /**
   * Answers with the log as plain text; follows until the pod ends when asked to. The file holds plain lines without
   * times: `since` takes or leaves it as a whole by its last change, and `timestamps` puts the time of that change
   * before each line.
   * @throws ApiError 400
   */
  answer({ response, query }: Exchange, pod: KubeObject): void {
    checkContainer(pod, query.get('container'));
    if (parseBoolean(query.get('previous')))
      throw badRequest(`previous terminated container of pod ${JSON.stringify(pod.metadata.name)} not found`);
    const options = parseOptions(query, this.#deps.now());
    const path = join(this.#deps.stateDir, 'node', 'pods', pod.metadata.uid, 'log');
    const isFollowing = parseBoolean(query.get('follow'));
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    const stream = this.#streamOf(path, options, response);
    const check = (): void => {
      if (!isFollowing || this.#hasEnded(pod)) stream.finish();
    };
    const unsubscribe = this.#deps.store.subscribe('pods', check);
    response.on('close', () => {
      unsubscribe();
      stream.stop();
    });
    stream.start();
    check();
  }

  #streamOf(path: string, options: LogOptions, response: ServerResponse): LogStream {
    const { now, repeat } = this.#deps;
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now();
    const isTooOld = options.sinceMs !== undefined && changedMs < options.sinceMs;
    const tailLines = isTooOld ? 0 : options.tailLines;
    const stamp = (): string =>
      `${new Date(statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now()).toISOString()} `;
    const start = tailLines === undefined ? 0 : tailOffset(path, tailLines);
    const sink = {
      write: (bytes: Buffer) => response.write(bytes),
      onDrain: (listener: () => void) => response.on('drain', listener),
      end: () => response.end(),
    };
    return new LogStream(
      { path, start, limitBytes: options.limitBytes, prefix: options.hasTimestamps ? stamp : null, repeat },
      sink,
    );
  }

  /** True when nothing more will be written: the pod is gone, or over. */
  #hasEnded({ metadata: { namespace = '', name, uid } }: KubeObject): boolean {
    const pod = this.#deps.store.get('pods', namespace, name);
    return (
      pod === undefined ||
      pod.metadata.uid !== uid ||
      ['Succeeded', 'Failed'].includes(text(at(pod, 'status', 'phase')))
    );
  }
}

function checkContainer(pod: KubeObject, container: string | null): void {
  const names = items(at(pod, 'spec', 'containers')).map((entry) => text(at(entry, 'name')));
  if (container === null || container === '' || names.includes(container)) return;
  throw badRequest(`container ${container} is not valid for pod ${pod.metadata.name}`);
}

function parseOptions(query: URLSearchParams, nowMs: number): LogOptions {
  const whole = (name: string): number | undefined => {
    const value = query.get(name);
    if (value === null || value === '') return undefined;
    if (!/^\d+$/.test(value)) throw badRequest(`${name}: Invalid value: must be a whole number, 0 or more`);
    return Number(value);
  };
  const sinceSeconds = whole('sinceSeconds');
  const sinceTime = query.get('sinceTime');
  return {
    tailLines: whole('tailLines'),
    limitBytes: whole('limitBytes'),
    sinceMs:
      sinceSeconds === undefined
        ? sinceTime === null
          ? undefined
          : Date.parse(sinceTime)
        : nowMs - sinceSeconds * 1000,
    hasTimestamps: parseBoolean(query.get('timestamps')),
  };
}
