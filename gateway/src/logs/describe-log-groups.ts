import { groupArnOf, groupPrefix } from './log-group.ts';
import { type LogsOperation, requireList } from './logs-call.ts';
import { invalidParameter } from './logs-error.ts';

const nameRule = { max: 512, pattern: /^[.\-_/#A-Za-z0-9]*$/ };

/** A group for each function of the caller's account, and for each that has a log although it is gone. A token is the last group's name. */
export const describeLogGroups: LogsOperation = async (call, deps) => {
  const { members } = call;
  const prefix = members.text('logGroupNamePrefix', nameRule);
  const pattern = members.text('logGroupNamePattern', { ...nameRule, min: 0 });
  if (prefix !== undefined && pattern !== undefined)
    throw invalidParameter('LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.');
  const identifiers = members.texts('logGroupIdentifiers', 1, 50);
  const limit = members.integer('limit', 50, 1, 50);
  const after = members.text('nextToken') ?? '';
  const accountId = await requireList(call, deps);
  const names = new Set(deps.directory.ofAccount(accountId).map(({ functionName }) => functionName));
  for (const name of await deps.logs.functions(accountId)) names.add(name);
  const found = [...names]
    .map((functionName) => ({
      name: `${groupPrefix}${functionName}`,
      arn: groupArnOf({ accountId, functionName }, deps.region),
    }))
    .filter(({ name }) => name.startsWith(prefix ?? '') && name.includes(pattern ?? '') && name > after)
    .filter(({ name, arn }) => identifiers?.some((each) => each === name || each.replace(/:\*$/, '') === arn) ?? true)
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  return {
    logGroups: found.slice(0, limit).map(({ name, arn }) => ({
      logGroupName: name,
      arn: `${arn}:*`,
      logGroupArn: arn,
      logGroupClass: 'STANDARD',
      metricFilterCount: 0,
    })),
    ...(found.length > limit && { nextToken: found[limit - 1]?.name }),
  };
};
