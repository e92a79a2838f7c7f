import { type AwsResource, awsProblem } from '../aws-problem.ts';
import { SourceProblem } from '../source-problem.ts';

/** Whether a new iterator has to be asked for. */
export function isExpired(error: unknown): boolean {
  return error instanceof Error && error.name === 'ExpiredIteratorException';
}

/**
 * Why there is no iterator behind a record. Kinesis says that an argument is wrong when the stream has never had that record: it was made anew under the same name,
 * and the old one's records are gone.
 */
export function iteratorProblem(error: unknown, resource: AwsResource): SourceProblem {
  const isForeign = error instanceof Error && error.name === 'InvalidArgumentException';
  if (!isForeign) return awsProblem(error, resource);
  return new SourceProblem(
    'PositionLost',
    `${resource.name} has not the record after which reading was to go on (was it made anew?): reading begins again at the oldest`,
    { cause: error },
  );
}
