import type { OpenWindow } from '../poll/tumbling-window.ts';
import type { Position } from '../record.ts';

/** What is kept of a shard between two gateways, or two lives of one. */
export interface Checkpoint {
  /** All before it has ended. */
  readonly position: Position;
  /** The shard is read to its end: its children may begin. It is kept as long as the source shows the shard. */
  readonly isEnd: boolean;
  /** Parts behind `position` that have failed: they are formed again as they were, so that a hand-over is no new beginning. In order. */
  readonly trials: readonly Trial[];
  /** null = no tumbling window is open. */
  readonly window: OpenWindow | null;
}

/** A part that has failed. */
export interface Trial {
  /** Id of its first record. */
  readonly first: string;
  /** Id of its last one. */
  readonly last: string;
  /** @see Part.attempts */
  readonly attempts: number;
}

/** Parts that are remembered for one shard: ten lanes of a batch that was halved to single records. The others count anew. */
export const MAX_TRIALS = 200;

/** A shard that nobody has read. */
export function firstCheckpoint(position: Position): Checkpoint {
  return { position, isEnd: false, trials: [], window: null };
}

export function checkpointText(checkpoint: Checkpoint): string {
  return JSON.stringify({ ...checkpoint, trials: checkpoint.trials.slice(0, MAX_TRIALS) });
}

/** @throws Error when it is none: another program, or a newer version of this one, wrote it. Fails closed: the shard is not read */
export function parseCheckpoint(text: string): Checkpoint {
  const { position, isEnd, trials, window } = fieldsOf(JSON.parse(text));
  if (!Array.isArray(trials)) throw new Error('a checkpoint without trials');
  return {
    position: parsePosition(position),
    isEnd: isEnd === true,
    trials: trials.map(parseTrial),
    window: window === null ? null : parseWindow(window),
  };
}

function parsePosition(value: unknown): Position {
  const { kind, ms, id } = fieldsOf(value);
  if (kind === 'start') return { kind };
  if (kind === 'since' && typeof ms === 'number') return { kind, ms };
  if (kind === 'after' && typeof id === 'string') return { kind, id };
  throw new Error('a checkpoint without a position');
}

function parseTrial(value: unknown): Trial {
  const { first, last, attempts } = fieldsOf(value);
  return { first: String(first), last: String(last), attempts: Number(attempts) };
}

function parseWindow(value: unknown): OpenWindow {
  const { startMs, state, isOver } = fieldsOf(value);
  return { startMs: Number(startMs), state: String(state), isOver: isOver === true };
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new Error('no checkpoint');
  return { ...value };
}
