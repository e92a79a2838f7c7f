import type { Kubernetes } from '@kappa/crds/client/kubernetes';

import { openDoor } from '../auth/authenticator.ts';
import type { BufferBudget } from '../http/buffer-budget.ts';
import { iamService } from '../iam/iam.ts';
import { type PassRole, passRole } from '../iam/pass-role.ts';
import { Roles } from '../iam/roles.ts';
import type { Objects } from '../lambda-api/objects.ts';
import { makeQueryApi, type QueryApi } from '../query/query-api.ts';
import type { Directory } from '../registry/directory.ts';
import { stsService } from '../sts/sts.ts';
import { tokenReviewer } from '../sts/web-identity.ts';
import type { Callers } from './know-callers.ts';

/** What {@link openQueryApi} connects. */
export interface QueryParts {
  readonly kubernetes: Kubernetes;
  readonly objects: Objects;
  readonly directory: Directory;
  readonly callers: Callers;
  readonly budget: BufferBudget;
  readonly onRefused: (err: unknown, requestId: string) => void;
}

/** STS and IAM, and what the Lambda API asks about the roles of functions. */
export function openQueryApi({ kubernetes, objects, directory, callers, budget, onRefused }: QueryParts): {
  readonly queryApi: QueryApi;
  /** Absent where nobody is asked who he is: then any role will do. */
  readonly passRole?: PassRole;
} {
  const { authorizer, sessions, queryAuthenticator } = callers;
  const roles = new Roles({ objects, directory, authorizer });
  const queryApi = makeQueryApi({
    services: [stsService({ roles, sessions, ownerOf: tokenReviewer(kubernetes) }), iamService(roles)],
    authenticator: queryAuthenticator ?? openDoor,
    asksWho: queryAuthenticator !== null,
    budget,
    onRefused,
  });
  return queryAuthenticator === null ? { queryApi } : { queryApi, passRole: passRole(roles) };
}
