import type { QueryOperation, QueryService } from '../query/query-api.ts';
import { policyOperations } from './policy-operations.ts';
import { roleOperations } from './role-operations.ts';
import type { Roles } from './roles.ts';

/** The part of IAM that deploy tools call: roles, their policies and tags. Policies are kept and answered; what a role may do in Kappa, the cluster's RBAC says. */
export function iamService(roles: Roles): QueryService {
  const operations: Readonly<Record<string, QueryOperation['run']>> = {
    ...roleOperations(roles),
    ...policyOperations(roles),
  };
  return {
    name: 'iam',
    version: '2010-05-08',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    operations: new Map(Object.entries(operations).map(([name, run]) => [name, { run }])),
  };
}
