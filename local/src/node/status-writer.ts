import type { PodView } from './pod.ts';

/** Where the status goes. */
export interface StatusDoor {
  /** @throws Error when it could not be written now; a pod that is gone is no error */
  writeStatus(pod: PodView, status: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Writes statuses: the newest of each pod, one at a time per pod, tried again until the API takes it. */
export interface StatusWriter {
  /** Does nothing when the API has exactly this already. Never throws, never waits. */
  set(pod: PodView, status: Readonly<Record<string, unknown>>): void;
  /** Resolves when what was set last for the pod is written, or was given up because the pod was dropped. */
  settled(uid: string): Promise<void>;
  /** Forgets a pod that is gone. */
  drop(uid: string): void;
}

interface Entry {
  wanted: { readonly pod: PodView; readonly status: Readonly<Record<string, unknown>>; readonly text: string };
  written: string;
  isDropped: boolean;
  work: Promise<void> | null;
}

const firstPauseMs = 50;
const longestPauseMs = 2000;

/**
 * Makes the writer.
 *
 * @param onOutage told once when writes begin to fail (null: they work again)
 */
export function makeStatusWriter(
  door: StatusDoor,
  clock: { sleep(ms: number): Promise<void> },
  onOutage: (error: unknown) => void,
): StatusWriter {
  const entries = new Map<string, Entry>();
  let isDown = false;

  const report = (error: unknown) => {
    if ((error !== null) !== isDown) onOutage(error);
    isDown = error !== null;
  };
  const write = async (entry: Entry) => {
    let pauseMs = firstPauseMs;
    while (!entry.isDropped && entry.wanted.text !== entry.written) {
      const { pod, status, text } = entry.wanted;
      try {
        await door.writeStatus(pod, status);
        entry.written = text;
        report(null);
      } catch (error) {
        report(error);
        await clock.sleep(pauseMs);
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    }
    entry.work = null;
  };
  return {
    set(pod, status) {
      const wanted = { pod, status, text: JSON.stringify(status) };
      const entry = entries.get(pod.uid) ?? { wanted, written: '', isDropped: false, work: null };
      entries.set(pod.uid, entry);
      entry.wanted = wanted;
      if (entry.work === null && wanted.text !== entry.written) entry.work = write(entry);
    },
    async settled(uid) {
      await entries.get(uid)?.work;
    },
    drop(uid) {
      const entry = entries.get(uid);
      if (entry !== undefined) entry.isDropped = true;
      entries.delete(uid);
    },
  };
}
