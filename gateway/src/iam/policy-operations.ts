import type { QueryCall, QueryOperation } from '../query/query-api.ts';
import { parameterError, queryError } from '../query/query-error.ts';
import { encodedDocument, pageOf, requireDocument, roleCall } from './iam-call.ts';
import type { Role } from './role.ts';
import type { Roles } from './roles.ts';

/** Characters of all inline policies of a role together. */
const MAX_INLINE = 10_240;
/** Policies attached to a role. */
const MAX_ATTACHED = 20;
const policyName = /^[\w+=,.@-]{1,128}$/;
/** Policies that are AWS's own: an install has none of its accounts' own. */
const attachable = /^arn:aws[a-zA-Z-]*:iam::aws:policy\/(?:[!-~]+\/)?([\w+=,.@-]{1,128})$/;

/** PutRolePolicy, AttachRolePolicy, …: each by its name. */
export function policyOperations(roles: Roles): Readonly<Record<string, QueryOperation['run']>> {
  return {
    PutRolePolicy: async (call) => {
      const named = nameOf(call);
      const document = requireDocument(call, 'PolicyDocument');
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, (role) => ({ policies: withPolicy(role, named, document) }));
      return null;
    },
    GetRolePolicy: async (call) => {
      const named = nameOf(call);
      const { accountId, name } = await roleCall(call, roles, 'get');
      const document = requireInline(await roles.require(accountId, name), named);
      return { RoleName: name, PolicyName: named, PolicyDocument: encodedDocument(document) };
    },
    ListRolePolicies: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'get');
      const { policies = {} } = await roles.require(accountId, name);
      const { page, ...next } = pageOf(call, Object.keys(policies).sort(), (named) => named);
      return { PolicyNames: page, ...next };
    },
    DeleteRolePolicy: async (call) => {
      const gone = nameOf(call);
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, (role) => {
        requireInline(role, gone);
        return {
          policies: Object.fromEntries(Object.entries(role.policies ?? {}).filter(([named]) => named !== gone)),
        };
      });
      return null;
    },
    AttachRolePolicy: async (call) => {
      const arn = arnOf(call);
      if (!attachable.test(arn))
        throw queryError('NoSuchEntity', `Policy ${arn} does not exist or is not attachable.`, 404);
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, ({ attached = [] }) => {
        const all = [...new Set([...attached, arn])];
        if (all.length > MAX_ATTACHED)
          throw queryError('LimitExceeded', `Cannot exceed quota for PoliciesPerRole: ${MAX_ATTACHED}`, 409);
        return { attached: all };
      });
      return null;
    },
    DetachRolePolicy: async (call) => {
      const arn = arnOf(call);
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, ({ attached = [] }) => {
        if (!attached.includes(arn)) throw queryError('NoSuchEntity', `Policy ${arn} was not found.`, 404);
        return { attached: attached.filter((each) => each !== arn) };
      });
      return null;
    },
    ListAttachedRolePolicies: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'get');
      const { attached = [] } = await roles.require(accountId, name);
      const { page, ...next } = pageOf(call, [...attached].sort(), (arn) => arn);
      return {
        AttachedPolicies: page.map((arn) => ({ PolicyName: attachable.exec(arn)?.[1] ?? arn, PolicyArn: arn })),
        ...next,
      };
    },
  };
}

function nameOf({ parameters }: QueryCall): string {
  return parameters.required('PolicyName', policyName);
}

function arnOf({ parameters }: QueryCall): string {
  const arn = parameters.required('PolicyArn', /^/, 2048);
  if (arn.length < 20) throw parameterError('PolicyArn', arn, 'Member must have length greater than or equal to 20');
  return arn;
}

function withPolicy({ name, policies = {} }: Role, named: string, document: string): Readonly<Record<string, string>> {
  const all = { ...policies, [named]: document };
  const size = Object.values(all).reduce((sum, text) => sum + text.replaceAll(/\s/g, '').length, 0);
  if (size <= MAX_INLINE) return all;
  throw queryError('LimitExceeded', `Maximum policy size of ${MAX_INLINE} bytes exceeded for role ${name}`, 409);
}

function requireInline({ policies = {} }: Role, named: string): string {
  const document = Object.hasOwn(policies, named) ? policies[named] : undefined;
  if (document !== undefined) return document;
  throw queryError('NoSuchEntity', `The role policy with name ${named} cannot be found.`, 404);
}
