import { InvokeCommand, LambdaClient, ListFunctionsCommand } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeAuthenticator } from './authenticator.ts';
import { keysOf, startDoor, testKey } from './testing.ts';

type Door = Awaited<ReturnType<typeof startDoor>>;
let door: Door;
let clockMs: () => number;

beforeEach(async () => {
  clockMs = Date.now;
  const keys = keysOf(testKey, { ...testKey, accessKeyId: 'AKBOUND', accounts: ['111111111111'] });
  door = await startDoor(makeAuthenticator({ keys, region: 'us-east-1', now: () => clockMs() }));
});
afterEach(() => door.close());

async function invoke(changes: { id?: string; secret?: string; region?: string; token?: string; name?: string } = {}) {
  const client = new LambdaClient({
    endpoint: door.endpoint,
    region: changes.region ?? 'us-east-1',
    maxAttempts: 1,
    credentials: {
      accessKeyId: changes.id ?? testKey.accessKeyId,
      secretAccessKey: changes.secret ?? testKey.secretAccessKey,
      ...(changes.token === undefined ? {} : { sessionToken: changes.token }),
    },
  });
  try {
    const answer = await client.send(
      new InvokeCommand({
        FunctionName: changes.name ?? 'arn:aws:lambda:us-east-1:123456789012:function:f',
        Qualifier: '$LATEST',
        LogType: 'Tail',
        ClientContext: 'e30=',
        Payload: Buffer.from('{"a":"é"}'),
      }),
    );
    return Buffer.from(answer.Payload ?? []).toString();
  } finally {
    client.destroy();
  }
}

describe('the AWS SDK for JavaScript', () => {
  test('is let in', async () => {
    expect(await invoke()).toBe('{"key":"AKKAPPATEST"}');
  });

  test.each([
    ['an unknown key', { id: 'NOBODY' }, 'UnrecognizedClientException'],
    ['a wrong secret', { secret: 'wrong' }, 'InvalidSignatureException'],
    ['another region', { region: 'eu-west-1' }, 'InvalidSignatureException'],
    ['session credentials', { token: 'token' }, 'UnrecognizedClientException'],
    ['a key bound to other accounts', { id: 'AKBOUND' }, 'AccessDeniedException'],
  ])('hears of %s', async (_what, changes, name) => {
    await expect(invoke(changes)).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 403 } });
  });

  test('with a wrong clock corrects itself by the answer’s Date', async () => {
    // The server's clock says otherwise than the client's; the SDK must learn that from the refusal.
    clockMs = () => Date.now() + 3_600_000;
    const client = new LambdaClient({
      endpoint: door.endpoint,
      region: 'us-east-1',
      maxAttempts: 1,
      credentials: { accessKeyId: testKey.accessKeyId, secretAccessKey: testKey.secretAccessKey },
    });
    await expect(client.send(new ListFunctionsCommand({}))).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringContaining('Signature expired'),
    });
    client.destroy();
  });
});

/*
 * Recorded from botocore 1.43 (`SigV4Auth`, service lambda): what its clients send for these calls. It signs other headers than the
 * SDK for JavaScript, has no x-amz-content-sha256, and takes the query from the URL as it is.
 */
