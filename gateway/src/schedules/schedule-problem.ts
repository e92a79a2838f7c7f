/** A schedule cannot be as it is written; the message says what to write instead, for its owner. */
export class ScheduleProblem extends Error {
  override readonly name = 'ScheduleProblem';
}
