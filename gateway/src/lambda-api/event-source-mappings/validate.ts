import { InvalidParameterValue } from '../../errors.ts';
import { checkFilters } from './filters.ts';
import type { Parameters } from './parameters.ts';
import { hasPosition, type SourceKind, sourceKindOf, sourcesOf } from './sources.ts';
import { checkAccess, checkConsumption, checkDestination, checkMetrics, checkPollers } from './validate-source.ts';

/**
 * What Lambda checks of a mapping's parameters together; each by itself was checked against the service model.
 *
 * @param given of a new mapping, or of one as it would be after a change
 * @param nowMs epoch milliseconds
 * @returns what kind of source it reads
 * @throws InvalidParameterValue
 */
export function checkParameters(given: Parameters, nowMs: number): SourceKind {
  const kind = sourceKindOf(given);
  if (kind === null) throw new InvalidParameterValue('Unrecognized event source.');
  const foreign = Object.entries(sourcesOf).find(([member, kinds]) => isGiven(given, member) && !kinds.includes(kind));
  if (foreign !== undefined) throw unsupported(foreign[0]);
  if ((given.DestinationConfig?.OnSuccess?.Destination ?? '') !== '') throw unsupported('DestinationConfig');
  checkPosition(given, kind, nowMs);
  checkBatch(given, kind);
  checkPlaces(given, kind);
  checkPollers(given, kind);
  checkAccess(given, kind);
  checkDestination(given, kind);
  checkMetrics(given, kind);
  checkConsumption(given);
  checkFilters(given.FilterCriteria?.Filters ?? [], kind);
  return kind;
}

function isGiven(given: Parameters, member: string): boolean {
  return new Map(Object.entries(given)).get(member) !== undefined;
}

function unsupported(member: string): InvalidParameterValue {
  return new InvalidParameterValue(`Unsupported ${member} parameter for given event source mapping type.`);
}

function checkPosition(given: Parameters, kind: SourceKind, nowMs: number): void {
  const { StartingPosition: position, StartingPositionTimestamp: timestamp } = given;
  if (hasPosition(kind) && position === undefined)
    throw new InvalidParameterValue(
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    );
  if (kind === 'dynamodb' && position === 'AT_TIMESTAMP')
    throw new InvalidParameterValue(`Unsupported starting position for arn type: ${given.EventSourceArn}`);
  if ((position === 'AT_TIMESTAMP') !== (timestamp !== undefined))
    throw new InvalidParameterValue(
      'StartingPositionTimestamp is required for the starting position AT_TIMESTAMP, and for no other.',
    );
  if (timestamp !== undefined && timestamp.getTime() > nowMs)
    throw new InvalidParameterValue('StartingPositionTimestamp must not be in the future.');
}

function checkBatch(given: Parameters, kind: SourceKind): void {
  const { BatchSize: size = 0, MaximumBatchingWindowInSeconds: windowSeconds = 0 } = given;
  if (kind === 'sqsFifo' && size > 10)
    throw new InvalidParameterValue('The batch size of a FIFO queue must not be greater than 10.');
  if (kind === 'sqs' && size > 10 && windowSeconds === 0)
    throw new InvalidParameterValue(
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    );
  const { MaximumRecordAgeInSeconds: ageSeconds = -1 } = given;
  if (ageSeconds !== -1 && ageSeconds < 60)
    throw new InvalidParameterValue('MaximumRecordAgeInSeconds must be -1, or 60 to 604800.');
}

/** Where in the source: a topic, a queue, a database. */
function checkPlaces(given: Parameters, kind: SourceKind): void {
  const missing =
    (kind === 'kafka' || kind === 'msk') && given.Topics === undefined
      ? 'topics'
      : kind === 'mq' && given.Queues === undefined
        ? 'queues'
        : kind === 'documentdb' && given.DocumentDBEventSourceConfig?.DatabaseName === undefined
          ? 'documentDBEventSourceConfig.databaseName'
          : null;
  if (missing !== null) throw new InvalidParameterValue(`Required '${missing}' parameter is missing.`);
  const servers = given.SelfManagedEventSource?.Endpoints?.KAFKA_BOOTSTRAP_SERVERS;
  if (kind === 'kafka' && servers === undefined)
    throw new InvalidParameterValue("Required 'selfManagedEventSource.endpoints' parameter is missing.");
}
