import { type Authenticator, apiAudience, type User } from './auth.ts';
import { type Exchange, plainJson, readBody, send } from './http-exchange.ts';
import { at, isRecord, items, type JsonObject, record, text } from './json.ts';
import { decodeBody } from './negotiation.ts';
import type { RequestInfo } from './request-info.ts';
import { badRequest, methodNotAllowed } from './status.ts';

const reviewGroups: ReadonlySet<string> = new Set(['authentication.k8s.io', 'authorization.k8s.io']);

/** Answers the questions «who am I» and «may I». In local mode whoever has a token may do everything. */
export class Reviews {
  readonly #authenticator: Authenticator;

  constructor(authenticator: Authenticator) {
    this.#authenticator = authenticator;
  }

  /** @returns false when the path is no review's. @throws ApiError 400, 405 */
  async handle({ request, response }: Exchange, asked: RequestInfo, user: User): Promise<boolean> {
    if (!reviewGroups.has(asked.group) || asked.version !== 'v1' || asked.name !== '') return false;
    const answer = this.#answers[asked.plural];
    if (answer === undefined) return false;
    if (request.method !== 'POST') throw methodNotAllowed();
    const body = decodeBody(await readBody(request), request.headers['content-type']);
    if (!isRecord(body)) throw badRequest('the request body is not an object');
    const metadata = { ...record(body['metadata']), creationTimestamp: null };
    send(response, 201, plainJson, { ...body, metadata, status: answer(body, user) });
    return true;
  }

  readonly #answers: Readonly<Record<string, (body: JsonObject, user: User) => JsonObject>> = {
    selfsubjectreviews: (_body, user) => ({ userInfo: userInfo(user) }),
    tokenreviews: (body) => this.#reviewToken(body),
    selfsubjectaccessreviews: () => ({ allowed: true, reason: 'local mode allows everything to whoever has a token' }),
    subjectaccessreviews: () => ({ allowed: true, reason: 'local mode allows everything to whoever has a token' }),
    localsubjectaccessreviews: () => ({ allowed: true, reason: 'local mode allows everything to whoever has a token' }),
    selfsubjectrulesreviews: () => ({
      incomplete: false,
      resourceRules: [{ apiGroups: ['*'], resources: ['*'], verbs: ['*'] }],
      nonResourceRules: [{ nonResourceURLs: ['*'], verbs: ['*'] }],
    }),
  };

  #reviewToken(body: JsonObject): JsonObject {
    const token = text(at(body, 'spec', 'token'));
    const asked = items(at(body, 'spec', 'audiences')).map(text);
    const audiences = asked.length === 0 ? [apiAudience] : asked;
    const admin = this.#authenticator.authenticate(`Bearer ${token}`);
    const verified = this.#authenticator.verifyToken(token, audiences);
    if (verified !== null) return { authenticated: true, user: userInfo(verified.user), audiences: verified.audiences };
    if (admin !== null && audiences.includes(apiAudience))
      return { authenticated: true, user: userInfo(admin), audiences: [apiAudience] };
    return { authenticated: false, error: 'the token is not valid' };
  }
}

function userInfo({ username, uid, groups }: User): JsonObject {
  return { username, ...(uid === '' ? {} : { uid }), groups };
}
