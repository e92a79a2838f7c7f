/** What can be wrong with one field of an object. */
export interface FieldProblem {
  /** Path as Kubernetes writes it, for example `spec.environment[0].name`; empty for the object itself. */
  readonly path: string;
  /** For people, for example `must be integer`. */
  readonly message: string;
}

/** An object is not what its kind says. Carries every problem, not only the first. */
export class ParseError extends Error {
  override readonly name = 'ParseError';
  readonly code = 'InvalidObject';
  /** Kind that was wanted, for example Function. */
  readonly kind: string;
  readonly problems: readonly FieldProblem[];

  constructor(kind: string, problems: readonly FieldProblem[]) {
    const lines = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
    super(`not a ${kind}: ${lines.join('; ')}`);
    this.kind = kind;
    this.problems = problems;
  }
}
