import { ownAccountOf } from '../auth/principal.ts';
import type { QueryCall, QueryOperation } from '../query/query-api.ts';
import { queryError } from '../query/query-error.ts';
import type { XmlValue } from '../query/xml.ts';
import { encodedDocument, instantText, pageOf, requireDocument, roleCall, tagList } from './iam-call.ts';
import type { Role } from './role.ts';
import type { Roles } from './roles.ts';

const MAX_TAGS = 50;
const pathPattern = /^(\/|\/[!-~]+\/)$/;

/** CreateRole, GetRole, …: each by its name. */
export function roleOperations(roles: Roles): Readonly<Record<string, QueryOperation['run']>> {
  return {
    CreateRole: (call) => createRole(call, roles),
    GetRole: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'get');
      return { Role: { ...shown(await roles.require(accountId, name)), RoleLastUsed: {} } };
    },
    ListRoles: (call) => listRoles(call, roles),
    UpdateRole: (call) => updateRole(call, roles),
    UpdateRoleDescription: (call) => updateRoleDescription(call, roles),
    UpdateAssumeRolePolicy: async (call) => {
      const trustPolicy = requireDocument(call, 'PolicyDocument');
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, () => ({ trustPolicy }));
      return null;
    },
    DeleteRole: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'delete');
      await roles.remove(accountId, name);
      return null;
    },
    TagRole: (call) => tagRole(call, roles),
    UntagRole: async (call) => {
      const gone = new Set(call.parameters.list('TagKeys'));
      const { accountId, name } = await roleCall(call, roles, 'update');
      await roles.change(accountId, name, ({ tags = {} }) => ({
        tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
      }));
      return null;
    },
    ListRoleTags: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'get');
      return { Tags: tagList(await roles.require(accountId, name)), IsTruncated: false };
    },
    ListInstanceProfilesForRole: async (call) => {
      const { accountId, name } = await roleCall(call, roles, 'get');
      await roles.require(accountId, name);
      return { InstanceProfiles: [], IsTruncated: false };
    },
  };
}

type Result = Promise<{ readonly [name: string]: XmlValue } | null>;

async function createRole(call: QueryCall, roles: Roles): Result {
  const { parameters } = call;
  parameters.refuse(['PermissionsBoundary']);
  const trustPolicy = requireDocument(call, 'AssumeRolePolicyDocument');
  const { accountId, name } = await roleCall(call, roles, 'create');
  const tags = checkedTags(parameters.pairs('Tags'));
  const description = parameters.text('Description');
  const role = await roles.create(accountId, name, {
    path: parameters.text('Path', pathPattern, 512) ?? '/',
    ...(description !== null && { description }),
    maxSessionSeconds: parameters.integer('MaxSessionDuration', 3600, 3600, 43_200),
    trustPolicy,
    ...(Object.keys(tags).length > 0 && { tags }),
  });
  return { Role: shown(role) };
}

async function updateRole(call: QueryCall, roles: Roles): Result {
  const { parameters } = call;
  const description = parameters.text('Description');
  const maxSessionSeconds = parameters.integer('MaxSessionDuration', 0, 0, 43_200);
  const { accountId, name } = await roleCall(call, roles, 'update');
  await roles.change(accountId, name, () => ({
    ...(description !== null && { description }),
    ...(maxSessionSeconds >= 3600 && { maxSessionSeconds }),
  }));
  return {};
}

/** Older than UpdateRole, and still what Terraform calls. */
async function updateRoleDescription(call: QueryCall, roles: Roles): Result {
  const description = call.parameters.required('Description');
  const { accountId, name } = await roleCall(call, roles, 'update');
  await roles.change(accountId, name, () => ({ description }));
  return { Role: shown(await roles.require(accountId, name)) };
}

async function listRoles(call: QueryCall, roles: Roles): Result {
  const { parameters, principal } = call;
  const accountId = ownAccountOf(principal);
  const asked = { name: '', action: 'iam:ListRoles', resource: `arn:aws:iam::${accountId}:role/` };
  await roles.requireRight(principal, accountId, 'list', asked);
  const prefix = parameters.text('PathPrefix', /^\/[!-~]*$/, 512) ?? '/';
  const found = (await roles.list(accountId)).filter(({ path }) => path.startsWith(prefix));
  const { page, ...next } = pageOf(call, found, ({ name }) => name);
  return { Roles: page.map((role) => inList(role)), ...next };
}

async function tagRole(call: QueryCall, roles: Roles): Result {
  const added = call.parameters.pairs('Tags');
  const { accountId, name } = await roleCall(call, roles, 'update');
  await roles.change(accountId, name, ({ tags = {} }) => ({ tags: checkedTags({ ...tags, ...added }) }));
  return null;
}

function checkedTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (Object.keys(tags).length > MAX_TAGS)
    throw queryError('LimitExceeded', `The number of tags has reached the maximum limit of ${MAX_TAGS}.`, 409);
  const isTooLong = Object.entries(tags).some(([key, value]) => key === '' || key.length > 128 || value.length > 256);
  if (isTooLong) throw queryError('InvalidInput', 'Tags have keys of 1 to 128 characters and values of at most 256.');
  return tags;
}

function shown(role: Role): { readonly [name: string]: XmlValue } {
  const tags = tagList(role);
  return { ...inList(role), ...(tags.length > 0 && { Tags: tags }) };
}

/** Lists leave the tags out, as AWS does. */
function inList(role: Role): { readonly [name: string]: XmlValue } {
  const { name, path, arn, id, createdMs, description, maxSessionSeconds, trustPolicy } = role;
  return {
    Path: path,
    RoleName: name,
    RoleId: id,
    Arn: arn,
    CreateDate: instantText(createdMs),
    AssumeRolePolicyDocument: encodedDocument(trustPolicy ?? lambdaTrust),
    ...(description !== undefined && { Description: description }),
    MaxSessionDuration: maxSessionSeconds,
  };
}

/** What a ServiceAccount that kubectl made says by being there. */
const lambdaTrust = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
