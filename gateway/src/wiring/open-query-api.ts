import type { KeyObject } from 'node:crypto';
import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { openDoor } from '../auth/authenticator.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { iamService } from '../iam/iam.ts';
import { type PassRole, passRole } from '../iam/pass-role.ts';
import { Roles } from '../iam/roles.ts';
import type { Objects } from '../lambda-api/objects.ts';
import { makeQueryApi, type QueryApi } from '../query/query-api.ts';
import type { Directory } from '../registry/directory.ts';
import { FunctionTokens } from '../sts/function-tokens.ts';
import { stsService } from '../sts/sts.ts';
import { tokenReviewer } from '../sts/web-identity.ts';
import type { Callers } from './know-callers.ts';

/** What {@link openQueryApi} connects. */
export interface QueryParts {
  readonly kubernetes: Kubernetes;
  /** The private key that all gateways have. */
  readonly signingKey: KeyObject;
  readonly objects: Objects;
  readonly directory: Directory;
  readonly callers: Callers;
  readonly budget: BufferBudget;
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** STS and IAM, and what the Lambda API asks about the roles of functions. */
export function openQueryApi({ kubernetes, signingKey, objects, directory, callers, budget, onRefused }: QueryParts): {
  readonly queryApi: QueryApi;
  /** Absent where nobody is asked who he is: then any role will do. */
  readonly passRole?: PassRole;
} {
  const { authorizer, sessions, queryAuthenticator } = callers;
  const roles = new Roles({ objects, directory, authorizer });
  const asksWho = queryAuthenticator !== null;
  const functionTokens = new FunctionTokens({ installKey: signingKey, now: Date.now });
  const ownerOf = tokenReviewer(kubernetes);
  const queryApi = makeQueryApi({
    services: [stsService({ roles, sessions, ownerOf, functionTokens, needsRoles: asksWho }), iamService(roles)],
    authenticator: queryAuthenticator ?? openDoor,
    asksWho,
    budget,
    onRefused,
  });
  return asksWho ? { queryApi, passRole: passRole(roles) } : { queryApi };
}
