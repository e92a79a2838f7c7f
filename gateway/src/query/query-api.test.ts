import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';

import { sign } from '../auth/testing.ts';
import { fetchOnce } from '../testing.ts';
import { janeKey, type Signer, startQueryServer, teamKey } from './testing.ts';

type Server = Awaited<ReturnType<typeof startQueryServer>>;
let server: Server;
beforeEach(async () => {
  server = await startQueryServer();
});
afterEach(async () => {
  await server.stop();
  expect(server.budget.usedBytes).toBe(0);
});

const trust = (Principal: object) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal, Action: 'sts:AssumeRole' }] });
const lambdaTrust = trust({ Service: 'lambda.amazonaws.com' });
const makeRole = (name: string, document = lambdaTrust, signer: Signer = teamKey, more = {}) =>
  server.call('iam', { Action: 'CreateRole', RoleName: name, AssumeRolePolicyDocument: document, ...more }, signer);
const roleArn = (name: string) => `arn:aws:iam::111111111111:role/${name}`;

describe('who calls', () => {
  test('a key’s holder is the user with the name of its Secret', async () => {
    const reply = await server.call('sts', { Action: 'GetCallerIdentity' }, teamKey);
    expect(reply.status).toBe(200);
    expect(reply.body).toMatch(
      /^<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><GetCallerIdentityResult><Arn>arn:aws:iam::111111111111:user\/team<\/Arn><UserId>AIDA[A-Z2-7]{17}<\/UserId><Account>111111111111<\/Account><\/GetCallerIdentityResult><ResponseMetadata><RequestId>[\w-]{36}<\/RequestId><\/ResponseMetadata><\/GetCallerIdentityResponse>$/,
    );
  });

  test('a presigned link tells it, too, as clusters use it for logins', async () => {
    const query = { Action: 'GetCallerIdentity', Version: '2011-06-15' };
    const toSign = { method: 'GET', path: '/', query, service: 'sts', key: teamKey, expiresIn: 60 };
    const { target, headers } = await sign(toSign);
    const reply = await fetchOnce(server.port, { path: target, headers });
    expect(reply.status).toBe(200);
    expect(String(reply.body)).toContain('user/team');
  });

  test.each<[string, () => ReturnType<Server['call']>, number, string]>([
    [
      'nobody',
      () => server.unsigned({ Action: 'GetCallerIdentity', Version: '2011-06-15' }),
      403,
      'MissingAuthenticationToken',
    ],
    [
      'an unknown key',
      () => server.call('sts', { Action: 'GetCallerIdentity' }, { ...teamKey, accessKeyId: 'NOBODY' }),
      403,
      'InvalidClientTokenId',
    ],
    [
      'a wrong secret',
      () => server.call('sts', { Action: 'GetCallerIdentity' }, { ...teamKey, secretAccessKey: 'wrong' }),
      403,
      'SignatureDoesNotMatch',
    ],
    ['another service', () => server.call('sts', { Action: 'X' }, teamKey, 'lambda'), 403, 'SignatureDoesNotMatch'],
    [
      'the other service',
      () => server.call('iam', { Action: 'GetRole' }, teamKey, 'sts'),
      403,
      'SignatureDoesNotMatch',
    ],
    ['an unknown action', () => server.call('sts', { Action: 'GetFederationToken' }), 400, 'InvalidAction'],
    ['no action', () => server.call('sts', {}), 400, 'ValidationError'],
    [
      'another version',
      () => server.call('sts', { Action: 'AssumeRole', Version: '2000-01-01' }),
      400,
      'InvalidAction',
    ],
  ])('%s is refused', async (_what, send, status, code) => {
    const reply = await send();
    expect([reply.status, reply.text('Code'), reply.text('Type')]).toEqual([status, code, 'Sender']);
  });
});

describe('roles are ServiceAccounts', () => {
  test('made, read, listed, tagged and removed', async () => {
    const made = await makeRole('My_Role', lambdaTrust, teamKey, {
      Path: '/app/',
      Description: 'a <b> & c',
      'Tags.member.1.Key': 'team',
      'Tags.member.1.Value': 'a',
    });
    expect([made.status, made.text('Arn'), made.text('Description')]).toEqual([
      200,
      'arn:aws:iam::111111111111:role/app/My_Role',
      'a &lt;b&gt; &amp; c',
    ]);
    expect(decodeURIComponent(made.text('AssumeRolePolicyDocument') ?? '')).toBe(lambdaTrust);
    expect((await makeRole('My_Role')).text('Code')).toBe('EntityAlreadyExists');
    const get = () => server.call('iam', { Action: 'GetRole', RoleName: 'My_Role' }, teamKey);
    expect((await get()).text('RoleId')).toMatch(/^AROA[A-Z2-7]{17}$/);
    const tags = { 'Tags.member.1.Key': 'stage', 'Tags.member.1.Value': 'test' };
    await server.call('iam', { Action: 'TagRole', RoleName: 'My_Role', ...tags }, teamKey);
    await server.call('iam', { Action: 'UntagRole', RoleName: 'My_Role', 'TagKeys.member.1': 'team' }, teamKey);
    const listed = await server.call('iam', { Action: 'ListRoleTags', RoleName: 'My_Role' }, teamKey);
    expect(listed.body).toContain('<Tags><member><Key>stage</Key><Value>test</Value></member></Tags>');
    expect((await server.call('iam', { Action: 'ListRoles' }, teamKey)).text('RoleName')).toBe('My_Role');
    const gone = await server.call('iam', { Action: 'DeleteRole', RoleName: 'My_Role' }, teamKey);
    expect(gone.body).toMatch(/^<DeleteRoleResponse xmlns="[^"]*"><ResponseMetadata>/);
    expect([(await get()).status, (await get()).text('Code')]).toEqual([404, 'NoSuchEntity']);
  });

  test('policies are kept, and a role goes only without them', async () => {
    await makeRole('r');
    const ask = (Action: string, more: Record<string, string> = {}) =>
      server.call('iam', { Action, RoleName: 'r', ...more }, teamKey);
    await ask('PutRolePolicy', { PolicyName: 'inline', PolicyDocument: lambdaTrust });
    const arn = 'arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole';
    await ask('AttachRolePolicy', { PolicyArn: arn });
    expect((await ask('ListRolePolicies')).body).toContain('<PolicyNames><member>inline</member></PolicyNames>');
    const read = await ask('GetRolePolicy', { PolicyName: 'inline' });
    expect(decodeURIComponent(read.text('PolicyDocument') ?? '')).toBe(lambdaTrust);
    expect((await ask('ListAttachedRolePolicies')).text('PolicyName')).toBe('AWSLambdaBasicExecutionRole');
    expect((await ask('DeleteRole')).text('Code')).toBe('DeleteConflict');
    await ask('DeleteRolePolicy', { PolicyName: 'inline' });
    expect((await ask('DeleteRole')).text('Message')).toMatch(/detach all policies/);
    await ask('DetachRolePolicy', { PolicyArn: arn });
    expect((await ask('DetachRolePolicy', { PolicyArn: arn })).text('Code')).toBe('NoSuchEntity');
    expect((await ask('ListInstanceProfilesForRole')).body).toContain('<InstanceProfiles></InstanceProfiles>');
    expect((await ask('UpdateAssumeRolePolicy', { PolicyDocument: '{' })).text('Code')).toBe('MalformedPolicyDocument');
    expect((await ask('DeleteRole')).status).toBe(200);
  });

  test('one that kubectl made is read, and left as it is', async () => {
    server.kubernetes.set('serviceaccounts', 'team', 'deployer', { metadata: { labels: {}, annotations: {} } });
    const read = await server.call('iam', { Action: 'GetRole', RoleName: 'deployer' }, teamKey);
    expect(read.text('Arn')).toBe(roleArn('deployer'));
    for (const Action of ['DeleteRole', 'UntagRole']) {
      const refused = await server.call('iam', { Action, RoleName: 'deployer' }, teamKey);
      expect([refused.status, refused.text('Code')]).toEqual([400, 'UnmodifiableEntity']);
    }
  });

  test('an annotation that somebody has spoilt is no role’s record', async () => {
    const annotations = { 'kappa.dev/role': '{"name":"admin","policies":7,"tags":{"a":1},"trustPolicy":[]}' };
    server.kubernetes.set('serviceaccounts', 'team', 'odd', { metadata: { labels: {}, annotations } });
    const read = await server.call('iam', { Action: 'GetRole', RoleName: 'odd' }, teamKey);
    expect([read.status, read.text('RoleName')]).toEqual([200, 'odd']);
  });

  test('who is somebody in the cluster needs its rights there', async () => {
    const refused = await makeRole('r', lambdaTrust, janeKey);
    expect([refused.status, refused.text('Code'), refused.text('Message')]).toEqual([
      403,
      'AccessDenied',
      `User: arn:aws:iam::111111111111:user/jane is not authorized to perform: iam:CreateRole on resource: ${roleArn('r')} because no identity-based policy allows the iam:CreateRole action`,
    ]);
    server.granted.add('jane create serviceaccounts/ team/');
    expect((await makeRole('r', lambdaTrust, janeKey)).status).toBe(200);
    expect((await server.call('iam', { Action: 'GetRole', RoleName: 'r' }, janeKey)).status).toBe(403);
    server.granted.add('jane get serviceaccounts/ team/r');
    expect((await server.call('iam', { Action: 'GetRole', RoleName: 'r' }, janeKey)).status).toBe(200);
  });

  test.each([
    ['no name', {}],
    ['a bad name', { RoleName: 'a/b' }],
    ['a long name', { RoleName: 'a'.repeat(65) }],
  ])('%s is a ValidationError', async (_what, parameters) => {
    const reply = await server.call('iam', { Action: 'GetRole', ...parameters }, teamKey);
    expect([reply.status, reply.text('Code')]).toEqual([400, 'ValidationError']);
  });
});

/** The credentials that an answer has. */
function credentialsOf(reply: Awaited<ReturnType<Server['call']>>): Signer {
  expect(reply.status).toBe(200);
  return {
    accessKeyId: reply.text('AccessKeyId') ?? '',
    secretAccessKey: reply.text('SecretAccessKey') ?? '',
    sessionToken: reply.text('SessionToken') ?? '',
  };
}

describe('credentials that end', () => {
  const assume = (name: string, signer: Signer, more = {}) =>
    server.call('sts', { Action: 'AssumeRole', RoleArn: roleArn(name), RoleSessionName: 's1', ...more }, signer);

  test('GetSessionToken: the same caller, for a while', async () => {
    const session = credentialsOf(await server.call('sts', { Action: 'GetSessionToken' }, teamKey));
    const reply = await server.call('sts', { Action: 'GetCallerIdentity' }, session);
    expect(reply.text('Arn')).toBe('arn:aws:iam::111111111111:user/team');
    expect((await server.call('sts', { Action: 'GetSessionToken' }, session)).text('Code')).toBe('AccessDenied');
  });

  test('AssumeRole: the role, whose trust policy says who may', async () => {
    await makeRole('dev', trust({ AWS: 'arn:aws:iam::111111111111:root' }));
    const session = credentialsOf(await assume('dev', teamKey, { DurationSeconds: '900' }));
    const reply = await server.call('sts', { Action: 'GetCallerIdentity' }, session);
    expect(reply.text('Arn')).toBe('arn:aws:sts::111111111111:assumed-role/dev/s1');
    expect(reply.text('UserId')).toMatch(/^AROA[A-Z2-7]{17}:s1$/);
    await makeRole('fn');
    expect((await assume('fn', teamKey)).text('Code')).toBe('AccessDenied');
    expect((await assume('nobody', teamKey)).text('Code')).toBe('AccessDenied');
  });

  test('who is somebody in the cluster must be allowed to get the ServiceAccount’s tokens', async () => {
    server.kubernetes.set('serviceaccounts', 'team', 'deployer', { metadata: { labels: {}, annotations: {} } });
    expect((await assume('deployer', janeKey)).text('Code')).toBe('AccessDenied');
    server.granted.add('jane create serviceaccounts/token team/deployer');
    credentialsOf(await assume('deployer', janeKey));
  });

  test.each<[string, Record<string, string>]>([
    ['less than 15 minutes', { DurationSeconds: '899' }],
    ['more than the role lets', { DurationSeconds: '3601' }],
    ['no number', { DurationSeconds: '1e3' }],
    ['no ARN', { RoleArn: 'dev' }],
    ['a bad session name', { RoleSessionName: 'a b' }],
    ['a policy that would narrow it', { Policy: '{}' }],
    ['policies that would narrow it', { 'PolicyArns.member.1.arn': 'arn:aws:iam::aws:policy/ReadOnlyAccess' }],
  ])('AssumeRole: %s is a ValidationError', async (_what, more) => {
    await makeRole('dev', trust({ AWS: '*' }));
    const reply = await assume('dev', teamKey, more);
    expect([reply.status, reply.text('Code')]).toEqual([400, 'ValidationError']);
  });

  test('AssumeRoleWithWebIdentity: nobody signs, the ServiceAccount’s own token says who it is', async () => {
    server.kubernetes.set('serviceaccounts', 'team', 'deployer', { metadata: { labels: {}, annotations: {} } });
    const { metadata } = await server.kubernetes.get(
      { group: '', version: 'v1', kind: '', plural: 'serviceaccounts', isNamespaced: true, parse: Object },
      'team',
      'deployer',
    );
    const owner = {
      namespace: 'team',
      name: 'deployer',
      uid: metadata.uid,
      subject: 'system:serviceaccount:team:deployer',
    };
    server.tokens.set('right', owner);
    server.tokens.set('earlier', { ...owner, uid: 'another' });
    server.tokens.set('other', { ...owner, name: 'other' });
    const ask = (WebIdentityToken: string) =>
      server.unsigned({
        Action: 'AssumeRoleWithWebIdentity',
        Version: '2011-06-15',
        RoleArn: roleArn('deployer'),
        RoleSessionName: 's1',
        WebIdentityToken,
      });
    const session = credentialsOf(await ask('right'));
    const reply = await server.call('sts', { Action: 'GetCallerIdentity' }, session);
    expect(reply.text('Arn')).toBe('arn:aws:sts::111111111111:assumed-role/deployer/s1');
    expect((await ask('wrong')).text('Code')).toBe('InvalidIdentityToken');
    expect((await ask('earlier')).text('Code')).toBe('AccessDenied');
    expect((await ask('other')).text('Code')).toBe('AccessDenied');
  });
});

describe('a function’s role', () => {
  const ask = (name: string, WebIdentityToken: string) =>
    server.unsigned({
      ...{ Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15', RoleSessionName: 'fn', WebIdentityToken },
      RoleArn: roleArn(name),
    });
  const tokenOf = (roleName: string) =>
    server.functionTokens.tokensOf({ accountId: '111111111111', roleName, subject: 'arn:f' })();

  test('is its code’s by the token that it was given, as long as the role is there', async () => {
    await makeRole('fn');
    const session = credentialsOf(await ask('fn', tokenOf('fn')));
    const reply = await server.call('sts', { Action: 'GetCallerIdentity' }, session);
    expect(reply.text('Arn')).toBe('arn:aws:sts::111111111111:assumed-role/fn/fn');
    expect((await ask('other', tokenOf('fn'))).text('Code')).toBe('AccessDenied');
    expect((await ask('gone', tokenOf('gone'))).text('Code')).toBe('AccessDenied');
  });

  test('need not be there where nobody is asked who he is', async () => {
    await server.stop();
    server = await startQueryServer(false);
    credentialsOf(await ask('any', tokenOf('any')));
  });

  const refusal = /cannot be assumed by Lambda/;
  const caller = { accessKeyId: 'A', accounts: ['111111111111'] };

  test('must be there, trust Lambda and be of the function’s account', async () => {
    await makeRole('fn');
    await makeRole('dev', trust({ AWS: '*' }));
    await server.passRole(caller, '111111111111', roleArn('fn'));
    for (const name of ['dev', 'nobody']) {
      const asked = server.passRole(caller, '111111111111', roleArn(name));
      await expect(asked).rejects.toMatchObject({
        code: 'InvalidParameterValueException',
        message: expect.stringMatching(refusal),
      });
    }
    await expect(server.passRole(caller, '000000000000', roleArn('fn'))).rejects.toMatchObject({
      code: 'AccessDeniedException',
      message: 'Cross-account pass role is not allowed.',
    });
  });

  test('needs the right to let something run as it', async () => {
    await makeRole('fn');
    const jane = { ...caller, keyName: 'jane', identity: { user: 'jane', groups: [] } };
    await expect(server.passRole(jane, '111111111111', roleArn('fn'))).rejects.toThrow(/iam:PassRole on resource/);
    server.granted.add('jane impersonate serviceaccounts/ team/fn');
    await server.passRole(jane, '111111111111', roleArn('fn'));
  });
});

test('where nobody is asked, everybody is the default account’s root, signed or not', async () => {
  await server.stop();
  server = await startQueryServer(false);
  const reply = await server.unsigned({ Action: 'GetCallerIdentity', Version: '2011-06-15' });
  expect(reply.text('Arn')).toBe('arn:aws:iam::000000000000:root');
  expect((await server.call('sts', { Action: 'GetCallerIdentity' }, { ...teamKey, accessKeyId: 'any' })).status).toBe(
    200,
  );
  const about = await fetchOnce(server.port, { path: '/' });
  expect(String(about.body)).toContain('STS and IAM');
});
