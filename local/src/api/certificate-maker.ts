import 'reflect-metadata/lite';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const dayMs = 24 * 3600 * 1000;
const caLifeMs = 3650 * dayMs;
const serverLifeMs = 365 * dayMs;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** A new certificate and its key, PEM. */
export interface Made {
  readonly certificate: string;
  readonly key: string;
}

/** A new CA of our own, good for ten years. @param nowMs epoch milliseconds */
export async function makeCa(nowMs: number): Promise<Made> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: `CN=kappa-local-ca-${randomBytes(4).toString('hex')}`,
      notBefore: new Date(nowMs - 3600_000),
      notAfter: new Date(nowMs + caLifeMs),
      signingAlgorithm: algorithm,
      keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

/** A certificate for 127.0.0.1 and localhost, signed by the CA, good for a year. @param nowMs epoch milliseconds */
export async function makeServer(caPem: string, caKeyPem: string, nowMs: number): Promise<Made> {
  const ca = new x509.X509Certificate(caPem);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', pemBytes(caKeyPem), algorithm, false, ['sign']);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: 'CN=kappa-local-api',
      issuer: ca.subject,
      notBefore: new Date(nowMs - 3600_000),
      notAfter: new Date(Math.min(nowMs + serverLifeMs, ca.notAfter.getTime())),
      signingAlgorithm: algorithm,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'ip', value: '127.0.0.1' },
          { type: 'dns', value: 'localhost' },
          { type: 'dns', value: 'kubernetes.default.svc' },
        ]),
        await x509.AuthorityKeyIdentifierExtension.create(ca, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate: `${certificate.toString('pem')}\n`, key: await privateKeyPem(keys.privateKey) };
}

/** 16 random bytes, first bit clear so that the number is positive, first byte not zero. */
function serialNumber(): string {
  const bytes = randomBytes(16);
  bytes[0] = (randomBytes(1).readUInt8(0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}

async function privateKeyPem(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = await webcrypto.subtle.exportKey('pkcs8', key);
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join('\n')}\n-----END PRIVATE KEY-----\n`;
}

function pemBytes(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}
