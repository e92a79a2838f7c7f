/**
 * Why a source cannot be read now, for programs. Each is a reason of the condition Ready.
 *
 * | reason | meaning | tried again after |
 * | --- | --- | --- |
 * | InvalidSource | ARN, address or name that cannot be: wrong service, no host | the object changes, or 5 min |
 * | SourceNotFound | there is no such queue, stream, topic (any more) | 1 s … 60 s |
 * | CredentialsMissing | a secret that the mapping names is not there, or lacks a member | 1 s … 60 s |
 * | AccessDenied | the source refuses these credentials | 1 s … 60 s |
 * | Unreachable | no connection, no answer in time, 5xx | 1 s … 30 s |
 * | Throttled | the source asks for fewer calls | 1 s … 30 s |
 * | PositionLost | what was to be read next is gone (trimmed): reading goes on at the oldest, which is told | at once |
 */
export type ProblemReason =
  | 'InvalidSource'
  | 'SourceNotFound'
  | 'CredentialsMissing'
  | 'AccessDenied'
  | 'Unreachable'
  | 'Throttled'
  | 'PositionLost';

/** A source cannot be read now. Its message is shown to users: it says what to do and holds no secrets. */
export class SourceProblem extends Error {
  override readonly name = 'SourceProblem';
  readonly reason: ProblemReason;

  constructor(reason: ProblemReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

const FIRST_PAUSE_MS = 1_000;
const SHORT_MAX_MS = 30_000;
const LONG_MAX_MS = 60_000;
const HOPELESS_MS = 300_000;

/**
 * How long to wait before a source is tried again.
 *
 * @param before failures in a row before this one, >= 0
 * @param random 0..1: the pause is 50 % to 100 % of its length, so that many mappings of one broken source do not come back together
 */
export function pauseAfterProblem(reason: ProblemReason, before: number, random: number): number {
  if (reason === 'PositionLost') return 0;
  if (reason === 'InvalidSource') return HOPELESS_MS;
  const maxMs = reason === 'Unreachable' || reason === 'Throttled' ? SHORT_MAX_MS : LONG_MAX_MS;
  return Math.round(Math.min(FIRST_PAUSE_MS * 2 ** before, maxMs) * (0.5 + random / 2));
}

/** What is no SourceProblem becomes one: a bug in a source stops its mapping and no other. */
export function toSourceProblem(error: unknown): SourceProblem {
  if (error instanceof SourceProblem) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new SourceProblem('Unreachable', `the event source could not be read: ${text}`, { cause: error });
}
