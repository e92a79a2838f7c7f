import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { FakeApi } from '@kappa/crds/client/testing';

/** A Kubernetes API and a place for what is kept, which outlive the lives of a gateway. */
export interface KeepingCluster {
  readonly api: FakeApi;
  /** Where it is kept. */
  readonly directory: string;
  /** Ends with the present life. */
  readonly signal: AbortSignal;
  /** What was told in all lives. */
  readonly problems: unknown[];
  /** What a file of the directory has; empty when there is none. */
  keptText(name: string): string;
  /** Ends the present life; the next one begins. */
  restart(): void;
  stop(): Promise<void>;
}

/** Starts the API, without objects, and makes the directory. The caller stops it. */
export async function startKeepingCluster(): Promise<KeepingCluster> {
  const api = await new FakeApi().start();
  const directory = mkdtempSync(join(tmpdir(), 'kappa-kept-'));
  let life = new AbortController();
  return {
    api,
    directory,
    get signal() {
      return life.signal;
    },
    problems: [],
    keptText: (name) => {
      try {
        return readFileSync(join(directory, name), 'utf8');
      } catch {
        return '';
      }
    },
    restart: () => {
      life.abort();
      life = new AbortController();
    },
    stop: async () => {
      life.abort();
      await api.stop();
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

/** Values as a Secret has them. */
export function base64Values(values: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}
