import { toObjectName } from '@kappa/crds/names';

import { type Authorizer, denied } from '../auth/authorizer.ts';
import { ownAccountOf, type Principal } from '../auth/principal.ts';
import type { Directory } from '../registry/directory.ts';
import type { LogReader } from './all-logs.ts';
import { groupArnOf, readGroup } from './log-group.ts';
import { notFound } from './logs-error.ts';
import type { Members } from './members.ts';
import type { StreamSummary } from './query.ts';
import type { LogOwner } from './recent-logs.ts';

/** What the operations work with. */
export interface LogsDeps {
  readonly logs: LogReader;
  readonly directory: Pick<Directory, 'namespaceOf' | 'locate' | 'ofAccount'>;
  readonly authorizer: Authorizer;
  readonly region: string;
}

/** One request whose sender is known. */
export interface LogsCall {
  /** Without the prefix, for example `FilterLogEvents`. */
  readonly operation: string;
  readonly members: Members;
  readonly principal: Principal;
}

/** What becomes of an operation. @throws LambdaError with a name of CloudWatch Logs */
export type LogsOperation = (call: LogsCall, deps: LogsDeps) => Promise<object>;

/**
 * The function whose group the call names, once it is clear that its caller may read it: who may read a function may read its log.
 *
 * @throws LambdaError AccessDenied, InvalidParameterException, ResourceNotFoundException when there is neither such a function nor a log of one
 */
export async function requireGroup(call: LogsCall, deps: LogsDeps): Promise<LogOwner> {
  const owner = readGroup(call.members, ownAccountOf(call.principal), deps.region);
  const seen = await deps.directory.locate(owner.accountId, owner.functionName);
  const name = seen?.name ?? toObjectName(owner.functionName);
  await requireRight(call, deps, { right: 'get functions', owner, name });
  if (seen === undefined && !(await deps.logs.functions(owner.accountId)).has(owner.functionName))
    throw notFound('log group');
  return owner;
}

/** The caller's own account, once it is clear that it may list its functions. @throws LambdaError AccessDenied */
export async function requireList(call: LogsCall, deps: LogsDeps): Promise<string> {
  const accountId = ownAccountOf(call.principal);
  await requireRight(call, deps, { right: 'list functions', owner: { accountId, functionName: '*' }, name: '' });
  return accountId;
}

async function requireRight(
  { operation, principal }: LogsCall,
  { authorizer, directory, region }: LogsDeps,
  asked: { readonly right: 'get functions' | 'list functions'; readonly owner: LogOwner; readonly name: string },
): Promise<void> {
  const { right, owner, name } = asked;
  const { accountId } = owner;
  const names = { action: `logs:${operation}`, resource: groupArnOf(owner, region) };
  const namespace = await directory.namespaceOf(accountId);
  if (namespace === undefined) throw notFound('log group');
  if (!(await authorizer.allows(principal, { right, accountId, namespace, name, ...names })))
    throw denied(principal, names);
}

/** A stream of a function. @throws LambdaError ResourceNotFoundException */
export async function requireStream({ logs }: LogsDeps, owner: LogOwner, name: string): Promise<StreamSummary> {
  const stream = (await logs.streams(owner)).find((each) => each.name === name);
  if (stream === undefined) throw notFound('log stream');
  return stream;
}
