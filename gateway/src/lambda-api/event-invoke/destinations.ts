import type { DestinationConfig } from '@aws-sdk/client-lambda';

import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { readFunctionName } from '../function-name.ts';

/** Services that records of invocations can go to; S3 takes those of failures only. */
const services: ReadonlySet<string> = new Set(['sqs', 'sns', 'lambda', 'events']);

/**
 * Refuses destinations that Lambda refuses without looking for them: of other services, FIFO queues and topics, the function itself.
 *
 * @param functionName of the function whose records go there
 * @throws InvalidParameterValue
 */
export function checkDestinations(config: DestinationConfig, functionName: string): void {
  const onSuccess = config.OnSuccess?.Destination ?? '';
  const onFailure = config.OnFailure?.Destination ?? '';
  const isTaken = isDestination(onSuccess, false) && isDestination(onFailure, true);
  if (!isTaken)
    throw new InvalidParameterValue(
      `The provided destination config DestinationConfig(onSuccess=${shown('OnSuccess', onSuccess)}, onFailure=${shown('OnFailure', onFailure)}) is invalid.`,
    );
  if ([onSuccess, onFailure].some((arn) => serviceOf(arn) === 'lambda' && readFunctionName(arn).name === functionName))
    throw new InvalidParameterValue("You can't specify the function as a destination for itself.");
}

/**
 * Refuses functions that are not there, or of another account. Other services are not asked: what is made after the function's configuration, as
 * templates do, is told as well.
 *
 * @throws InvalidParameterValue
 */
export async function requireFunctions(
  config: DestinationConfig,
  { accountId }: Pick<OperationCall<unknown>, 'accountId'>,
  { directory, region }: Pick<ApiDeps, 'directory' | 'region'>,
): Promise<void> {
  for (const arn of [config.OnSuccess?.Destination ?? '', config.OnFailure?.Destination ?? '']) {
    if (serviceOf(arn) !== 'lambda') continue;
    const { name, accountId: owner = accountId, region: itsRegion = region } = readFunctionName(arn);
    const isHere = owner === accountId && itsRegion === region;
    if (!isHere || (await directory.locate(accountId, name)) === undefined)
      throw new InvalidParameterValue(`The destination ARN ${arn} is invalid.`);
  }
}

/** None is fine. */
function isDestination(arn: string, isOfFailure: boolean): boolean {
  if (arn === '') return true;
  const service = serviceOf(arn);
  if (arn.endsWith('.fifo')) return false;
  return services.has(service) || (service === 's3' && isOfFailure);
}

/** `arn:aws:sqs:…` → sqs. */
function serviceOf(arn: string): string {
  return arn.split(':')[2] ?? '';
}

function shown(name: string, arn: string): string {
  return arn === '' ? 'null' : `${name}(destination=${arn})`;
}
