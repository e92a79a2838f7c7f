import { type AwsResource, awsProblem } from '../aws-problem.ts';
import { SourceProblem } from '../source-problem.ts';

/** Whether a new iterator has to be asked for. */
export function isExpired(error: unknown): boolean {
  return error instanceof Error && error.name === 'ExpiredIteratorException';
}

/** Why a table's stream cannot be read. Its records are kept for 24 hours: who comes later reads on at the oldest. */
export function streamProblem(error: unknown, resource: AwsResource): SourceProblem {
  const isTrimmed = error instanceof Error && error.name === 'TrimmedDataAccessException';
  if (!isTrimmed) return awsProblem(error, resource);
  return new SourceProblem(
    'PositionLost',
    `${resource.name} has the records no more that were to be read next (it keeps them for 24 hours): reading goes on at the oldest`,
    { cause: error },
  );
}
