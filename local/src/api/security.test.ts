import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Authenticator, apiAudience } from './auth.ts';
import { loadPki } from './certificates.ts';
import { startMs } from './testing.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'kappa-pki-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const yearMs = 365 * 24 * 3600 * 1000;

describe('certificates', () => {
  test('the server certificate is for the loopback address, signed by the CA, and kept', async () => {
    const pki = await loadPki(directory, startMs);
    const [ca, server] = [new X509Certificate(pki.caCertificate), new X509Certificate(pki.serverCertificate)];
    expect([ca.ca, server.ca, server.verify(ca.publicKey), server.checkIP('127.0.0.1')]).toEqual([
      true,
      false,
      true,
      '127.0.0.1',
    ]);
    expect(server.checkPrivateKey(createPrivateKey(pki.serverKey))).toBe(true);
    expect(await loadPki(directory, startMs)).toEqual(pki);
    expect(statSync(join(directory, 'ca.key')).mode & 0o777).toBe(0o600);
  });

  test('a certificate near its end is renewed under the same CA', async () => {
    const before = await loadPki(directory, startMs);
    const after = await loadPki(directory, startMs + yearMs - 24 * 3600 * 1000);
    expect(after.caCertificate).toBe(before.caCertificate);
    expect(after.serverCertificate).not.toBe(before.serverCertificate);
  });

  test('a damaged CA is replaced, and with it the server certificate', async () => {
    const before = await loadPki(directory, startMs);
    writeFileSync(join(directory, 'ca.crt'), 'nonsense');
    const after = await loadPki(directory, startMs);
    expect(
      new X509Certificate(after.serverCertificate).verify(new X509Certificate(after.caCertificate).publicKey),
    ).toBe(true);
    expect(after.caCertificate).not.toBe(before.caCertificate);
  });
});

describe('tokens', () => {
  const claims = {
    namespace: 'n',
    serviceAccount: 'bob',
    serviceAccountUid: 'u',
    audiences: [apiAudience],
    expirationSeconds: 600,
  };
  let nowMs = startMs;
  let uid = 'u';
  const make = () =>
    new Authenticator(
      directory,
      () => nowMs,
      (_namespace, _name, asked) => asked === uid,
    );
  beforeEach(() => {
    nowMs = startMs;
    uid = 'u';
  });

  test('the administrator is known by the token that survives a restart', () => {
    const { adminToken } = make();
    expect(make().authenticate(`Bearer ${adminToken}`)?.groups).toContain('system:masters');
    expect(readFileSync(join(directory, 'token'), 'utf8')).toBe(adminToken);
  });

  test.each<[reason: string, header: string | undefined]>([
    ['nothing', undefined],
    ['another scheme', 'Basic abc'],
    ['a wrong token', 'Bearer wrong'],
    ['a token of three wrong parts', 'Bearer a.b.c'],
  ])('%s is nobody', (_reason, header) => {
    expect(make().authenticate(header)).toBeNull();
  });

  test('a service account is known by its token, until that ends or the account goes', () => {
    const authenticator = make();
    const { token, expiresAtMs } = authenticator.issueToken(claims);
    expect(make().authenticate(`Bearer ${token}`)).toMatchObject({ username: 'system:serviceaccount:n:bob', uid: 'u' });
    uid = 'another';
    expect(authenticator.authenticate(`Bearer ${token}`)).toBeNull();
    uid = 'u';
    nowMs = expiresAtMs;
    expect(authenticator.authenticate(`Bearer ${token}`)).toBeNull();
  });

  test('a token for another audience opens nothing here', () => {
    const authenticator = make();
    const { token } = authenticator.issueToken({ ...claims, audiences: ['vault'] });
    expect(authenticator.authenticate(`Bearer ${token}`)).toBeNull();
    expect(authenticator.verifyToken(token, ['vault'])?.audiences).toEqual(['vault']);
  });

  test('a changed payload is refused', () => {
    const authenticator = make();
    const [head = '', payload = '', signature = ''] = authenticator.issueToken(claims).token.split('.');
    const forged = Buffer.from(Buffer.from(payload, 'base64url').toString().replace('bob', 'eve')).toString(
      'base64url',
    );
    expect(authenticator.authenticate(`Bearer ${head}.${forged}.${signature}`)).toBeNull();
  });
});
