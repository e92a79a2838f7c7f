import { type Checkpoint, parseCheckpoint } from '../checkpoints/checkpoint.ts';
import type { Shard } from '../record.ts';
import { SourceProblem } from '../source-problem.ts';

/** How far a shard is read; null = nobody has read it. @throws SourceProblem when it cannot be understood: fails closed */
export function parseBegun(text: string | null, { id }: Shard): Checkpoint | null {
  try {
    return text === null ? null : parseCheckpoint(text);
  } catch (cause) {
    const why = 'a newer version of Kappa may have written it; the shard is not read';
    throw new SourceProblem('InvalidSource', `the checkpoint of shard ${id} cannot be understood: ${why}`, { cause });
  }
}
