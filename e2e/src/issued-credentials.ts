/** What STS answers with. */
export interface Issued {
  readonly Credentials: {
    readonly AccessKeyId: string;
    readonly SecretAccessKey: string;
    readonly SessionToken: string;
    readonly Expiration: string;
  };
}

/** The variables that have these credentials. */
export function variablesOf({ Credentials }: Issued): Readonly<Record<string, string>> {
  return {
    AWS_ACCESS_KEY_ID: Credentials.AccessKeyId,
    AWS_SECRET_ACCESS_KEY: Credentials.SecretAccessKey,
    AWS_SESSION_TOKEN: Credentials.SessionToken,
  };
}

/** The document of a role that this principal may assume. */
export const trust = (Principal: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] });
/** Of a function's role. */
export const lambdaTrust = trust({ Service: 'lambda.amazonaws.com' });
/** A function that answers with the credentials of its role, as SDKs get them with what they find in the environment. */
export const assuming = `import { readFileSync } from 'node:fs';
export const handler = async () => {
  const { AWS_ROLE_ARN, AWS_ROLE_SESSION_NAME, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_ENDPOINT_URL_STS } = process.env;
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: AWS_ROLE_ARN,
    RoleSessionName: AWS_ROLE_SESSION_NAME,
    WebIdentityToken: readFileSync(AWS_WEB_IDENTITY_TOKEN_FILE, 'utf8'),
  });
  const answer = await (await fetch(AWS_ENDPOINT_URL_STS, { method: 'POST', body })).text();
  const text = (name) => new RegExp('<' + name + '>([^<]*)<').exec(answer)?.[1];
  return Object.fromEntries(['AccessKeyId', 'SecretAccessKey', 'SessionToken', 'Code'].map((name) => [name, text(name)]));
};`;
