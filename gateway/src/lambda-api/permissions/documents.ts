import type {
  DeleteResourcePolicyRequest,
  GetResourcePolicyRequest,
  GetResourcePolicyResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
} from '@aws-sdk/client-lambda';
import type { FunctionPermission } from '@kappa/crds/function';

import { reservedSidPrefix } from '../../auth/resource-policy.ts';
import { InvalidParameterValue } from '../../errors.ts';
import type { ApiDeps, OperationCall } from '../call.ts';
import { policyDocument } from './document.ts';
import { parsePolicyDocument } from './parse-document.ts';
import { changePolicy, ownersOwn, type Policy, policyRevisionOf, readPolicy, requirePolicy } from './store.ts';

const notFound = 'The resource you requested does not exist.';

/**
 * PutResourcePolicy: takes the place of all statements, also of those of AddPermission. What a manifest grants stays, whether the document has
 * it or not.
 */
export async function putResourcePolicy(
  call: OperationCall<PutResourcePolicyRequest>,
  deps: ApiDeps,
): Promise<PutResourcePolicyResponse> {
  const { Policy: text = '', RevisionId } = call.input;
  return answerOf(
    await changePolicy(call, RevisionId, deps, ({ owner, resource }) => {
      const given = parsePolicyDocument(text, resource, call.fn.qualifier ?? '');
      return given.filter((permission) => !isOwners(permission, owner));
    }),
  );
}

/** GetResourcePolicy. */
export async function getResourcePolicy(
  call: OperationCall<GetResourcePolicyRequest>,
  deps: ApiDeps,
): Promise<GetResourcePolicyResponse> {
  const policy = await readPolicy(call, deps);
  requirePolicy(policy, notFound);
  return answerOf(policy);
}

/** DeleteResourcePolicy. */
export async function deleteResourcePolicy(
  call: OperationCall<DeleteResourcePolicyRequest>,
  deps: ApiDeps,
): Promise<object> {
  await changePolicy(call, call.input.RevisionId, deps, (policy) => {
    requirePolicy(policy, notFound);
    if (policy.stored.length === 0) throw ownersOwn(policy.owner.map(({ sid }) => sid).join(', '));
    return [];
  });
  return {};
}

/** A document that was read here and is written back has the owner's statements. */
function isOwners(permission: FunctionPermission, owner: readonly FunctionPermission[]): boolean {
  if (!permission.sid.startsWith(reservedSidPrefix)) return false;
  if (owner.some(({ sid }) => sid === permission.sid)) return true;
  throw new InvalidParameterValue(`Statement ids that begin with ${reservedSidPrefix} are reserved.`);
}

function answerOf(policy: Policy): GetResourcePolicyResponse {
  const all = [...policy.stored, ...policy.owner];
  return { Policy: policyDocument(all, policy.resource), RevisionId: policyRevisionOf(policy) };
}
