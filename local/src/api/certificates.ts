import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomically } from './files.ts';

/** What the TLS listener and the kubeconfig need, all PEM. */
export interface Pki {
  readonly caCertificate: string;
  readonly serverCertificate: string;
  readonly serverKey: string;
}

/** A certificate that ends sooner than this is made anew at start. */
const renewBeforeMs = 30 * 24 * 3600 * 1000;

/**
 * The server's keys and certificates in `directory`, made or renewed as needed. A new CA makes a new server
 * certificate.
 * @param nowMs epoch milliseconds
 */
export async function loadPki(directory: string, nowMs: number): Promise<Pki> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const path = (name: string): string => join(directory, name);
  const read = (name: string): string => readFileSync(path(name), 'utf8');
  const hasCa = isUsable(path('ca.crt'), path('ca.key'), nowMs);
  const hasServer =
    hasCa && isUsable(path('server.crt'), path('server.key'), nowMs) && isSignedBy(read('server.crt'), read('ca.crt'));
  if (!hasServer) {
    const { makeCa, makeServer } = await import('./certificate-maker.ts'); // large, and needed once a year
    if (!hasCa) {
      const ca = await makeCa(nowMs);
      writeFileAtomically(path('ca.key'), ca.key);
      writeFileAtomically(path('ca.crt'), ca.certificate);
    }
    const server = await makeServer(read('ca.crt'), read('ca.key'), nowMs);
    writeFileAtomically(path('server.key'), server.key);
    writeFileAtomically(path('server.crt'), server.certificate);
  }
  return { caCertificate: read('ca.crt'), serverCertificate: read('server.crt'), serverKey: read('server.key') };
}

function isUsable(certificatePath: string, keyPath: string, nowMs: number): boolean {
  if (!existsSync(certificatePath) || !existsSync(keyPath)) return false;
  try {
    const { validFrom, validTo } = new X509Certificate(readFileSync(certificatePath));
    return Date.parse(validFrom) <= nowMs && Date.parse(validTo) - nowMs > renewBeforeMs;
  } catch {
    return false; // a damaged file is replaced
  }
}

function isSignedBy(certificate: string, ca: string): boolean {
  return new X509Certificate(certificate).verify(new X509Certificate(ca).publicKey);
}
