import type { ObjectMeta } from '../object-meta.ts';
import { ParseError } from '../parse-error.ts';
import { isJsonObject, type JsonObject } from '../parse-meta.ts';
import type { Kind } from './kinds.ts';

/** A question to the cluster's authorization: create it, and read the answer's status. It is stored nowhere. */
export interface SubjectAccessReview {
  readonly metadata: ObjectMeta;
  readonly spec: {
    readonly user: string;
    readonly groups: readonly string[];
    readonly resourceAttributes: ResourceAttributes;
  };
  readonly status: { readonly allowed: boolean };
}

/** What somebody wants to do. */
export interface ResourceAttributes {
  readonly namespace: string;
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  readonly resource: string;
  /** Empty = the object itself. */
  readonly subresource: string;
  /** Empty = all of them, as for list and create. */
  readonly name: string;
}

/** A question to the cluster's authentication: whose token is this? It is stored nowhere. */
export interface TokenReview {
  readonly metadata: ObjectMeta;
  readonly spec: { readonly token: string; readonly audiences: readonly string[] };
  readonly status: {
    readonly authenticated: boolean;
    /** Of `spec.audiences` those that the token is for. */
    readonly audiences: readonly string[];
    /** Empty when nobody's. */
    readonly username: string;
    /** Of the ServiceAccount or user; may be empty. */
    readonly uid: string;
  };
}

/** `POST /apis/authorization.k8s.io/v1/subjectaccessreviews`. */
export const subjectAccessReviews: Kind<SubjectAccessReview> = {
  group: 'authorization.k8s.io',
  version: 'v1',
  kind: 'SubjectAccessReview',
  plural: 'subjectaccessreviews',
  isNamespaced: false,
  parse: (value) => {
    const status = statusOf('SubjectAccessReview', value);
    const allowed = status['allowed'] === true && status['denied'] !== true;
    return { ...(value as SubjectAccessReview), status: { allowed } }; // the rest is what was sent
  },
};

/** `POST /apis/authentication.k8s.io/v1/tokenreviews`. */
export const tokenReviews: Kind<TokenReview> = {
  group: 'authentication.k8s.io',
  version: 'v1',
  kind: 'TokenReview',
  plural: 'tokenreviews',
  isNamespaced: false,
  parse: (value) => {
    const status = statusOf('TokenReview', value);
    const user = isJsonObject(status['user']) ? status['user'] : {};
    const { audiences } = status;
    return {
      ...(value as TokenReview), // the rest is what was sent
      status: {
        authenticated: status['authenticated'] === true,
        audiences: Array.isArray(audiences) ? audiences.filter((each) => typeof each === 'string') : [],
        username: typeof user['username'] === 'string' ? user['username'] : '',
        uid: typeof user['uid'] === 'string' ? user['uid'] : '',
      },
    };
  },
};

function statusOf(kind: string, value: unknown): JsonObject {
  const status = isJsonObject(value) ? value['status'] : undefined;
  if (isJsonObject(status)) return status;
  throw new ParseError(kind, [{ path: 'status', message: 'must be object' }]);
}
