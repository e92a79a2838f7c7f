import { LambdaClient } from '@aws-sdk/client-lambda';
import { expect, test } from '@jest/globals';
import { signedInvoke } from './signed-invoke.ts';

test('the request is what the SDK would send, and nothing is sent', async () => {
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
  const client = new LambdaClient({ endpoint: 'http://10.0.0.1:9000', region: 'us-east-1', credentials });
  const { url, headers } = await signedInvoke(client, 'hello', '{"a":1}');
  client.destroy();
  expect(url).toBe('http://10.0.0.1:9000/2015-03-31/functions/hello/invocations');
  expect(headers['authorization']).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\//);
  expect(headers['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
});
