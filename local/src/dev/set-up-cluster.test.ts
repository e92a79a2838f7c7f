import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { makeFolder } from '../node/testing.ts';
import { ensureKey } from './set-up-cluster.ts';

test('the key is made once, private to its owner, and its public half checks what it signs', () => {
  const folder = makeFolder();
  const file = join(folder.path, 'state/gateway.key');
  try {
    const publicKey = ensureKey(file);
    expect(ensureKey(file)).toBe(publicKey);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const text = Buffer.from('nonce');
    const signature = sign(null, text, createPrivateKey(readFileSync(file)));
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    expect(verify(null, text, key, signature)).toBe(true);
  } finally {
    folder.remove();
  }
});
