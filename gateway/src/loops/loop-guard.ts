import { hash } from 'node:crypto';

/** What a call of a function needs to know to notice a loop; made once for each change of the function. */
export interface LoopGuard {
  /** ARN without a qualifier: versions and aliases of a function are counted together. */
  readonly arn: string;
  readonly namespace: string;
  /** metadata.name of the Function. */
  readonly name: string;
  /** The function in a lineage: eight hex digits of the ARN's hash. */
  readonly id: string;
  /** What is added to a trace id that no function has handed on. */
  readonly beginning: string;
  /** Loops are wanted: they are counted and go on. */
  readonly mayLoop: boolean;
}

/** The guard of a function. Pure. */
export function loopGuard(of: Pick<LoopGuard, 'arn' | 'namespace' | 'name' | 'mayLoop'>): LoopGuard {
  const id = hash('sha256', of.arn, 'hex').slice(0, 8);
  return Object.freeze({ ...of, id, beginning: `;Lineage=${id}:0` });
}
