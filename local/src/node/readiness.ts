import { get } from 'node:http';
import type { ContainerView } from './pod.ts';

/** What is asked, and how. */
export interface ReadinessWatch {
  readonly ip: string;
  readonly probe: NonNullable<ContainerView['readiness']>;
  /** What was known before (a pod that was adopted); then a single failure does not make it unready. */
  readonly wasReady: boolean;
  readonly sleep: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
  readonly onChange: (isReady: boolean) => void;
}

/** The first looks come fast, because a warm pod is wanted by somebody who waits; ×1.1 each, up to a second. */
const firstPauseMs = 20;
const longestPauseMs = 1000;
/** While ready: the end of the process is noticed without a probe, so this only finds a hung agent. */
const readyPauseMs = 5000;

/** Probes until aborted. Reports each change once. Rejects never. */
export async function watchReadiness(watch: ReadinessWatch): Promise<void> {
  let isReady = watch.wasReady;
  let failures = 0;
  let pauseMs = firstPauseMs;
  while (!watch.signal.aborted) {
    const isOk = await probe(watch);
    if (watch.signal.aborted) return;
    failures = isOk ? 0 : failures + 1;
    const next = isOk || (isReady && failures < watch.probe.failures);
    if (next !== isReady) {
      isReady = next;
      pauseMs = firstPauseMs;
      watch.onChange(isReady);
    }
    await watch.sleep(isReady ? readyPauseMs : pauseMs);
    pauseMs = Math.min(pauseMs * 1.1, longestPauseMs);
  }
}

/** One HTTP GET; 200..399 is ready, as for a kubelet. */
function probe(watch: ReadinessWatch): Promise<boolean> {
  const { path, port, timeoutMs } = watch.probe;
  return new Promise((resolve) => {
    const request = get({ host: watch.ip, port, path, agent: false, timeout: timeoutMs, signal: watch.signal });
    request.on('response', (response) => {
      response.resume();
      const status = response.statusCode ?? 0;
      resolve(status >= 200 && status < 400);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
    request.on('close', () => resolve(false));
  });
}
