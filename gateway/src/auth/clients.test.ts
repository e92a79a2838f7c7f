import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { makeAuthenticator } from './authenticator.ts';
import type { RequestHead } from './canonical-request.ts';
import { keysOf, rawHeadersOf, startDoor, testKey } from './testing.ts';

type Door = Awaited<ReturnType<typeof startDoor>>;
let door: Door;

beforeEach(async () => {
  const keys = keysOf(testKey, { ...testKey, accessKeyId: 'AKBOUND', accounts: ['111111111111'] });
  door = await startDoor(makeAuthenticator({ keys, region: 'us-east-1', now: Date.now }));
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
    const client = new LambdaClient({
      endpoint: door.endpoint,
      region: 'us-east-1',
      systemClockOffset: -3_600_000,
      credentials: { accessKeyId: testKey.accessKeyId, secretAccessKey: testKey.secretAccessKey },
    });
    const answer = await client.send(new InvokeCommand({ FunctionName: 'f' }));
    expect(answer.$metadata).toMatchObject({ httpStatusCode: 200, attempts: 2 });
    client.destroy();
  });
});

/** One request of {@link recorded}. Sent with `Host`, the other headers, `X-Amz-Date` and `Authorization`; all but the last are signed. */
interface Recorded {
  /** Method and target. */
  readonly line: string;
  /** hhmmss, on 2026-11-21. */
  readonly time: string;
  readonly signature: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/*
 * Recorded from the AWS CLI 1.46 and botocore 1.44. They sign other headers than the SDK for JavaScript, send no
 * x-amz-content-sha256, and take the query from the URL as it is.
 */
const recorded: readonly Recorded[] = [
  {
    line: 'POST /2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Amy-f/invocations?Qualifier=%24LATEST',
    time: '231153',
    signature: '91df987cd82c51e11ca421828c1958882b185efea46e6fafe4b9dc3dcf547544',
    headers: { 'X-Amz-Log-Type': 'Tail' },
    body: '{"a": "x y +"}',
  },
  {
    line: 'POST /2015-03-31/functions/hello%3Aprod/invocations',
    time: '231155',
    signature: '08a797f6e867d683cfcc6bc0b4d50c04788768cb0d830f2e5be860c1710a2d28',
    headers: { 'X-Amz-Client-Context': 'e30=' },
  },
  {
    line: 'GET /2015-03-31/functions?MaxItems=5',
    time: '231157',
    signature: 'fcd4f2e38ab4be28ba256363d39321096d56d3312b5166f80555ee68a597d4f5',
  },
  {
    line: 'GET /2017-03-31/tags/arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af',
    time: '231159',
    signature: '9a9d86158ec91228d0fcc550df6c0a31ad524787bd046f84deb3106ddb40dd67',
  },
  {
    line: 'GET /fn/team/f/a%20b/c',
    time: '231207',
    signature: 'f722b99aeeaf354d0bab0065794749e4483f874cf68d0864bbce20659edac5c8',
  },
  {
    line: 'GET /fn/team/f/a?x=1&x=0&y=&z=a%20b%2Fc~',
    time: '231207',
    signature: 'a7875c11d2d68089d11091b32b63b54df43dfba98bd0fd293cbd2ed0cf12aa38',
  },
  {
    line: 'PUT /fn/team/f//a/./b/',
    time: '231207',
    signature: '270a308d32ffca5b2aac8111c18411ae08a30be53f4a3d23231324b168dfb834',
    headers: { 'Content-Type': 'text/plain', 'X-Amz-Meta': 'a   b' },
    body: 'hello',
  },
  {
    line: 'GET /',
    time: '231207',
    signature: 'f4dcbe67aefcb3fb53606eef48384830756e695b6b1e14b7b7b35e3c1c307871',
  },
];

function headOf({ line, time, signature, headers = {} }: Recorded): RequestHead {
  const [method = '', target = ''] = line.split(' ');
  const signed = { Host: '127.0.0.1:18123', ...headers, 'X-Amz-Date': `20261121T${time}Z` };
  const names = Object.keys(signed).map((name) => name.toLowerCase());
  const scope = 'AKKAPPATEST/20261121/us-east-1/lambda/aws4_request';
  const fields = `Credential=${scope}, SignedHeaders=${names.sort().join(';')}, Signature=${signature}`;
  return { method, target, rawHeaders: rawHeadersOf({ ...signed, Authorization: `AWS4-HMAC-SHA256 ${fields}` }) };
}

describe('the AWS CLI and botocore are let in', () => {
  const authenticator = makeAuthenticator({
    keys: keysOf(testKey),
    region: 'us-east-1',
    now: () => Date.UTC(2026, 10, 21, 23, 12),
  });

  test.each(recorded)('$line', (request) => {
    const [head, body = ''] = [headOf(request), request.body];
    const claim = authenticator.begin(head);
    if (body !== '') claim.push(Buffer.from(body));
    expect(claim.declaredSha256).toBeNull();
    expect(claim.confirm().accessKeyId).toBe('AKKAPPATEST');
    const tampered = authenticator.begin(head);
    tampered.push(Buffer.from(`${body} `));
    expect(() => tampered.confirm()).toThrow(expect.objectContaining({ code: 'InvalidSignatureException' }));
  });
});
