/** STS and IAM over objects in memory, on a port of their own, and a caller that signs. */
import { generateKeyPairSync } from 'node:crypto';
import type { Server } from 'node:http';

import type { AccessKey } from '../auth/access-keys.ts';
import { makeAuthenticator, openDoor } from '../auth/authenticator.ts';
import { makeAuthorizer } from '../auth/authorizer.ts';
import { keysOf, sign, testKey } from '../auth/testing.ts';
import { BufferBudget } from '../http/buffer-budget.ts';
import { controlApp } from '../http/control-app.ts';
import { iamService } from '../iam/iam.ts';
import { passRole } from '../iam/pass-role.ts';
import { Roles } from '../iam/roles.ts';
import { Objects } from '../lambda-api/objects.ts';
import { FakeObjects } from '../lambda-api/testing.ts';
import { FunctionTokens } from '../sts/function-tokens.ts';
import { SessionKeys } from '../sts/session-keys.ts';
import { stsService } from '../sts/sts.ts';
import type { TokenOwner } from '../sts/web-identity.ts';
import { fetchOnce } from '../testing.ts';
import { makeQueryApi } from './query-api.ts';

/** Credentials to sign with. */
export type Signer = Pick<AccessKey, 'accessKeyId' | 'secretAccessKey'> & { readonly sessionToken?: string };

/** Bound to 111111111111, the namespace `team`. */
export const teamKey: AccessKey = { ...testKey, accessKeyId: 'AKTEAM', accounts: ['111111111111'], name: 'team' };
/** Has the rights of `jane` in the cluster. */
export const janeKey: AccessKey = {
  ...teamKey,
  accessKeyId: 'AKJANE',
  name: 'jane',
  identity: { user: 'jane', groups: ['system:authenticated'] },
};

/** What a request got. */
export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Of the first element of that name; null = none. */
  readonly text: (element: string) => string | null;
}

/** @param asksWho false = the mode in which nobody signs */
export async function startQueryServer(asksWho = true) {
  const kubernetes = new FakeObjects();
  const namespaces = new Map([
    ['000000000000', 'default'],
    ['111111111111', 'team'],
  ]);
  const directory = { namespaceOf: async (accountId: string) => namespaces.get(accountId) };
  /** `user verb resource/subresource namespace/name` of what the cluster lets people do. */
  const granted = new Set<string>();
  const tokens = new Map<string, TokenOwner>();
  const authorizer = makeAuthorizer({
    allows: async ({ user }, { verb, resource, subresource, namespace, name }) =>
      granted.has(`${user} ${verb} ${resource}/${subresource} ${namespace}/${name}`),
  });
  const objects = new Objects({ kubernetes, sleep: () => Promise.resolve(), random: () => 0 });
  const roles = new Roles({ objects, directory, authorizer });
  const keys = keysOf(testKey, teamKey, janeKey);
  const installKey = generateKeyPairSync('ed25519').privateKey;
  const sessions = new SessionKeys({ installKey, keys, now: Date.now });
  const functionTokens = new FunctionTokens({ installKey, now: Date.now });
  const budget = new BufferBudget(10_000_000);
  const region = 'us-east-1';
  const scopes = { sts: [region], iam: [region] };
  const queryApi = makeQueryApi({
    services: [
      stsService({
        roles,
        sessions,
        ownerOf: async (token) => tokens.get(token) ?? null,
        functionTokens,
        needsRoles: asksWho,
      }),
      iamService(roles),
    ],
    authenticator: asksWho ? makeAuthenticator({ keys, sessions, region, scopes, now: Date.now }) : openDoor,
    asksWho,
    budget,
    onRefused: () => undefined,
  });
  const app = controlApp({ admin: null, blobs: null, code: null, lambdaApi: null, queryApi, onError: () => undefined });
  const server: Server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const port = Number(Object(server.address()).port);
  const send = async (body: string, headers: Readonly<Record<string, string>>, path = '/'): Promise<Reply> =>
    replyOf(await fetchOnce(port, { method: 'POST', path, headers, body }));
  return {
    kubernetes,
    granted,
    tokens,
    functionTokens,
    budget,
    port,
    passRole: passRole(roles),
    /** A request that nobody has signed. */
    unsigned: (parameters: Readonly<Record<string, string>>) => send(formOf(parameters), form),
    call: async (
      service: 'sts' | 'iam',
      parameters: Readonly<Record<string, string>>,
      signer: Signer = testKey,
      scope = service as string,
    ): Promise<Reply> => {
      const body = formOf({ Version: versions[service], ...parameters });
      const key = { ...signer, accounts: null };
      const token = signer.sessionToken === undefined ? {} : { sessionToken: signer.sessionToken };
      const { headers } = await sign({ path: '/', service: scope, key, body, headers: form, ...token });
      return send(body, headers);
    },
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };
const versions = { sts: '2011-06-15', iam: '2010-05-08' };

function formOf(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}

function replyOf({ status, body }: { readonly status: number; readonly body: Buffer | string }): Reply {
  const xml = String(body);
  const text = (element: string): string | null =>
    new RegExp(`<${element}>([^<]*)</${element}>`).exec(xml)?.[1] ?? null;
  return { status, body: xml, text };
}
