import type { ConnectionOptions, SASLOptions } from '@platformatic/kafka';

import type { MappingView } from '../mapping/mapping-view.ts';
import type { OpenDeps } from '../source.ts';
import { SourceProblem } from '../source-problem.ts';

type Secret = Readonly<Record<string, string>>;

/** How a mapping gets into its cluster. Holds secrets: never to be logged. */
export type Access = Pick<ConnectionOptions, 'sasl' | 'tls'>;

const mechanisms: Readonly<Record<string, SASLOptions['mechanism']>> = {
  BASIC_AUTH: 'PLAIN',
  SASL_SCRAM_256_AUTH: 'SCRAM-SHA-256',
  SASL_SCRAM_512_AUTH: 'SCRAM-SHA-512',
};
/** Kept, without a meaning here: networks are Kubernetes' business. */
const ignored: ReadonlySet<string> = new Set(['VPC_SUBNET', 'VPC_SECURITY_GROUP']);

/**
 * Reads the mapping's Secrets. As on Lambda whoever logs in does so over TLS; a cluster that has passwords without TLS is asked for by
 * `security.protocol: SASL_PLAINTEXT`, Kafka's own name for it, in the Secret of the user.
 *
 * | type | members of the Secret |
 * | --- | --- |
 * | BASIC_AUTH, SASL_SCRAM_256_AUTH, SASL_SCRAM_512_AUTH | `username`, `password`, may have `ca.crt`, `security.protocol` |
 * | CLIENT_CERTIFICATE_TLS_AUTH | `tls.crt`, `tls.key` (Lambda's `certificate`, `privateKey`, `privateKeyPassword`) |
 * | SERVER_ROOT_CA_CERTIFICATE | `ca.crt` (Lambda's `certificate`) |
 *
 * @throws SourceProblem `CredentialsMissing`, or `InvalidSource` for a way in that there is none
 */
export async function accessOf(mapping: Pick<MappingView, 'source'>, deps: Pick<OpenDeps, 'secret'>): Promise<Access> {
  let access: Access = {};
  for (const { type, uri = '' } of mapping.source.sourceAccessConfigurations ?? []) {
    if (ignored.has(type)) continue;
    const more = wayIn(type, await deps.secret(uri), uri);
    access = { ...access, ...more, ...((access.tls ?? more.tls) && { tls: { ...access.tls, ...more.tls } }) };
  }
  return access;
}

function wayIn(type: string, secret: Secret, uri: string): Access {
  const ca = secret['ca.crt'] === undefined ? {} : { ca: secret['ca.crt'] };
  const mechanism = mechanisms[type];
  if (mechanism !== undefined) {
    const username = memberOf(secret, uri, 'username');
    const sasl = { mechanism, username, password: memberOf(secret, uri, 'password') };
    return secret['security.protocol'] === 'SASL_PLAINTEXT' ? { sasl } : { sasl, tls: ca };
  }
  if (type === 'SERVER_ROOT_CA_CERTIFICATE') return { tls: { ca: memberOf(secret, uri, 'ca.crt', 'certificate') } };
  if (type === 'CLIENT_CERTIFICATE_TLS_AUTH') return { tls: { ...ca, ...clientCertificate(secret, uri) } };
  throw new SourceProblem(
    'InvalidSource',
    `${type} is no way into Kafka here: use BASIC_AUTH, SASL_SCRAM_512_AUTH or a certificate`,
  );
}

function clientCertificate(secret: Secret, uri: string): NonNullable<Access['tls']> {
  const passphrase = secret['privateKeyPassword'];
  return {
    cert: memberOf(secret, uri, 'tls.crt', 'certificate'),
    key: memberOf(secret, uri, 'tls.key', 'privateKey'),
    ...(passphrase !== undefined && { passphrase }),
  };
}

function memberOf(secret: Secret, uri: string, ...names: readonly string[]): string {
  const found = names.map((name) => secret[name]).find((value) => value !== undefined && value !== '');
  if (found === undefined)
    throw new SourceProblem('CredentialsMissing', `the Secret of ${uri} has no member ${names.join(' or ')}`);
  return found;
}
