import { hash } from 'node:crypto';

/** Of `parallel` lanes of a shard the one for a key: the same key, the same lane, so its records keep their order. */
export function laneOf(key: string | null, parallel: number): number {
  if (key === null || parallel === 1) return 0;
  return Number.parseInt(hash('sha256', key, 'hex').slice(0, 8), 16) % parallel;
}
