import { isFunctionName } from '@kappa/crds/names';
import { invalidParameter, notFound } from './logs-error.ts';
import type { Members } from './members.ts';
import type { LogOwner } from './recent-logs.ts';

/** Of the log groups of functions. */
export const groupPrefix = '/aws/lambda/';

const groupArn = /^arn:aws[\w-]*:logs:(?<region>[\w-]+):(?<accountId>\d{12}):log-group:(?<name>[^:*]+)(?::\*)?$/;
const nameRule = { max: 512, pattern: /^[.\-_/#A-Za-z0-9]+$/ };
const identifierRule = { max: 2048, pattern: /^[\w#+=/:,.@*-]*$/ };

/**
 * The function whose log group a request names, by its name or ARN.
 *
 * @throws LambdaError InvalidParameterException; ResourceNotFoundException for what is no function's group, or in another region
 */
export function readGroup(members: Members, ownAccountId: string, region: string): LogOwner {
  const name = members.text('logGroupName', nameRule);
  const identifier = members.text('logGroupIdentifier', identifierRule);
  if (name !== undefined && identifier !== undefined)
    throw invalidParameter('LogGroup name and LogGroup identifier cannot be provided together.');
  const text = name ?? identifier;
  if (text === undefined) throw invalidParameter('Either logGroupName or logGroupIdentifier must be provided.');
  const arn = groupArn.exec(text)?.groups;
  if (arn !== undefined && arn['region'] !== region) throw notFound('log group');
  return { accountId: arn?.['accountId'] ?? ownAccountId, functionName: functionOf(arn?.['name'] ?? text) };
}

/** Without the `:*` that some answers have. */
export function groupArnOf({ accountId, functionName }: LogOwner, region: string): string {
  return `arn:aws:logs:${region}:${accountId}:log-group:${groupPrefix}${functionName}`;
}

function functionOf(group: string): string {
  const name = group.startsWith(groupPrefix) ? group.slice(groupPrefix.length) : '';
  if (!isFunctionName(name)) throw notFound('log group');
  return name;
}
